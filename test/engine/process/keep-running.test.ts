/** What ends a bridge or a worker for good, and what it waits for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import { keepRunning } from '../../../src/engine/process/keep-running.ts';
import { silentLogger } from '../../../src/engine/log.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const MISSING = new CodedError('TOPIC', 'these topics must exist with the same number of partitions: wallet has 0');

/** Each attempt: whether it comes to work, and how it ends. The last one ends when it is told to stop. */
async function run(
  attempts: readonly { works: boolean; error: Error }[],
): Promise<{ problems: string[]; made: number }> {
  const stopping = new AbortController();
  const problems: string[] = [];
  let made = 0;
  await keepRunning({
    clock: Object.assign(new ManualClock(), { sleep: async () => undefined }),
    logger: silentLogger(),
    stopping: stopping.signal,
    message: 'again',
    onProblem: (problem) => problems.push(problem),
    async attempt(works) {
      const attempt = attempts[made];
      made += 1;
      if (attempt === undefined) return stopping.abort();
      if (attempt.works) works();
      throw attempt.error;
    },
  });
  return { problems, made };
}

test('a topic that is missing at the start ends the process with what to do', async () => {
  await assert.rejects(run([{ works: false, error: MISSING }]), MISSING);
});

test('a broker that does not know a topic that was there before, as when it lags behind or has just started: waited for, and named', async () => {
  const { problems, made } = await run([
    { works: true, error: MISSING },
    { works: false, error: MISSING },
  ]);
  assert.deepEqual(problems, [MISSING.message, MISSING.message]);
  assert.equal(made, 3);
});

test('a broker that is away at the start is waited for; what was worked out since then says that a missing topic is missing', async () => {
  await assert.rejects(
    run([
      { works: false, error: new CodedError('KAFKA', 'away') },
      { works: false, error: MISSING },
    ]),
    MISSING,
  );
});

for (const code of ['CONFIG', 'LIBRARY'] as const) {
  test(`${code} ends it, also while it works`, async () => {
    const error = new CodedError(code, 'wrong');
    await assert.rejects(run([{ works: true, error }]), error);
  });
}
