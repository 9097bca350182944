/** The conformance suite judges a port: what it cannot try it says, and a port that breaks a promise does not pass. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SUITE = fileURLToPath(new URL('./conformance-suite.ts', import.meta.url));

/** Titles of the tests, by what became of them. */
async function judge(env: NodeJS.ProcessEnv): Promise<Record<'passed' | 'skipped' | 'failed', string[]>> {
  const { NODE_TEST_CONTEXT: _, ...rest } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', '--test-reporter', 'tap', SUITE], {
    env: { ...rest, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const judged = { passed: [] as string[], skipped: [] as string[], failed: [] as string[] };
  for (const [, not, title, skipped] of (await text(child.stdout)).matchAll(/^(not )?ok \d+ - (.*?)( # SKIP.*)?$/gm)) {
    judged[not !== undefined ? 'failed' : skipped !== undefined ? 'skipped' : 'passed'].push(
      `${title}${skipped ?? ''}`,
    );
  }
  return judged;
}

test('tests that need more than every Kafka can do are skipped, and say what they need', async () => {
  const { passed, skipped, failed } = await judge({});
  assert.deepEqual(failed, []);
  assert.ok(passed.includes('a zombie is fenced: on commit'));
  assert.ok(passed.includes('nothing comes after a stop'));
  assert.equal(passed.length + skipped.length, 29);
  assert.deepEqual(
    skipped.map((title) => title.split(' # SKIP ')[1]).sort(),
    [
      ...['deleteBefore', 'kill', 'kill', 'losing', 'losing', 'losing', 'losing'],
      ...['restart', 'restart', 'restart', 'transactionTimeout'],
    ].map((need) => `it needs ${need}`),
  );
});

test('a port that does not fence does not pass', async () => {
  const { failed } = await judge({ WITHOUT_FENCING: 'yes' });
  for (const title of ['sending to a partition that it had touched', 'on commit', 'committing offsets']) {
    assert.ok(failed.includes(`a zombie is fenced: ${title}`), failed.join('\n'));
  }
});
