/**
 * `examples/orders` in the simulation: its decoders and its rules, in the engine's bridges and workers, each in a process of its
 * own that is started again when it is gone, on the simulated Kafka and Temporal.
 */
import { inputs } from '../../../examples/orders/events.ts';
import { orders, type Outcome } from '../../../examples/orders/rules.ts';
import { Bridge } from '../../../src/engine/bridge/bridge.ts';
import type { Signaller } from '../../../src/engine/bridge/signaller.ts';
import { partitionOf } from '../../../src/engine/kafka/partitioner.ts';
import { silentLogger } from '../../../src/engine/log.ts';
import { bridgeGroupOf, questionsQueueOf, taskQueueOf, workflowIdOf } from '../../../src/engine/naming.ts';
import { publishActivity } from '../../../src/engine/publish/activity.ts';
import { createOwnership } from '../../../src/engine/publish/ownership.ts';
import { jsonDecoders } from '../../../src/engine/values/value.ts';
import { createCommittedWatermark } from '../../../src/engine/worker/committed-watermark.ts';
import { readWatermarkActivity } from '../../../src/engine/worker/read-watermark.ts';
import { ShardsWorker } from '../../../src/engine/worker/shards-worker.ts';
import type { Emitted } from '../../../src/engine/workflow/emitted.ts';
import { plainEntity } from '../../../src/engine/workflow/entity/plain.ts';
import { runEntity } from '../../../src/engine/workflow/entity/run-entity.ts';
import { SimKafka, type StoredRecord } from '../kafka/sim-kafka.ts';
import { SimProcess } from '../kernel/process.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import { APP, TOPICS, type Role } from '../system.ts';
import { plainBytes, TEMPORAL_LIMITS } from '../temporal/limits.ts';
import { SimTemporal } from '../temporal/sim-temporal.ts';

export const INPUT_TOPICS = inputs.map(({ topic }) => topic);

/** ms */
const RESTART = { from: 100, to: 3_000 };
const OUT_OF_ORDERNESS = 2_000;
/** Longer than any outage. */
const IDLE = 30_000;
const SLOTS = { tasks: 50, activities: 100, localActivities: 100 };
const NOTHING = {
  read() {},
  deadLettersWritten() {},
  deadLettersCut() {},
  late() {},
  signalled() {},
  signalFailed() {},
  committed() {},
  splitKey() {},
};

export interface OrdersSize {
  readonly partitions: number;
  readonly shards: number;
}

interface Running {
  readonly role: Role;
  readonly process: SimProcess;
  readonly waits: () => readonly [];
  stop(): void;
}

export class OrdersSystem {
  readonly kafka: SimKafka;
  readonly temporal: SimTemporal;
  readonly running = new Set<Running>();
  /** What a read_committed consumer has seen, and when. */
  readonly outputs: (StoredRecord & { readonly seenAt: number })[] = [];
  readonly #seenTo = new Map<number, number>();
  readonly #scheduler: Scheduler;
  readonly #size: OrdersSize;
  #names = 0;

  constructor(scheduler: Scheduler, size: OrdersSize) {
    this.#scheduler = scheduler;
    this.#size = size;
    this.kafka = new SimKafka(scheduler);
    for (const topic of INPUT_TOPICS) this.kafka.createTopic(topic, size.partitions);
    this.kafka.createTopic(TOPICS.deadLetter, size.partitions);
    this.kafka.createTopic(TOPICS.output, size.shards);
    this.kafka.createTopic(TOPICS.ledger, size.shards, { compacted: true });
    const entity = plainEntity(orders);
    const { random } = scheduler;
    this.temporal = new SimTemporal({
      scheduler,
      program: { begin: (port, start) => runEntity(port, entity, start), bytesOf: (_, text) => plainBytes(text) },
      lostTasks: random.chance(0.5) ? 0.05 : 0,
      eviction: random.chance(0.5) ? 0.2 : 0,
      slots: SLOTS,
      limits: TEMPORAL_LIMITS,
      suggestAfter: random.pick([
        [2, 6],
        [20, 60],
      ] as const),
    });
  }

  start(role: Role): void {
    const scheduler = this.#scheduler;
    const process = new SimProcess(scheduler, `${role}-${(this.#names += 1)}`);
    scheduler.after(0, process, () => {
      const service = role === 'bridge' ? this.#bridge(process) : this.#worker(process);
      const running: Running = {
        role,
        process,
        waits: () => [],
        stop: () => scheduler.after(0, process, () => service.stop()),
      };
      this.running.add(running);
      process.onDeath(() => {
        if (!this.running.delete(running)) return;
        scheduler.after(RESTART.from + scheduler.random.below(RESTART.to - RESTART.from), null, () => this.start(role));
      });
      service.run().then(
        () => process.kill(),
        (error: unknown) => scheduler.fail(error),
      );
    });
  }

