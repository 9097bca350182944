/** A simulated broker and processes for a test. */
import assert from 'node:assert/strict';
import type { GroupHandlers, GroupMember, KafkaPort, OutRecord, RecordBatch } from '../../../src/engine/kafka/port.ts';
import { SimProcess } from '../kernel/process.ts';
import { Scheduler } from '../kernel/scheduler.ts';
import { SimKafka } from './sim-kafka.ts';

export interface Given {
  readonly scheduler: Scheduler;
  readonly kafka: SimKafka;
  process(name: string): SimProcess;
  /** Runs the simulation until the promise has settled. */
  of<T>(promise: Promise<T>): Promise<T>;
  /** Runs it until this is so; fails if it does not become so. */
  until(done: () => boolean, ms?: number): Promise<void>;
  pass(ms: number): Promise<void>;
}

export function given(seed: number): Given {
  const scheduler = new Scheduler(seed);
  const kafka = new SimKafka(scheduler);
  const until = async (done: () => boolean, ms = 120_000): Promise<void> => {
    assert.ok(await scheduler.run(done, ms), `not within ${ms} ms of the simulation: ${String(done)}`);
  };
  return {
    scheduler,
    kafka,
    process: (name) => new SimProcess(scheduler, name),
    async of(promise) {
      let settled = false;
      promise.finally(() => (settled = true)).catch(() => undefined);
      await until(() => settled);
      return promise;
    },
    until,
    async pass(ms) {
      let over = false;
      scheduler.after(ms, null, () => (over = true));
      await until(() => over, ms);
    },
  };
}

export function record(value: string, key: string | null = null): OutRecord {
  return { key, value };
}

export interface Seen {
  readonly member: GroupMember;
  readonly assignments: (readonly number[])[];
  readonly batches: RecordBatch[];
  readonly crashes: Error[];
  values(): string[];
  owned(): readonly number[];
}

/** A member that keeps what it is given; start it with `started`. */
export function member(
  port: KafkaPort,
  groupId: string,
  topics: readonly string[],
  handlers: Partial<GroupHandlers> = {},
): Seen & { started: Promise<void> } {
  const joined = port.joinGroup({ groupId, topics });
  const [assignments, batches, crashes]: [(readonly number[])[], RecordBatch[], Error[]] = [[], [], []];
  const started = joined.start({
    async onAssigned(partitions, kept) {
      assignments.push(partitions);
      await handlers.onAssigned?.(partitions, kept);
    },
    async onRecords(batch) {
      batches.push(batch);
      await handlers.onRecords?.(batch);
    },
    onCrash: (error) => void crashes.push(error),
  });
  started.catch(() => undefined); // looked at where it matters
  return {
    member: joined,
    assignments,
    batches,
    crashes,
    started,
    values: () => batches.flatMap(({ records }) => records.map(({ value }) => String(value))),
    owned: () => assignments.at(-1) ?? [],
  };
}
