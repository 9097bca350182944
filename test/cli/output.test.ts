import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byPartition, saidSeldom, takesColour } from '../../src/cli/output.ts';

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

test('lines of partitions come in their order, those of one that takes long after the others', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const said: string[] = [];
  const lines = byPartition<{ partition: number }>(
    ({ partition }) => `partition ${partition}`,
    (line) => said.push(line),
  );
  for (const partition of [2, 0, 3]) lines.add({ partition });
  assert.deepEqual(said, []);
  t.mock.timers.tick(1_000);
  assert.deepEqual(said, ['partition 0', 'partition 2', 'partition 3']);
  lines.add({ partition: 1 });
  lines.end();
  assert.deepEqual(said.slice(3), ['partition 1']);
  t.mock.timers.tick(5_000);
  assert.equal(said.length, 4);
});
