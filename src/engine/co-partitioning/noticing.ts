/** Notices users whose records come from two partitions, as far as one process sees both. Nobody is held up for it. */
import type { Signaller } from '../bridge/signaller.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { UserPlaces } from './user-places.ts';

/** Users that are remembered: some 12 MB. */
const REMEMBERED = 500_000;
/** ms between lines of the log. */
const QUIET = 60_000;

export interface NoticingDeps {
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly logger: Logger;
  readonly workflowId: (userId: string) => string;
  /** A signal for such a user. */
  readonly onSplit: () => void;
}

export function noticingSplitUsers(signaller: Signaller, { clock, logger, workflowId, onSplit }: NoticingDeps): Signaller {
  const places = new UserPlaces(REMEMBERED);
  let said = -Infinity;
  return {
    ...signaller,
    signal(userId, batch) {
      const before = places.meet(userId, batch.partition);
      if (before !== undefined) {
        onSplit();
        if (clock.elapsed() - said >= QUIET) {
          said = clock.elapsed();
          logger.warn(
            { workflowId: workflowId(userId), partitions: [before, batch.partition] },
            'a user is met in two partitions, so what is late for it and in which order it comes is not certain: let all producers use one partitioner and one form of the key, bare or in double quotes (docs/operations.md, "Users in two partitions")',
          );
        }
      }
      return signaller.signal(userId, batch);
    },
  };
}
