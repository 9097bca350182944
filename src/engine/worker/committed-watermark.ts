import { shortName, type Ahead } from '../ordering/ahead.ts';
import { decodeMetadata } from '../ordering/checkpoint.ts';
import type { Clock } from '../clock.ts';
import { CodedError } from '../errors.ts';
import type { KafkaPort } from '../kafka/port.ts';

/** ms that an answer is used for: thousands of workflows may wait for the same partition. */
const FRESH = 1_000;
/** ms that those who wait are held by one look. */
const PATIENCE = 4_000;
/** ms without another look, after one that failed or is slow. */
const PAUSE = 5_000;

interface Committed {
  readonly watermark: number | null;
  readonly ahead: Ahead | undefined;
}

interface Look {
  answer: Promise<Committed>;
  /** `elapsed()` until which it serves those who come; Infinity while the request is under way. */
  until: number;
}

/**
 * Reads what the bridge committed. The checkpoint's watermark, not the bridge's latest: everything read before that
 * place has reached its workflow, and everything after it has a later effective time. However many wait for a partition,
 * there is one request for it at a time. One that fails or is slow fails them all; a late answer serves those who come after.
 * `workflowIdOf`: as the bridge names workflows in what it commits. Where the two differ, a workflow that waits is taken for one
 * that has all, and event time runs ahead of what it still has to get.
 */
export function createCommittedWatermark(
  kafka: Pick<KafkaPort, 'committedOffsets'>,
  clock: Pick<Clock, 'elapsed' | 'sleep'>,
  groupId: string,
  inputTopics: readonly string[],
  workflowIdOf: (key: string) => string,
): (partition: number, key?: string) => Promise<number | null> {
  const looks = new Map<number, Look>();

  async function ask(partition: number): Promise<Committed> {
    const committed = await kafka.committedOffsets(
      groupId,
      inputTopics.map((topic) => ({ topic, partition })),
    );
    const metadata = committed.map((one) => decodeMetadata(one.metadata));
    const watermark = Math.max(...metadata.map((one) => one?.watermark ?? -Infinity));
    return {
      watermark: Number.isFinite(watermark) ? watermark : null,
      ahead: metadata.find((one) => one?.ahead !== undefined)?.ahead,
    };
  }

  function look(partition: number): Look {
    const answered = new AbortController();
    const asked = ask(partition);
    let late = false;
    const slow = clock.sleep(PATIENCE, answered.signal).then((): never => {
      late = true;
      throw new CodedError(
        'UNREACHABLE',
        `Kafka has not told the watermark of partition ${partition} within ${PATIENCE / 1_000} s`,
      );
    });
    const made: Look = { answer: Promise.race([asked, slow]), until: Infinity };
    made.answer.catch(() => undefined); // whoever waits for it gets it all the same
    asked.then(
      () => {
        made.answer = asked;
        made.until = clock.elapsed() + (late ? PAUSE : FRESH);
        answered.abort();
      },
      () => {
        made.until = clock.elapsed() + PAUSE;
        answered.abort();
      },
    );
    return made;
  }

  function lookOf(partition: number): Look {
    const known = looks.get(partition);
    if (known !== undefined && clock.elapsed() < known.until) return known;
    const next = look(partition);
    looks.set(partition, next);
    return next;
  }

  return async (partition, key) => {
    const { watermark, ahead } = await lookOf(partition).answer;
    return ahead === undefined || key === undefined || ahead.except.includes(shortName(workflowIdOf(key)))
      ? watermark
      : ahead.watermark;
  };
}
