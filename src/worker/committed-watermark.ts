import { decodeMetadata } from '../bridge/checkpoint.ts';
import type { Clock } from '../clock.ts';
import type { KafkaPort } from '../kafka/port.ts';

/** ms that an answer is used for: many workflows wait for the same partition. */
const FRESH = 500;

/**
 * Reads what the bridge committed. The checkpoint's watermark, not the bridge's latest: everything read before that
 * place has reached its workflow, and everything after it has a later effective time.
 */
export function createCommittedWatermark(
  kafka: Pick<KafkaPort, 'committedOffsets'>,
  clock: Clock,
  groupId: string,
  inputTopics: readonly string[],
): (partition: number) => Promise<number | null> {
  const answers = new Map<number, { readonly at: number; readonly answer: Promise<number | null> }>();

  async function ask(partition: number): Promise<number | null> {
    const committed = await kafka.committedOffsets(groupId, inputTopics.map((topic) => ({ topic, partition })));
    const watermarks = committed.map(({ metadata }) => decodeMetadata(metadata)?.watermark ?? -Infinity);
    const watermark = Math.max(...watermarks);
    return Number.isFinite(watermark) ? watermark : null;
  }

  return (partition) => {
    const known = answers.get(partition);
    if (known !== undefined && clock.elapsed() - known.at < FRESH) return known.answer;
    const answer = ask(partition);
    answers.set(partition, { at: clock.elapsed(), answer });
    answer.catch(() => answers.delete(partition));
    return answer;
  };
}
