/** Goes through recorded runs again, with the workflow that recorded them, and tells what happened. */
import { isDeepStrictEqual } from 'node:util';
import { lifeOf, type Life } from '../../../workflows/life.ts';
import { CodedError } from '../../engine/errors.ts';
import { allPending } from '../../money/domain/pending.ts';
import type { Happening } from './happening.ts';
import { RecordFold, type InputTopics } from './record-fold.ts';
import type { RecordedRun } from './recorded.ts';
import { ToldRun } from './told-run.ts';
import { differenceWords } from './words.ts';

/**
 * Tells, in order, all that happened in these runs, oldest first. Each begins with what the run before really carried, so what
 * this code does differently does not outlive a run: `agrees` and `differs` tell of it.
 */
export async function foldRuns(
  runs: readonly RecordedRun[],
  topics: InputTopics,
  tell: (happening: Happening) => void,
): Promise<void> {
  const records = new RecordFold(topics);
  let before: ToldRun | undefined;
  for (const [index, run] of runs.entries()) {
    const told = new ToldRun(run, records, tell);
    if (before === undefined) tellBeginning(told, run, records);
    else told.tell({ type: 'run', beginning: 'next', agrees: agrees(run, before.carried) });
    const difference = await told.replay();
    if (difference !== undefined) told.tell({ type: 'differs', ...difference });
    else if (index === runs.length - 1) told.tellUnapplied();
    before = told;
  }
}

function tellBeginning(told: ToldRun, { start: { life } }: RecordedRun, records: RecordFold): void {
  told.tell({ type: 'run', beginning: life === undefined ? 'first' : 'oldest-retained' });
  if (life === undefined) return;
  const { user, unpublished } = life;
  for (const money of allPending(user.pending)) {
    told.tell({ type: 'carried', place: records.placeOf(money), waiting: { type: 'pending', money } });
  }
  for (const money of user.lookups) {
    told.tell({ type: 'carried', place: records.placeOf(money), waiting: { type: 'lookup', money } });
  }
  for (const output of unpublished) {
    told.tell({ type: 'carried', place: records.placeOf(output), waiting: { type: 'unpublished', output } });
  }
}

/** Whether the run was started with what the run before it carries, by these rules. Releases before 0.3.0 did not count runs. */
function agrees({ start }: RecordedRun, carried: object | undefined): boolean {
  const { runs, ...life } = { ...(carried as { readonly life?: Life } | undefined)?.life };
  const now = start.life?.runs === undefined ? life : { ...life, runs };
  return isDeepStrictEqual(JSON.parse(JSON.stringify(now)), JSON.parse(JSON.stringify(start.life ?? null)));
}

/** What a run is after all that is recorded of it. */
export interface Standing {
  readonly life: Life;
  /** Signals that no completed task has applied: not in `life`. */
  readonly unapplied: number;
  /** Whether nothing is being published that is neither in `life` nor known to be in Kafka. */
  readonly settled: boolean;
}

/** The newest run alone is enough: it begins with what the run before carried. Errors: CodedError CHECK_FAILED. */
export async function standingOf(run: RecordedRun): Promise<Standing> {
  const told = new ToldRun(run, new RecordFold(NO_TOPICS), () => undefined);
  const difference = await told.replay();
  if (difference !== undefined) {
    throw new CodedError('CHECK_FAILED', `run ${run.runId} of "${run.workflowId}": ${differenceWords(difference)}`);
  }
  const { start, startedAt, firstRunId } = run;
  const { life, settled } = told.sight ?? {
    life: lifeOf(start.life, { startedAt, runId: firstRunId }),
    settled: true,
  };
  return { life, unapplied: told.unapplied.length, settled };
}

/** Nothing is told, so no place is named. */
const NO_TOPICS: InputTopics = { money: '', user: '', session: '' };
