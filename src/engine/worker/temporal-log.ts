import { DefaultLogger, type LogEntry } from '@temporalio/worker';
import type { Logger } from '../log.ts';
import { messageOf } from '../errors.ts';

/** ms in which a message is logged once, with the number of times that it came. */
const INTERVAL = 10_000;
/**
 * What is as it should be: the worker of questions has no workflows; tasks take as long as publishing does; and what a task that was lost had
 * begun comes to nothing.
 */
const EXPECTED = [
  'No workflows registered, not polling for workflow tasks',
  '[TMPRL1104]',
  'Tried to complete untracked local activity',
];
/** Said of a workflow task that timed out, or whose shard has moved meanwhile. */
const TASK_LOST = 'Task not found when completing';

export interface TemporalLogOptions {
  /** Epoch ms. */
  readonly now: () => number;
  readonly onTaskLost?: () => void;
}

/**
 * Temporal's log, a line a message and interval: when a shard moves, every workflow of it has the same to say. Of the
 * details only those that help to find the place; task tokens and payloads stay out.
 */
export function temporalLog(logger: Logger, { now, onTaskLost }: TemporalLogOptions): DefaultLogger {
  const seen = new Map<string, { at: number; more: number }>();
  return new DefaultLogger('WARN', ({ level, message, meta }: LogEntry) => {
    if (EXPECTED.some((start) => message.startsWith(start))) return;
    if (message === TASK_LOST) return onTaskLost?.();
    const before = seen.get(message);
    if (before !== undefined && now() - before.at < INTERVAL) {
      before.more += 1;
      return;
    }
    seen.set(message, { at: now(), more: 0 });
    const { taskQueue, workflowId, runId, activityType, attempt, error, failure } = meta ?? {};
    const details = {
      component: 'temporal',
      taskQueue,
      workflowId,
      runId,
      activityType,
      attempt,
      ...(failure === undefined ? {} : { failure: messageIn(String(failure)) }),
      ...(error === undefined ? {} : { error: messageOf(error) }),
      ...(before !== undefined && before.more > 0 ? { timesBefore: before.more } : {}),
    };
    logger[level === 'ERROR' ? 'error' : 'warn'](details, message);
  });
}

/** Why a task failed: of what the SDK's core prints of it, the message, without the stack. */
function messageIn(failure: string): string | undefined {
  return /message: "((?:[^"\\]|\\.)*)"/.exec(failure)?.[1]?.slice(0, 500);
}
