/**
 * The product in the simulation: its bridges and workers, each in a process of its own that is started again when it is
 * gone, on the simulated Kafka and Temporal, with a session service that answers what the session events say.
 */
import { createActivities } from '../../activities/index.ts';
import { Limiter, type SessionService } from '../../activities/lookup-sessions.ts';
import { Bridge } from '../../src/bridge/bridge.ts';
import type { BridgeObserver, BridgeSettings } from '../../src/bridge/generation.ts';
import { bridgeGroupOf } from '../../src/bridge/group.ts';
import type { Signaller } from '../../src/bridge/signaller.ts';
import { encodeOutput } from '../../src/codec/output-record.ts';
import { silentLogger } from '../../src/log.ts';
import { createOwnership, eventText } from '../../src/publish/ownership.ts';
import { shardOf } from '../../src/publish/shard.ts';
import { createCommittedWatermark } from '../../src/worker/committed-watermark.ts';
import { EnrichmentWorker } from '../../src/worker/enrichment-worker.ts';
import type { Start } from '../../workflows/life.ts';
import { taskQueueOf, workflowIdOf, type EventBatch } from '../../workflows/messages.ts';
import { SimKafka, type StoredRecord } from './kafka/sim-kafka.ts';
import { SimServer } from './kernel/network.ts';
import { SimProcess } from './kernel/process.ts';
import type { Scheduler } from './kernel/scheduler.ts';
import type { Scenario } from './scenario.ts';
import { SimTemporal } from './temporal/sim-temporal.ts';

export const APP = 'app';
export const INPUT_TOPICS = ['user', 'session', 'money'] as const;
export const TOPICS = { output: 'enriched', ledger: 'ledger', deadLetter: 'dead' };

/** ms until a process that is gone is started again. */
const RESTART = { from: 100, to: 3_000 };

export type Role = 'bridge' | 'worker';

interface Running {
  readonly role: Role;
  readonly process: SimProcess;
  stop(): void;
}

export class SimSystem {
  readonly kafka: SimKafka;
  readonly temporal: SimTemporal;
  readonly sessions: SimServer;
  readonly running = new Set<Running>();
  readonly counts = { signalsFailed: 0, starts: 0, lookups: 0, reopened: 0, repeated: 0, lostShards: 0, refused: 0 };
  /** Places (`input/partition/offset`) that Temporal has, durably. */
  readonly durable = new Set<string>();
  readonly #scheduler: Scheduler;
  readonly #scenario: Scenario;
  readonly #countryOf: (sessionId: string) => string | null | undefined;
  #names = 0;

  constructor(scheduler: Scheduler, scenario: Scenario, countryOf: (sessionId: string) => string | null | undefined) {
    this.#scheduler = scheduler;
    this.#scenario = scenario;
    this.#countryOf = countryOf;
    this.kafka = new SimKafka(scheduler);
    for (const topic of INPUT_TOPICS) this.kafka.createTopic(topic, scenario.partitions);
    this.kafka.createTopic(TOPICS.deadLetter, 1);
    this.kafka.createTopic(TOPICS.output, scenario.shards);
    this.kafka.createTopic(TOPICS.ledger, scenario.shards, { compacted: true });
    const { lostTasks, eviction, suggestAfter } = scenario;
    this.temporal = new SimTemporal({ scheduler, lostTasks, eviction, suggestAfter });
    this.sessions = new SimServer(scheduler, 'sessions');
  }

  start(role: Role): void {
    const process = new SimProcess(this.#scheduler, `${role}-${(this.#names += 1)}`);
    this.counts.starts += 1;
    this.#scheduler.after(0, process, () => {
      const service = role === 'bridge' ? this.#bridge(process) : this.#worker(process);
      const running: Running = { role, process, stop: () => this.#scheduler.after(0, process, () => service.stop()) };
      this.running.add(running);
      const gone = (): void => {
        if (!this.running.delete(running)) return;
        const { random } = this.#scheduler;
        this.#scheduler.after(RESTART.from + random.below(RESTART.to - RESTART.from), null, () => this.start(role));
      };
      process.onDeath(gone);
      service.run().then(
        () => process.kill(),
        (error: unknown) => this.#scheduler.fail(error),
      );
    });
  }

  /** What a read_committed consumer has seen of the outputs, whatever retention has removed since. */
  readonly outputs: (StoredRecord & { readonly shard: number })[] = [];
  readonly #collectedTo = new Map<number, number>();

  collect(): void {
    for (let shard = 0; shard < this.#scenario.shards; shard += 1) {
      const from = this.#collectedTo.get(shard) ?? 0;
      const fresh = this.kafka.committed(TOPICS.output, shard).filter(({ offset }) => offset >= from);
      this.outputs.push(...fresh.map((record) => ({ ...record, shard })));
      const last = fresh.at(-1);
      if (last !== undefined) this.#collectedTo.set(shard, last.offset + 1);
    }
  }

