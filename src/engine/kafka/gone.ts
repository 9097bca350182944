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
  /** ms; 5 s when absent. */
  readonly interval?: number;
}

/** Until the function that it returns is called. */
export function watchGone(
  kafka: Pick<KafkaPort, 'endOffsets'>,
  { awaited, onGone, onError, interval = 5_000 }: GoneOptions,
): () => void {
  let asking = false;
  const ask = async (): Promise<void> => {
    const asked = awaited();
    if (asked.length === 0) return;
    for (const { topic, partition, start } of await kafka.endOffsets(asked)) {
      const still = awaited().find((one) => one.topic === topic && one.partition === partition);
      if (still !== undefined && start > still.next) onGone(still, start);
    }
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
