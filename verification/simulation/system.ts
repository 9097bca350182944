/**
 * The product in the simulation: its bridges and workers, each in a process of its own that is started again when it is
 * gone, on the simulated Kafka and Temporal, with a session service that answers what the session events say.
 */
import { createActivities } from '../../activities/index.ts';
import { Limiter } from '../../activities/limiter.ts';
import { Bridge } from '../../src/engine/bridge/bridge.ts';
import type { BridgeObserver } from '../../src/engine/bridge/assignment.ts';
import type { MoneyBridgeSettings } from '../../src/money/bridge/settings.ts';
import type { MoneyInput } from '../../src/money/domain/events.ts';
import { bridgeGroupOf, questionsQueueOf, taskQueueOf, workflowIdOf } from '../../src/engine/naming.ts';
import type { Signaller } from '../../src/engine/bridge/signaller.ts';
import type { PartitionWait } from '../../src/engine/bridge/waits.ts';
import { encodeOutput } from '../../src/money/codec/output-record.ts';
import { createOwnership, eventText } from '../../src/engine/publish/ownership.ts';
import { shardOf } from '../../src/money/codec/shard.ts';
import { createCommittedWatermark } from '../../src/engine/worker/committed-watermark.ts';
import type { Output } from '../../src/money/domain/events.ts';
import { ShardsWorker } from '../../src/engine/worker/shards-worker.ts';
import type { Start } from '../../workflows/life.ts';
import { SimKafka, topicId, type StoredRecord } from './kafka/sim-kafka.ts';
import { SimProcess } from './kernel/process.ts';
import type { Scheduler } from './kernel/scheduler.ts';
import { Lives, type PlaceOf } from './lives.ts';
import { Said } from './said.ts';
import type { Scenario } from './scenario.ts';
import { SimSessions } from './session-service.ts';
import { currentAttempt } from './temporal/shard-worker.ts';
import { SimTemporal } from './temporal/sim-temporal.ts';
import { userProgram } from './user-program.ts';
import { decoding } from '../../src/money/bridge/settings.ts';
import { eventBatchOf } from '../../src/money/bridge/event-batch.ts';

export const APP = 'app';
export const INPUT_TOPICS = ['user', 'session', 'money'] as const;
export const TOPICS = { output: 'enriched', ledger: 'ledger', deadLetter: 'dead' };

/** Which of the logs of this topic has this name, in their order: a seed has two at the most. */
export function turnOf(topic: MoneyInput, name: string): number {
  return name === '' || name === topicId(topic, 0) ? 0 : 1;
}

/** ms until a process that is gone is started again. */
const RESTART = { from: 100, to: 3_000 };

/** The worker of the lookups publishes nothing. */
const NOBODY = { publish: () => Promise.reject(new Error('a lookup worker was asked to publish')) };

export type Role = 'bridge' | 'worker';

interface Running {
  readonly role: Role;
  readonly process: SimProcess;
  /** Of a bridge. */
  readonly waits: () => readonly PartitionWait[];
  stop(): void;
}

export class SimSystem {
  readonly kafka: SimKafka;
  readonly temporal: SimTemporal;
  readonly sessions: SimSessions;
  readonly running = new Set<Running>();
  readonly counts = {
    signalsFailed: 0,
    starts: 0,
    lookups: 0,
    reopened: 0,
    repeated: 0,
    lostShards: 0,
    refused: 0,
    madeRoom: 0,
    splitUsers: 0,
  };
  /** Places (`input/partition/offset`) that Temporal has, durably. */
  readonly durable = new Set<string>();
  readonly said = new Said();
  readonly lives: Lives;
  readonly #scheduler: Scheduler;
  readonly #scenario: Scenario;
  #names = 0;

