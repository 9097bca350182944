/** Steps that the tests of the suite have in common. */
import { CodedError, type ErrorCode } from '../../engine/errors.ts';
import type {
  GroupHandlers,
  GroupMember,
  OutRecord,
  RecordBatch,
  TransactionalProducer,
} from '../../engine/kafka/port.ts';
import type { Lab } from './kafka-under-test.ts';

export type { Lab } from './kafka-under-test.ts';

/** For `assert.rejects`. */
export function withCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof CodedError && error.code === code;
}

export const record = (value: string, key: string | null = null): OutRecord => ({ key, value });

export async function eventually(
  kafka: Lab,
  what: string,
  check: () => boolean | Promise<boolean>,
  timeout = 20_000,
): Promise<void> {
  const until = kafka.now() + timeout;
  while (!(await check())) {
    if (kafka.now() > until) throw new Error(`not within ${timeout} ms: ${what}`);
    await kafka.sleep(20);
  }
}

/** One transaction; the offset of its first record. */
export async function publish(
  producer: TransactionalProducer,
  topic: string,
  values: readonly string[],
  partition = 0,
): Promise<number | null> {
  const transaction = await producer.begin();
  const offset = await transaction.send(
    topic,
    partition,
    values.map((value) => record(value)),
  );
  await transaction.commit();
  return offset;
}

export async function lastStable(kafka: Lab, topic: string, partition = 0): Promise<number> {
  const [found] = await kafka.port('onlooker').endOffsets([{ topic, partition }]);
  return found!.end;
}

export interface Seen {
  readonly member: GroupMember;
  readonly assignments: (readonly number[])[];
  readonly batches: RecordBatch[];
  /** How many assignments there had been when each batch came. */
  readonly generations: number[];
  readonly crashes: Error[];
  owned(): readonly number[];
  values(): string[];
}

/** Starts a member that keeps what it is given. */
export async function join(
  kafka: Lab,
  process: string,
  groupId: string,
  topics: readonly string[],
  onAssigned: GroupHandlers['onAssigned'] = async () => undefined,
  options: { readonly cooperative?: boolean } = {},
): Promise<Seen> {
  const seen: Seen = {
    member: kafka.port(process).joinGroup({ groupId, topics, ...options }),
    assignments: [],
    batches: [],
    generations: [],
    crashes: [],
    owned: () => seen.assignments.at(-1) ?? [],
    values: () => seen.batches.flatMap(({ records }) => records.map(({ value }) => String(value))),
  };
  await seen.member.start({
    async onAssigned(partitions, kept) {
      seen.assignments.push(partitions);
      await onAssigned(partitions, kept);
    },
    async onRecords(batch) {
      seen.batches.push(batch);
      seen.generations.push(seen.assignments.length);
    },
    onCrash: (error) => void seen.crashes.push(error),
  });
  return seen;
}

/** A member that joins anew when it was given up, as the product does. */
export async function keepJoined(
  kafka: Lab,
  process: string,
  groupId: string,
  topics: readonly string[],
): Promise<{ readonly current: () => Seen; readonly values: () => string[]; stop(): Promise<void> }> {
  const all = [await join(kafka, process, groupId, topics)];
  let stopping = false;
  const keeping = (async () => {
    while (!stopping) {
      await kafka.sleep(200);
      if (all.at(-1)!.crashes.length === 0) continue;
      const again = await join(kafka, process, groupId, topics).catch(() => undefined); // once more, later
      if (again !== undefined) all.push(again);
    }
  })();
  return {
    current: () => all.at(-1)!,
    values: () => all.flatMap((seen) => seen.values()),
    async stop() {
      stopping = true;
      await keeping;
    },
  };
}
