import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saidSeldom, takesColour } from '../../src/cli/output.ts';

test('colours go to a terminal only, and not under NO_COLOR', () => {
  assert.equal(takesColour({ isTTY: true }, {}), true);
  assert.equal(takesColour({ isTTY: true }, { NO_COLOR: '' }), true);
  assert.equal(takesColour({ isTTY: true }, { NO_COLOR: '1' }), false);
  assert.equal(takesColour({ isTTY: true }, { TERM: 'dumb' }), false);
  assert.equal(takesColour({}, {}), false);
  assert.equal(takesColour({}, { FORCE_COLOR: '1' }), true);
  assert.equal(takesColour({ isTTY: true }, { FORCE_COLOR: '0' }), false);
  assert.equal(takesColour({ isTTY: true }, { FORCE_COLOR: '1', NO_COLOR: '1' }), false);
});

test('a line that may come often is said at once, and then once in ten seconds', () => {
  const said: string[] = [];
  let now = 0;
  const say = saidSeldom(
    (line) => said.push(line),
    () => now,
  );
  for (; now < 25_000; now += 1_000) say(`away at ${now}`);
  assert.deepEqual(said, ['away at 0', 'away at 10000', 'away at 20000']);
});