  constructor(
    scheduler: Scheduler,
    scenario: Scenario,
    countryOf: (sessionId: string) => string | null | undefined,
    placeOf: PlaceOf,
  ) {
    this.lives = new Lives(placeOf);
    this.said.onLine(({ msg }) => scheduler.trace.add('log', () => msg));
    this.#scheduler = scheduler;
    this.#scenario = scenario;
    this.kafka = new SimKafka(scheduler);
    for (const topic of INPUT_TOPICS) this.kafka.createTopic(topic, scenario.partitions);
    this.kafka.createTopic(TOPICS.deadLetter, scenario.partitions);
    this.kafka.limitBatches(TOPICS.deadLetter, scenario.deadLetterBatchBytes);
    this.kafka.createTopic(TOPICS.output, scenario.shards);
    this.kafka.createTopic(TOPICS.ledger, scenario.shards, { compacted: true });
    const { lostTasks, eviction, suggestAfter, slots, temporalLimits: limits } = scenario;
    this.temporal = new SimTemporal({
      scheduler,
      program: userProgram,
      lostTasks,
      eviction,
      suggestAfter,
      slots,
      limits,
      onNoticed: (workflowId, what) => this.said.counted(workflowId, what),
    });
    this.sessions = new SimSessions(scheduler, countryOf);
  }

