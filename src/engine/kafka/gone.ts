/**
 * For readers up to a fixed end: where the tail of a partition is deleted before it was read, no batch ever comes that says so, and
 * they would wait for ever. So they ask now and then where the logs begin.
 */
import type { KafkaPort, TopicPartition } from './port.ts';

export interface Awaited extends TopicPartition {
  /** The offset that is waited for. */
  readonly next: number;
}

export interface GoneOptions {
  readonly awaited: () => readonly Awaited[];
  /** What was awaited is gone: the log begins at `start`. */
  readonly onGone: (gone: Awaited, start: number) => void;
  readonly onError: (error: unknown) => void;
  /** Given: each look tells which of the awaited have no leader to ask, often none; without it, one of them is an error. */
  readonly onUnanswered?: (unanswered: readonly Awaited[]) => void;
  /** ms; 5 s when absent. */
  readonly interval?: number;
}

/** Until the function that it returns is called. */
export function watchGone(
  kafka: Pick<KafkaPort, 'endOffsets'>,
  { awaited, onGone, onError, onUnanswered, interval = 5_000 }: GoneOptions,
): () => void {
  let asking = false;
  const ask = async (): Promise<void> => {
    const asked = awaited();
    const answers = asked.length === 0 ? [] : await kafka.endOffsets(asked, { partial: onUnanswered !== undefined });
    for (const { topic, partition, start } of answers) {
      const still = awaited().find((one) => one.topic === topic && one.partition === partition);
      if (still !== undefined && start > still.next) onGone(still, start);
    }
    onUnanswered?.(
      asked.filter(
        ({ topic, partition }) => !answers.some((one) => one.topic === topic && one.partition === partition),
      ),
    );
  };
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    ask()
      .catch(onError)
      .finally(() => (asking = false));
  }, interval);
  return () => clearInterval(timer);
}
