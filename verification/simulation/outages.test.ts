/** What an hour of an outage does not add, a week does not either; `npm run simulate:outages -- --days 7` runs the week. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OUTAGES, runOutage } from './outages.ts';

const LONG = 3_600_000;
/** Signals that a user is sent in half of the outage, and some. */
const GROWTH = { events: 200, bytes: 100_000 };

for (const outage of OUTAGES) {
  test(`${outage} for long: no history grows with time, and all goes on by itself and is exact`, async () => {
    const { half, end, problems } = await runOutage(outage, LONG);
    assert.deepEqual(problems, []);
    assert.ok(end.events - half.events < GROWTH.events, `${half.events} events at the half, ${end.events} at the end`);
    assert.ok(end.bytes - half.bytes < GROWTH.bytes, `${half.bytes} bytes at the half, ${end.bytes} at the end`);
  });
}

test('an output that cannot be written, and tasks that time out meanwhile: a replay publishes what was published, and all of it', async () => {
  // Found by an hour without Kafka on a busy machine; what it was is shown by test/workflows/signal-group.int.test.ts.
  for (const seed of [1, 2, 3]) assert.deepEqual((await runOutage('output unwritable', 600_000, seed)).problems, []);
});
