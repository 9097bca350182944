/** The conformance suite judges a port: what it cannot try it says, and a port that breaks a promise does not pass. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { judge } from './judge.ts';

const SUITE = fileURLToPath(new URL('./conformance-suite.ts', import.meta.url));

test('tests that need more than every Kafka can do are skipped, and say what they need', async () => {
  const { passed, skipped, failed } = await judge(SUITE);
  assert.deepEqual(failed, []);
  assert.ok(passed.includes('a zombie is fenced: on commit'));
  assert.ok(passed.includes('nothing comes after a stop'));
  assert.equal(passed.length + skipped.length, 30);
  assert.deepEqual(
    skipped.map((title) => title.split(' # SKIP ')[1]).sort(),
    [
      ...['deleteBefore', 'kill', 'kill', 'losing', 'losing', 'losing', 'losing'],
      ...['restart', 'restart', 'restart', 'transactionTimeout'],
    ].map((need) => `it needs ${need}`),
  );
});

test('a port that does not fence does not pass', async () => {
  const { failed } = await judge(SUITE, { WITHOUT_FENCING: 'yes' });
  for (const title of ['sending to a partition that it had touched', 'on commit', 'committing offsets']) {
    assert.ok(failed.includes(`a zombie is fenced: ${title}`), failed.join('\n'));
  }
});
