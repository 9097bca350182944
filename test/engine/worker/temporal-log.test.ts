/** What the SDK logs, as a worker passes it on. Expected: the texts that SDK Core 1.24 was seen to log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporalLog } from '../../../src/engine/worker/temporal-log.ts';
import type { Logger } from '../../../src/engine/log.ts';

const FAILURE =
  'Failure { failure: Some(Failure { message: "Publishing 3 applied outputs from 5 on: \\"shard 2\\" is not ours", source: "TypeScriptSDK", stack_trace: "secret.js:1" }), force_cause: Unspecified }';

function log() {
  const lines: { level: string; details: Record<string, unknown>; message: string }[] = [];
  const line = (level: string) => (details: Record<string, unknown>, message: string) =>
    void lines.push({ level, details, message });
  let at = 0;
  let lost = 0;
  const logger = temporalLog({ warn: line('warn'), error: line('error') } as unknown as Logger, {
    now: () => at,
    onTaskLost: () => (lost += 1),
  });
  return {
    lines,
    logger,
    pass: (ms: number) => (at += ms),
    get lost() {
      return lost;
    },
  };
}

test('a task that fails says why, without the stack', () => {
  const { lines, logger } = log();
  logger.warn('Failing workflow task', { sdkComponent: 'core', runId: 'r', failure: FAILURE });
  const [{ details, message }] = lines as [(typeof lines)[number]];
  assert.equal(message, 'Failing workflow task');
  assert.equal(details['failure'], 'Publishing 3 applied outputs from 5 on: \\"shard 2\\" is not ours');
  assert.equal(details['runId'], 'r');
  assert.doesNotMatch(JSON.stringify(details), /secret/);
});

test('the same message comes once in 10 s, with the number of times', () => {
  const { lines, logger, pass } = log();
  for (let n = 0; n < 4; n += 1) logger.warn('Failing workflow task', { failure: FAILURE });
  pass(10_000);
  logger.warn('Failing workflow task', { failure: FAILURE });
  assert.deepEqual(
    lines.map(({ details }) => details['timesBefore']),
    [undefined, 3],
  );
});

test('a task that was lost is counted, and what is as it should be is not said', () => {
  const seen = log();
  seen.logger.warn('Task not found when completing', {});
  seen.logger.warn('[TMPRL1104] r:1:1 Workflow task duration exceeded 5 seconds.', {});
  assert.deepEqual([seen.lost, seen.lines.length], [1, 0]);
});