  pick(role: Role): Running | undefined {
    const candidates = [...this.running].filter((one) => one.role === role && one.process.alive);
    return candidates.length === 0 ? undefined : this.#scheduler.random.pick(candidates);
  }

  collect(): void {
    for (let shard = 0; shard < this.#size.shards; shard += 1) {
      const fresh = this.kafka.committed(TOPICS.output, shard, this.#seenTo.get(shard) ?? 0);
      this.outputs.push(...fresh.map((record) => ({ ...record, seenAt: this.#scheduler.now })));
      const last = fresh.at(-1);
      if (last !== undefined) this.#seenTo.set(shard, last.offset + 1);
    }
  }

  /** Retention: all outputs so far are gone. */
  expire(shard: number): void {
    this.collect();
    this.kafka.deleteBefore(TOPICS.output, shard, this.#seenTo.get(shard) ?? 0);
  }

  #bridge(process: SimProcess): Bridge {
    return new Bridge(
      {
        appId: APP,
        groupId: bridgeGroupOf(APP),
        inputTopics: INPUT_TOPICS,
        deadLetterTopic: TOPICS.deadLetter,
        deadLetterPartitions: this.#size.partitions,
        outOfOrderness: OUT_OF_ORDERNESS,
        idleTimeout: IDLE,
        maxRecordBytes: 20_000,
        decode: (input, record) => inputs[input]!.decode(record),
        rules: undefined,
      },
      {
        kafka: this.kafka.port(process),
        signaller: this.#signaller(process),
        clock: process.clock,
        logger: silentLogger(),
        observer: NOTHING,
        decoders: jsonDecoders,
      },
    );
  }

  #signaller(process: SimProcess): Signaller {
    const { server } = this.temporal;
    const unanswered = (why: string): Error => new Error(why);
    return {
      workflowIdOf: (key) => workflowIdOf(APP, key),
      signal: (key, batch) =>
        server.request(
          process,
          'a signal',
          () => {
            const taskQueue = taskQueueOf(APP, partitionOf(key, this.#size.shards));
            const texts = [JSON.stringify({ key }), JSON.stringify(batch)] as const;
            this.temporal.signalWithStart(workflowIdOf(APP, key), taskQueue, ...texts);
          },
          unanswered,
        ),
      history: (key) =>
        server.request(
          process,
          'describing a workflow',
          () => {
            const run = this.temporal.runs.get(workflowIdOf(APP, key));
            return run === undefined ? null : { events: run.events, bytes: run.bytes, busy: run.busy };
          },
          unanswered,
        ),
    };
  }

  #worker(process: SimProcess): ShardsWorker<Emitted<Outcome>> {
    const scheduler = this.#scheduler;
    const kafka = this.kafka.port(process);
    const { clock } = process;
    const readWatermark = readWatermarkActivity({
      committedWatermark: createCommittedWatermark(kafka, clock, bridgeGroupOf(APP), INPUT_TOPICS, (key) =>
        workflowIdOf(APP, key),
      ),
    });
    const cityOf = async ({ question }: { readonly question: string }): Promise<string> => {
      await clock.sleep(scheduler.random.below(2_000));
      return `the city of ${question}`;
    };
    let ids = 0;
    return new ShardsWorker<Emitted<Outcome>>({
      clock,
      logger: silentLogger(),
      createOwnership: (handlers) =>
        createOwnership<Emitted<Outcome>>({
          ...handlers,
          appId: APP,
          outputTopic: TOPICS.output,
          ledgerTopic: TOPICS.ledger,
          kafka,
          encode: ({ record }, key) => ({ key, value: JSON.stringify(record) }),
          clock,
          host: process.name,
          newId: () => `${process.name}/${(ids += 1)}`,
          random: () => scheduler.random.uint32() / 2 ** 32,
          onEvent: () => undefined,
        }),
      startShardWorker: async (shard, publisher) =>
        this.temporal.startWorker(process, taskQueueOf(APP, shard), {
          local: { publish: publishActivity({ publisher, isLocal: () => true }), readWatermark },
          regular: { publish: publishActivity({ publisher, isLocal: () => false }), readWatermark },
        }),
      beside: {
        name: 'the worker of the questions',
        start: async () =>
          this.temporal.startWorker(process, questionsQueueOf(APP), { local: {}, regular: { cityOf } }),
      },
    });
  }
}
