/** Notices keys whose records come from two partitions, as far as one process sees both. Nobody is held up for it. */
import type { Signaller } from './signaller.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { KeyPlaces } from '../co-partitioning/key-places.ts';

/** Keys that are remembered: some 12 MB. */
const REMEMBERED = 500_000;
/** ms between lines of the log. */
const QUIET = 60_000;

export interface NoticingDeps {
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly logger: Logger;
  /** A signal for such a key. */
  readonly onSplit: (key: string, partitions: readonly [before: number, now: number]) => void;
}

export function noticingSplitKeys(signaller: Signaller, { clock, logger, onSplit }: NoticingDeps): Signaller {
  const places = new KeyPlaces(REMEMBERED);
  let said = -Infinity;
  const meet = (key: string, partition: number): void => {
    const before = places.meet(key, partition);
    if (before === undefined) return;
    onSplit(key, [before, partition]);
    if (clock.elapsed() - said < QUIET) return;
    said = clock.elapsed();
    logger.warn(
      { workflowId: signaller.workflowIdOf(key), partitions: [before, partition] },
      'a key is met in two partitions, so what is late for it and in which order it comes is not certain: let all producers use one partitioner and one form of the key',
    );
  };
  return {
    signal(key, batch) {
      meet(key, batch.partition);
      return signaller.signal(key, batch);
    },
    history: (key) => signaller.history(key),
    workflowIdOf: (key) => signaller.workflowIdOf(key),
  };
}
