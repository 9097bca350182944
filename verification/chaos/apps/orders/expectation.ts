/** What the independent model says of orders. There is one output of an order, if any. */
import { expectedOf, type OrderRecord } from '../../../simulation/orders/model.ts';
import type { JavaRecord } from '../../reader.ts';
import type { Expectation } from '../app.ts';

/** `topics`: of the inputs. `outputs`: in place of an answer, that there is none is right, where it says so. */
export function expectationOf(
  inputs: readonly JavaRecord[],
  topics: readonly string[],
  outputs: readonly JavaRecord[] = [],
): Expectation {
  const records: OrderRecord[] = [];
  const deadLetters: Expectation['deadLetters'][number][] = [];
  for (const { topic, partition, offset, value } of inputs) {
    const { at, ...fields } = JSON.parse(String(value)) as { readonly order: unknown; readonly at?: string };
    if (typeof fields.order !== 'string' || at === undefined) {
      deadLetters.push({ topic, partition, offset, reason: 'invalid' });
      continue;
    }
    const input = topics.indexOf(topic) as OrderRecord['input'];
    records.push({ ...(fields as { readonly order: string }), input, offset, ts: Date.parse(at) });
  }
  const until = records.reduce((latest, { ts }) => Math.max(latest, ts), 0);
  const givenUp = new Set(
    outputs.filter(({ value }) => !String(value).includes('"city"')).map(({ key }) => String(key)),
  );
  const expected = [...expectedOf(records, until)].map(([order, outcome]) =>
    givenUp.has(order) && 'city' in outcome
      ? ([order, { ...outcome, city: undefined }] as const)
      : ([order, outcome] as const),
  );
  const count = (what: string): number =>
    expected.filter(([, outcome]) => (outcome as { readonly outcome?: string }).outcome === what).length;
  return {
    outputs: expected.map(([order, outcome]) => ({ place: `order ${order}`, content: JSON.stringify(outcome) })),
    itemOf: ({ key, value }) => ({ place: `order ${String(key)}`, content: String(value) }),
    isInOrder: () => false,
    deadLetters,
    facts: [
      `orders: ${new Set(records.map(({ order }) => order)).size}; delivered: ${count('delivered')}, unpaid: ${count('unpaid')}${outputs.length === 0 ? '' : `; questions given up: ${givenUp.size}`}`,
    ],
  };
}
