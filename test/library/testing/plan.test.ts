/** What comes to a workflow in a run is what the bridge may do, whatever the seed is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../src/engine/random.ts';
import { variedArrivals, VARIATIONS } from '../../../src/library/testing/plan.ts';
import { inOrder } from '../../../src/library/testing/records.ts';

const SEEDS = 300;
// Offsets do not follow event time, as when records come out of order.
const records = inOrder(
  [50, 10, 30, 20, 60, 40, 10].map((ts, index) => ({
    input: index % 2,
    ts,
    ...(index === 6 && { late: 45 }),
    event: index,
  })),
);
const PLACES = ['1:0 10', '1:1 20', '0:1 30', '1:2 40', '0:3 45', '0:0 50', '0:2 60'];

const placeOf = ({ input, offset }: { readonly input: number; readonly offset: number }) => `${input}:${offset}`;

test('records are in the order of effective time, input and offset', () => {
  assert.deepEqual(
    records.map((record) => `${placeOf(record)} ${record.late ?? record.ts}`),
    PLACES,
  );
});

test('each record comes, in order, and again only in order; low water and watermark promise nothing that is not so', () => {
  let [repeated, cuts] = [0, new Set<number>()];
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const arrivals = variedArrivals({ key: 'k', rules: 1, records, until: 70 }, new Random(seed), () => true);
    /** How many of the records have come. */
    let come = 0;
    let watermark = -Infinity;
    let at = 0;
    for (const arrival of arrivals) {
      assert.ok(arrival.at >= at);
      at = arrival.at;
      if (arrival.type === 'watermark') {
        assert.ok(arrival.to >= watermark, `seed ${seed}`);
        watermark = arrival.to;
        for (const { ts, late = ts } of records.slice(come)) assert.ok(watermark < late, `seed ${seed}`);
      }
      if (arrival.type !== 'batch') continue;
      const { batch } = arrival;
      const first = records.findIndex((record) => placeOf(record) === placeOf(batch.records[0]!));
      assert.deepEqual(batch.records, records.slice(first, first + batch.records.length));
      assert.ok(first <= come, `seed ${seed}: a record is left out`);
      for (const { input, offset } of records.slice(come)) assert.ok(offset >= batch.lowWater[input]!, `seed ${seed}`);
      repeated += first < come ? 1 : 0;
      cuts.add(batch.records.length);
      come = Math.max(come, first + batch.records.length);
    }
    assert.equal(come, records.length);
    assert.equal(watermark, 70);
  }
  assert.ok(repeated > SEEDS / 10, `${repeated} signals had records that had come before`);
  assert.deepEqual([...cuts].sort(), [1, 2, 3, 4, 5, 6, 7]);
});

test('where nothing varies, all comes at once, in one signal', () => {
  const arrivals = variedArrivals({ key: 'k', rules: 1, records, until: 70 }, new Random(1), () => false);
  assert.deepEqual(
    arrivals.map(({ type, at }) => [type, at]),
    [
      ['batch', 0],
      ['watermark', 0],
    ],
  );
  assert.equal(VARIATIONS.length, 7);
});
