/** Notices keys whose records come from two partitions, as far as one process sees both. Nobody is held up for it. */
import type { Signaller } from '../bridge/signaller.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { KeyPlaces } from './key-places.ts';

/** Keys that are remembered: some 12 MB. */
const REMEMBERED = 500_000;
/** ms between lines of the log. */
const QUIET = 60_000;

export interface NoticingDeps {
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly logger: Logger;
  readonly workflowId: (key: string) => string;
  /** A signal for such a key. */
  readonly onSplit: () => void;
}

export function noticingSplitKeys(
  signaller: Signaller,
  { clock, logger, workflowId, onSplit }: NoticingDeps,
): Signaller {
  const places = new KeyPlaces(REMEMBERED);
  let said = -Infinity;
  return {
    ...signaller,
    signal(key, batch) {
      const before = places.meet(key, batch.partition);
      if (before !== undefined) {
        onSplit();
        if (clock.elapsed() - said >= QUIET) {
          said = clock.elapsed();
          logger.warn(
            { workflowId: workflowId(key), partitions: [before, batch.partition] },
            'a key is met in two partitions, so what is late for it and in which order it comes is not certain: let all producers use one partitioner and one form of the key (docs/operations.md, "Users in two partitions")',
          );
        }
      }
      return signaller.signal(key, batch);
    },
  };
}
