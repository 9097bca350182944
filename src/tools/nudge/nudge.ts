/**
 * Makes running workflows continue as new, so that they go on with the code of today: a signal that asks for it, and then waiting
 * for the runs that had it to be over. Workflows that get events do so by themselves, at the first one after a deployment.
 */
import type { Client } from '@temporalio/client';
import { NUDGE_SIGNAL, WORKFLOW_TYPE } from '../../../workflows/messages.ts';
import type { Clock } from '../../engine/clock.ts';
import { messageOf } from '../../engine/errors.ts';
import { orNothing } from '../../engine/temporal/histories.ts';

export interface NudgeOptions {
  readonly appId: string;
  /** Only this workflow. */
  readonly workflowId?: string | undefined;
  /** `<deployment>:<build id>`, as visibility has it: runs on this version are left alone. Undefined: all are nudged. */
  readonly current: string | undefined;
  /** Signals a second at most. */
  readonly rate: number;
  /** ms without any run that ends, after which it is given up. */
  readonly patience: number;
  /** Only list them. */
  readonly dryRun: boolean;
}

export interface Nudged {
  /** Runs of before. */
  readonly found: number;
  /** Workflow ids whose run of before goes on. */
  readonly left: readonly string[];
  /** Of these, whose signal the server refused; by workflow id, its words. */
  readonly refused: ReadonlyMap<string, string>;
}

interface Listed {
  readonly workflowId: string;
  readonly runId: string;
}

const POLL = 1_000;
/** Signals that are refused one after the other, and none that is not: it is none of the workflows. */
const ALL_REFUSED = 10;
const VERSION = 'TemporalWorkerDeploymentVersion';

/** Errors: those of the server, where it lists nothing or takes no signal; the reason of `stopping`. */
export async function nudge(
  client: Client,
  options: NudgeOptions,
  clock: Clock,
  stopping: AbortSignal,
  onProgress: (over: number, found: number) => void,
): Promise<Nudged> {
  const began = clock.now();
  const nudged = new Set<string>();
  const refused = new Map<string, string>();
  let left: readonly Listed[] = [];
  let next = clock.elapsed();
  let moved = next;

  /** One that is refused holds up no other: each is asked for its own. */
  const signal = async ({ workflowId, runId }: Listed): Promise<void> => {
    next = Math.max(next + 1_000 / options.rate, clock.elapsed() - 1_000);
    if (next > clock.elapsed()) await clock.sleep(next - clock.elapsed(), stopping);
    stopping.throwIfAborted();
    try {
      await orNothing(client.workflow.getHandle(workflowId, runId).signal(NUDGE_SIGNAL));
    } catch (error) {
      refused.set(workflowId, wordsOf(error));
      if (refused.size >= ALL_REFUSED && refused.size === nudged.size) throw error;
    }
  };

  for (;;) {
    const listed = await allOf(before(client, options, began));
    // Visibility is a little behind: a run may still be missing when it is listed first, or be there when it is over.
    if (listed.length < left.length || listed.some(({ runId }) => !nudged.has(runId))) moved = clock.elapsed();
    left = listed;
    for (const run of left) {
      if (nudged.has(run.runId)) continue;
      nudged.add(run.runId);
      if (options.dryRun) continue;
      await signal(run);
      // Until the last of them is signalled nothing can be said of those that were before.
      moved = clock.elapsed();
    }
    onProgress(nudged.size - left.length, nudged.size);
    if (left.length === 0 || options.dryRun || clock.elapsed() - moved > options.patience) {
      const ids = left.map(({ workflowId }) => workflowId);
      return { found: nudged.size, left: ids, refused: new Map([...refused].filter(([id]) => ids.includes(id))) };
    }
    await clock.sleep(POLL, stopping);
    stopping.throwIfAborted();
  }
}

/** The SDK's own are the same for all; the server's are behind them. */
function wordsOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? messageOf(error.cause) : messageOf(error);
}

/** Runs that were started before `time`, and are not on the current version. */
async function* before(
  client: Client,
  { appId, workflowId, current }: NudgeOptions,
  time: number,
): AsyncGenerator<Listed> {
  const one = workflowId === undefined ? '' : ` AND WorkflowId = '${workflowId}'`;
  const query = `WorkflowType = '${WORKFLOW_TYPE}' AND ExecutionStatus = 'Running' AND StartTime < '${new Date(time).toISOString()}'${one}`;
  for await (const { workflowId: id, runId, searchAttributes } of client.workflow.list({ query })) {
    const version = (searchAttributes as Readonly<Record<string, unknown>>)[VERSION];
    const isCurrent = current !== undefined && Array.isArray(version) && version[0] === current;
    if (id.startsWith(`${appId}/`) && !isCurrent) yield { workflowId: id, runId };
  }
}

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