  start(role: Role): void {
    const process = new SimProcess(this.#scheduler, `${role}-${(this.#names += 1)}`);
    this.counts.starts += 1;
    this.#scheduler.after(0, process, () => {
      const bridge = role === 'bridge' ? this.#bridge(process) : undefined;
      const service = bridge ?? this.#worker(process);
      const running: Running = {
        role,
        process,
        waits: () => bridge?.partitionsWaiting ?? [],
        stop: () => this.#scheduler.after(0, process, () => service.stop()),
      };
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

  /** What a read_committed consumer has seen of the outputs, whatever retention has removed since; `seenAt`: simulated time. */
  readonly outputs: (StoredRecord & { readonly shard: number; readonly seenAt: number })[] = [];
  /** Place of the unusable record -> simulated time at which its first dead letter was seen. */
  readonly deadLettersSeen = new Map<string, number>();
  readonly #collectedTo = new Map<string, number>();

  collect(): void {
    const seenAt = this.#scheduler.now;
    for (let shard = 0; shard < this.#scenario.shards; shard += 1) {
      for (const record of this.#fresh(TOPICS.output, shard)) this.outputs.push({ ...record, shard, seenAt });
    }
    for (let partition = 0; partition < this.#scenario.partitions; partition += 1) {
      for (const { headers: h } of this.#fresh(TOPICS.deadLetter, partition)) {
        const place = `${h['source-topic']}/${h['source-partition']}/${h['source-offset']}`;
        if (!this.deadLettersSeen.has(place)) this.deadLettersSeen.set(place, seenAt);
      }
    }
  }

  #fresh(topic: string, partition: number): readonly StoredRecord[] {
    const log = `${topic}/${partition}`;
    const fresh = this.kafka.committed(topic, partition, this.#collectedTo.get(log) ?? 0);
    const last = fresh.at(-1);
    if (last !== undefined) this.#collectedTo.set(log, last.offset + 1);
    return fresh;
  }

  /** Somebody looks at `/readyz` of all bridges. */
  look(): void {
    for (const { process, waits } of this.running) if (process.running) this.said.ready(waits());
  }

  /** Retention: all outputs so far are gone. */
  expire(shard: number): void {
    this.collect();
    this.kafka.deleteBefore(TOPICS.output, shard, this.#collectedTo.get(`${TOPICS.output}/${shard}`) ?? 0);
  }

  pick(role: Role): Running | undefined {
    const candidates = [...this.running].filter((one) => one.role === role && one.process.alive);
    return candidates.length === 0 ? undefined : this.#scheduler.random.pick(candidates);
  }

  settings(): MoneyBridgeSettings {
    return {
      appId: APP,
      groupId: bridgeGroupOf(APP),
      inputTopics: INPUT_TOPICS,
      deadLetterTopic: TOPICS.deadLetter,
      deadLetterPartitions: this.#scenario.partitions,
      ...this.#scenario.settings,
      ...decoding(this.#scenario.settings.limits),
    };
  }

  #bridge(process: SimProcess): Bridge {
    return new Bridge(this.settings(), {
      kafka: this.kafka.port(process),
      signaller: this.#signaller(process),
      clock: process.clock,
      logger: this.said.logger,
      observer: this.#observer(process),
    });
  }

  #signaller(process: SimProcess): Signaller {
    const { server } = this.temporal;
    const unanswered = (why: string): Error => new Error(why);
    return {
      workflowIdOf: (userId) => workflowIdOf(APP, userId),
      signal: (userId, sent) => {
        const batch = eventBatchOf(sent);
        const start: Start = { userId };
        const texts = [JSON.stringify(start), JSON.stringify(batch)] as const;
        const taskQueue = taskQueueOf(APP, shardOf(userId, this.#scenario.shards));
        return server.request(
          process,
          'a signal',
          () => {
            const { incarnation } = this.temporal.signalWithStart(workflowIdOf(APP, userId), taskQueue, ...texts);
            for (const place of this.lives.signalled(userId, incarnation, batch)) this.durable.add(place);
          },
          unanswered,
        );
      },
      history: (userId) =>
        server.request(
          process,
          'describing a workflow',
          () => {
            const run = this.temporal.runs.get(workflowIdOf(APP, userId));
            return run === undefined ? null : { events: run.events, bytes: run.bytes, busy: run.busy };
          },
          unanswered,
        ),
    };
  }

  #observer(process: SimProcess): BridgeObserver {
    const { trace } = this.#scheduler;
    return {
      read: () => undefined,
      deadLettersCut: (letters) => trace.add(process.name, () => `${letters} dead letters are cut`),
      deadLettersWritten: (reasons) => trace.add(process.name, () => `dead letters written: ${reasons.join(', ')}`),
      late: () => undefined,
      signalled: () => undefined,
      signalFailed: () => {
        this.counts.signalsFailed += 1;
      },
      committed: () => trace.add(process.name, () => 'offsets committed'),
      splitKey: () => {
        this.counts.splitUsers += 1;
      },
    };
  }

  #worker(process: SimProcess): ShardsWorker<Output> {
    const scheduler = this.#scheduler;
    const kafka = this.kafka.port(process);
    const { clock } = process;
    const shared = {
      sessionServiceUrl: '',
      lookupTimeout: 0,
      sessionService: this.sessions.of(process),
      limiter: new Limiter(this.#scenario.lookupsAtATime),
      clock,
      observeLookup: () => void (this.counts.lookups += 1),
      attempt: currentAttempt,
      committedWatermark: createCommittedWatermark(kafka, clock, bridgeGroupOf(APP), INPUT_TOPICS, (userId) =>
        workflowIdOf(APP, userId),
      ),
    };
    let ids = 0;
    return new ShardsWorker({
      clock,
      logger: this.said.logger,
      createOwnership: (handlers) =>
        createOwnership({
          ...handlers,
          appId: APP,
          outputTopic: TOPICS.output,
          ledgerTopic: TOPICS.ledger,
          kafka,
          encode: encodeOutput,
          clock,
          host: process.name,
          newId: () => `${process.name}/${(ids += 1)}`,
          random: () => scheduler.random.uint32() / 2 ** 32,
          onEvent: (event) => {
            if (event.type === 'reopening') this.counts.reopened += 1;
            if (event.type === 'repeated') this.counts.repeated += event.requests;
            if (event.type === 'lost') this.counts.lostShards += 1;
            if (event.type === 'refused') this.counts.refused += 1;
            if (event.type === 'noticed') this.said.notice(event.key, event.notice);
            scheduler.trace.add(process.name, () => eventText(event));
          },
        }),
      startShardWorker: async (shard, publisher) => {
        const deps = { ...shared, publisher };
        return this.temporal.startWorker(process, taskQueueOf(APP, shard), {
          local: { ...createActivities({ ...deps, isLocal: () => true }) },
          regular: { ...createActivities({ ...deps, isLocal: () => false }) },
        });
      },
      beside: {
        name: 'the worker of the lookups',
        start: async () => {
          const activities = { ...createActivities({ ...shared, publisher: NOBODY, isLocal: () => false }) };
          return this.temporal.startWorker(
            process,
            questionsQueueOf(APP),
            { local: activities, regular: activities },
            { ...this.#scenario.slots, activities: this.#scenario.lookupsAtATime },
          );
        },
      },
    });
  }
}
