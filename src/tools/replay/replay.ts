/**
 * Recorded histories against the workflow code of this build: does it give the commands that were recorded? Several at a
 * time, each lane with a replay worker of its own.
 */
import type { WorkflowBundle } from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import type { StoredRun } from '../../engine/temporal/histories.ts';
import { CodedError, messageOf } from '../../engine/errors.ts';
import { placeOf, type HistoryPlace } from './place.ts';

export interface ReplayProblem {
  readonly workflowId: string;
  readonly runId: string;
  /** `non-determinism`: other commands than recorded. `failure`: it could not be replayed, for another reason. */
  readonly kind: 'non-determinism' | 'failure';
  readonly message: string;
  /** Of the workflow task whose commands differ. */
  readonly place?: HistoryPlace;
}

export interface ReplayResult {
  readonly replayed: number;
  readonly events: number;
  readonly problems: readonly ReplayProblem[];
  /** Why there are not all: the next history could not be had. */
  readonly stopped?: unknown;
}

export interface ReplayOptions {
  readonly bundle: WorkflowBundle;
  /** As the worker's that recorded them. */
  readonly dataConverter: DataConverter;
  /** Histories at a time. */
  readonly concurrency: number;
  readonly onReplayed?: (replayed: number) => void;
}

type Code = Pick<ReplayOptions, 'bundle' | 'dataConverter'>;

const DETERMINISM = 'DeterminismViolationError';
/** Finding a place replays the beginning of a history some ten times. */
const MAX_PLACES = 10;

/** What `runs` fails with ends it, and is told beside what was found until then. */
export async function replayRuns(
  runs: AsyncIterable<StoredRun>,
  { bundle, dataConverter, concurrency, onReplayed }: ReplayOptions,
): Promise<ReplayResult> {
  const source = runs[Symbol.asyncIterator]();
  const problems: ReplayProblem[] = [];
  let replayed = 0;
  let events = 0;
  let stopped: { readonly error: unknown } | undefined;
  const nextRun = async (): Promise<StoredRun | undefined> => {
    try {
      const next = await source.next();
      return next.done === true ? undefined : next.value;
    } catch (error) {
      stopped ??= { error };
      return undefined;
    }
  };
  const lane = async (): Promise<void> => {
    const { Worker } = await import('@temporalio/worker');
    let current: StoredRun | undefined;
    const histories = async function* () {
      for (let next = await nextRun(); next !== undefined; next = await nextRun()) {
        current = next;
        // A file may not say which run it is of; the workflow needs the id of its user only from its input.
        yield { workflowId: current.workflowId, history: current.history };
      }
    };
    for await (const { error } of Worker.runReplayHistories({ workflowBundle: bundle, dataConverter }, histories())) {
      const run = current!;
      replayed += 1;
      events += run.history.events?.length ?? 0;
      onReplayed?.(replayed);
      if (error !== undefined) {
        problems.push(await problemOf(run, error, { bundle, dataConverter }, problems.length < MAX_PLACES));
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return { replayed, events, problems, ...(stopped && { stopped: stopped.error }) };
}

async function problemOf(
  { workflowId, runId, history }: StoredRun,
  error: Error,
  code: Code,
  locate: boolean,
): Promise<ReplayProblem> {
  const kind = error.name === DETERMINISM ? 'non-determinism' : 'failure';
  const message = reasonOf(error);
  if (kind === 'failure' || !locate) return { workflowId, runId, kind, message };
  const place = await placeOf(
    history,
    async (beginning) => (await replayOne(code, workflowId, beginning)) === undefined,
    // The problem is known; only its place is not, then.
  ).catch(() => undefined);
  return { workflowId, runId, kind, message, ...(place === undefined ? {} : { place }) };
}

async function replayOne(
  { bundle, dataConverter }: Code,
  workflowId: string,
  history: StoredRun['history'],
): Promise<Error | undefined> {
  const { Worker } = await import('@temporalio/worker');
  try {
    await Worker.runReplayHistory({ workflowBundle: bundle, dataConverter }, history, workflowId);
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.name === DETERMINISM) return error;
    throw new CodedError(
      'CHECK_FAILED',
      `the beginning of the history of "${workflowId}" cannot be replayed: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** What the SDK's core says, out of the dump of the structure that it stands in. */
function reasonOf(error: Error): string {
  const message = messageOf(error);
  return (/\[TMPRL1100\] (?:Nondeterminism error: )?(.*?)", source: "/s.exec(message)?.[1] ?? message).replaceAll(
    '\\"',
    '"',
  );
}
