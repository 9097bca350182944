import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { tour, TOUR_PAGE, tourText } from './tour.ts';

test('docs/tour.md shows the walk that a record takes ("npm run tour -- --write" writes it), in at most twelve stops', async () => {
  const stops = await tour();
  assert.ok(stops.length > 0 && stops.length <= 12, `${stops.length} stops`);
  const [, shown] = readFileSync(TOUR_PAGE, 'utf8').split(/^```$/m);
  assert.equal(shown, `\n${tourText(stops)}\n`);
});

test('the same walk is recorded each time, and nothing of the watching is left behind', async () => {
  assert.deepEqual(await tour(), await tour());
});
