/** The newcomer's first test: what comes of an order, whatever happens to its workflow on the way. */
import { test } from 'node:test';
import { given } from 'money-enrichment/testing';
import { orders } from './rules.js';

const ordered = { ts: 1_000, event: { type: 'ordered', customer: 'c-1', total: 500 } } as const;
const paid = (ts: number, amount: number) => ({ input: 1, ts, event: { type: 'paid', amount } }) as const;
const shipped = { input: 2, ts: 30_000, event: { type: 'shipped', parcel: 'p-1' } } as const;
const order = given(orders, { key: 'o-1', answers: (customer) => `the city of ${customer}` });

test('an order that is paid and shipped is delivered', () =>
  order
    .when([ordered, paid(2_000, 200), paid(20_000, 300), shipped])
    .emits([
      { order: 'o-1', outcome: 'delivered', customer: 'c-1', city: 'the city of c-1', paid: 500, parcel: 'p-1' },
    ]));

test('an order that is not paid within a minute is told with what is missing', () =>
  order
    .when([ordered, paid(2_000, 200), shipped, paid(61_001, 300)])
    .emits([{ order: 'o-1', outcome: 'unpaid', customer: 'c-1', missing: 300 }]));

test('the minute ends by event time alone, when nothing more comes', async () => {
  const when = (eventTime: number) => order.when([ordered, paid(2_000, 200)], { eventTime });
  await when(61_000).emits([]);
  await when(61_001).emits([{ order: 'o-1', outcome: 'unpaid', customer: 'c-1', missing: 300 }]);
});

test('what is paid in the last millisecond of the minute is paid in time', () =>
  order
    .when([ordered, shipped, paid(2_000, 200), paid(61_000, 300)])
    .emits([
      { order: 'o-1', outcome: 'delivered', customer: 'c-1', city: 'the city of c-1', paid: 500, parcel: 'p-1' },
    ]));

test('where nobody can tell the city, the outcome has none', () =>
  given(orders, { key: 'o-1' })
    .when([ordered, paid(2_000, 500), shipped])
    .emits([{ order: 'o-1', outcome: 'delivered', customer: 'c-1', paid: 500, parcel: 'p-1' }]));
