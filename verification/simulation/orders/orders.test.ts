/** `examples/orders` under the same faults as money: each outcome once, and as its own model says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expectedOf } from './model.ts';
import { Scheduler } from '../kernel/scheduler.ts';
import { Touched } from '../touched.ts';
import { differences, runOrders } from './run.ts';

const SEEDS = 40;

describe('orders in the simulation', () => {
  it(`come out exactly once, ${SEEDS} seeds`, async () => {
    let outputs = 0;
    let faults = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const result = await runOrders(seed);
      assert.equal(result.failure, undefined, `seed ${seed}: ${result.failure}`);
      outputs += result.outputs;
      faults += result.faults;
    }
    assert.ok(outputs > 5 * SEEDS && faults > 5 * SEEDS, `${outputs} outputs, ${faults} faults`);
  });

  it('are the same for the same seed', async () => assert.deepEqual(await runOrders(3), await runOrders(3)));
});

describe('the judge of orders', () => {
  const delivered = { order: 'o', outcome: 'delivered', customer: 'ada', paid: 1, parcel: 'p' };
  const expected = new Map([['o', { ...delivered, city: 'the city of ada' }]]);
  const judged = (outcome: object, disturbed: boolean): string[] => {
    const scheduler = new Scheduler(1);
    const touched = new Touched(scheduler);
    if (disturbed) touched.begin(['everything'], 0);
    const outputs = [{ value: Buffer.from(JSON.stringify(outcome)), seenAt: scheduler.now + 60_000 }];
    return differences(outputs, expected, touched);
  };

  it('excuses an outcome without its city where faults left no time to ask, and nowhere else', () => {
    assert.deepEqual(judged(delivered, true), []);
    assert.match(judged(delivered, false).join(), /^different: /);
    assert.match(judged({ ...delivered, paid: 2 }, true).join(), /^different: /);
    assert.match(judged({ ...delivered, city: 'another' }, true).join(), /^different: /);
  });
});

describe('the model of orders', () => {
  const of = (...records: readonly object[]) =>
    expectedOf(
      records.map((record, offset) => ({ order: 'o', offset, ...record }) as Parameters<typeof expectedOf>[0][number]),
      1_000_000,
    ).get('o');
  const ordered = { input: 0, ts: 1_000, customer: 'ada', total: 100 } as const;

  it('says delivered when all is there, whatever came first', () => {
    const expected = {
      order: 'o',
      outcome: 'delivered',
      customer: 'ada',
      city: 'the city of ada',
      paid: 120,
      parcel: 'p',
    };
    const paid = { input: 1, ts: 900, amount: 120 };
    const shipped = { input: 2, ts: 2_000, parcel: 'p' };
    assert.deepEqual(of(ordered, paid, shipped), expected);
    assert.deepEqual(of(shipped, paid, ordered), expected);
  });

  it('says unpaid a minute after the order, and what was missing then', () => {
    const late = { input: 1, ts: 61_001, amount: 60 };
    assert.deepEqual(of(ordered, { input: 1, ts: 61_000, amount: 40 }, late, { input: 2, ts: 1, parcel: 'p' }), {
      order: 'o',
      outcome: 'unpaid',
      customer: 'ada',
      missing: 60,
    });
  });

  it('says nothing of what is not decided', () => {
    assert.equal(of({ input: 1, ts: 1, amount: 1 }), undefined);
    assert.equal(of(ordered, { input: 1, ts: 1_001, amount: 100 }), undefined);
  });
});