  /** Retention: all outputs so far are gone. */
  expire(shard: number): void {
    this.collect();
    this.kafka.deleteBefore(TOPICS.output, shard, this.#collectedTo.get(shard) ?? 0);
  }

  pick(role: Role): Running | undefined {
    const candidates = [...this.running].filter((one) => one.role === role && one.process.alive);
    return candidates.length === 0 ? undefined : this.#scheduler.random.pick(candidates);
  }

  settings(): BridgeSettings {
    return {
      appId: APP, groupId: bridgeGroupOf(APP), inputTopics: INPUT_TOPICS, deadLetterTopic: TOPICS.deadLetter, deadLetterPartitions: 1, ...this.#scenario.settings,
    };
  }

  #bridge(process: SimProcess): Bridge {
    return new Bridge(this.settings(), {
      kafka: this.kafka.port(process), signaller: this.#signaller(process), clock: process.clock, logger: silentLogger(), observer: this.#observer(process),
    });
  }

  #signaller(process: SimProcess): Signaller {
    const { server } = this.temporal;
    const unanswered = (why: string): Error => new Error(why);
    return {
      signal: (userId, batch) => {
        const start: Start = { userId };
        const texts = [JSON.stringify(start), JSON.stringify(batch)] as const;
        const taskQueue = taskQueueOf(APP, shardOf(userId, this.#scenario.shards));
        return server.request(process, 'a signal', () => {
          this.temporal.signalWithStart(workflowIdOf(APP, userId), taskQueue, ...texts);
          this.#noteDurable(batch);
        }, unanswered);
      },
      history: (userId) =>
        server.request(process, 'describing a workflow', () => {
          const run = this.temporal.runs.get(workflowIdOf(APP, userId));
          return run === undefined ? null : { events: run.events, bytes: 0 };
        }, unanswered),
    };
  }

  #noteDurable({ partition, records }: EventBatch): void {
    for (const { offset, event } of records) {
      const input = event.type === 'money' ? 'money' : event.type === 'session' ? 'session' : 'user';
      this.durable.add(`${input}/${partition}/${offset}`);
    }
  }

  #observer(process: SimProcess): BridgeObserver {
    const { trace } = this.#scheduler;
    return {
      read: () => undefined,
      deadLettersWritten: (reasons) => trace.add(process.name, () => `dead letters written: ${reasons.join(', ')}`),
      late: () => undefined,
      signalled: () => undefined,
      signalFailed: () => {
        this.counts.signalsFailed += 1;
      },
      committed: () => trace.add(process.name, () => 'offsets committed'),
    };
  }

  #worker(process: SimProcess): EnrichmentWorker {
    const scheduler = this.#scheduler;
    const kafka = this.kafka.port(process);
    const { clock } = process;
    const shared = {
      sessionServiceUrl: '', lookupTimeout: 0,
      sessionService: this.#sessionService(process),
      limiter: new Limiter(64),
      now: () => clock.now(),
      observeLookup: () => void (this.counts.lookups += 1),
      signsOfLife: () => () => undefined,
      committedWatermark: createCommittedWatermark(kafka, clock, bridgeGroupOf(APP), INPUT_TOPICS),
    };
    let ids = 0;
    return new EnrichmentWorker({
      clock,
      logger: silentLogger(),
      createOwnership: (handlers) =>
        createOwnership({
          ...handlers,
          appId: APP, outputTopic: TOPICS.output, ledgerTopic: TOPICS.ledger, kafka, encode: encodeOutput, clock, host: process.name,
          newId: () => `${process.name}/${(ids += 1)}`,
          random: () => scheduler.random.uint32() / 2 ** 32,
          onEvent: (event) => {
            if (event.type === 'reopening') this.counts.reopened += 1;
            if (event.type === 'repeated') this.counts.repeated += event.requests;
            if (event.type === 'lost') this.counts.lostShards += 1;
            if (event.type === 'refused') this.counts.refused += 1;
            scheduler.trace.add(process.name, () => eventText(event));
          },
        }),
      startShardWorker: async (shard, publisher) => {
        const deps = { ...shared, publisher };
        return this.temporal.startWorker(process, taskQueueOf(APP, shard), {
          local: createActivities({ ...deps, isLocal: () => true }),
          regular: createActivities({ ...deps, isLocal: () => false }),
        });
      },
    });
  }

  #sessionService(process: SimProcess): SessionService {
    const unanswered = (why: string): Error => new Error(why);
    return {
      get: (sessionId) =>
        this.sessions.request(process, 'a lookup', () => {
          const country = this.#countryOf(sessionId);
          if (country === undefined) throw new Error('status 500');
          return country === null ? ({ sessionId, status: 'not-found' } as const) : ({ sessionId, status: 'found', clientCountryCode: country } as const);
        }, unanswered),
    };
  }
}
