/** A person's work on every partition: one without a leader holds up no other, and is named at the end. */
import { CodedError } from '../errors.ts';

/** How many are worked on at once: one without a leader is tried for as long as the client retries, 30 s or so. */
const AT_ONCE = 8;
/** So many that failed, and none that did not: it is Kafka that is away. No other is tried then. */
const ALL_AWAY = AT_ONCE;

export interface Tried {
  /** By partition. */
  readonly failed: ReadonlyMap<number, CodedError>;
  /** Partitions that were not tried, as Kafka is away. */
  readonly untried: readonly number[];
}

/**
 * Calls `work` with each of the partitions, 8 at once.
 *
 * Errors: after all others were worked on, the CodedError of the first that failed, with the numbers of all of them. Any other error ends
 * it at once.
 */
export async function eachPartition(
  partitions: readonly number[],
  work: (partition: number) => Promise<void>,
): Promise<void> {
  const { failed, untried } = await tryEachPartition(partitions, work);
  const [first] = failed.values();
  if (first === undefined) return;
  const numbers = [...failed.keys()];
  const others = untried.length === 0 ? '' : `; partitions from ${untried[0]} on were not tried, as Kafka is away`;
  throw new CodedError(
    first.code,
    `partition ${numbers.join(', ')}: not decided about, run it again for ${numbers.length === 1 ? 'it' : 'them'}: ${first.message}${others}`,
    { cause: first },
  );
}

/** As {@link eachPartition}, and tells what failed. Errors: those of `work` that are no CodedError. */
export async function tryEachPartition(
  partitions: readonly number[],
  work: (partition: number) => Promise<void>,
): Promise<Tried> {
  const failed = new Map<number, CodedError>();
  const left = [...partitions];
  let done = 0;
  const isAway = () => done === 0 && failed.size >= ALL_AWAY;
  const lane = async (): Promise<void> => {
    while (left.length > 0 && !isAway()) {
      const partition = left.shift()!;
      try {
        await work(partition);
        done += 1;
      } catch (error) {
        if (!(error instanceof CodedError)) {
          left.length = 0;
          throw error;
        }
        failed.set(partition, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, partitions.length) }, lane));
  return { failed: new Map([...failed].sort(([a], [b]) => a - b)), untried: left };
}

/** All of so many partitions. */
export function partitionsBelow(count: number): number[] {
  return Array.from({ length: count }, (_, partition) => partition);
}
