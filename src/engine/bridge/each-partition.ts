/** A person's work on every partition: one without a leader holds up no other, and is named at the end. */
import { CodedError } from '../errors.ts';

/** How many are worked on at once: one without a leader is tried for as long as the client retries, 30 s or so. */
const AT_ONCE = 8;
/** So many that failed, and none that did not: it is Kafka that is away. No other is tried then. */
const ALL_AWAY = AT_ONCE;

/**
 * Calls `work` with each partition number from 0 on, 8 at once.
 *
 * Errors: after all others were worked on, the first CodedError by partition, with the numbers of all that failed. Any other
 * error ends it at once.
 */
export async function eachPartition(partitions: number, work: (partition: number) => Promise<void>): Promise<void> {
  const failed = new Map<number, CodedError>();
  let next = 0;
  let done = 0;
  const isAway = () => done === 0 && failed.size >= ALL_AWAY;
  const lane = async (): Promise<void> => {
    while (next < partitions && !isAway()) {
      const partition = next;
      next += 1;
      try {
        await work(partition);
        done += 1;
      } catch (error) {
        if (!(error instanceof CodedError)) {
          next = partitions;
          throw error;
        }
        failed.set(partition, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, partitions) }, lane));
  if (failed.size === 0) return;
  const numbers = [...failed.keys()].sort((a, b) => a - b);
  const first = failed.get(numbers[0]!)!;
  const untried = next < partitions ? `; partitions from ${next} on were not tried, as Kafka is away` : '';
  throw new CodedError(
    first.code,
    `partition ${numbers.join(', ')}: not decided about, run it again for ${numbers.length === 1 ? 'it' : 'them'}: ${first.message}${untried}`,
    { cause: first },
  );
}
