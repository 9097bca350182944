import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import type { KafkaClient } from '../../../src/engine/kafka/port.ts';
import { disagreements, findPublished, type PublishedRecord } from '../../../src/tools/explain/published.ts';
import { money, session, T0, USER } from '../../money/domain/given.ts';
import { History, story } from './given.ts';

const VALUE =
  `{"money":{"id":"m","userId":"${USER}","userSessionId":"s","processedAt":"2026-01-31T10:00:00.001Z","amount":1.00,"currency":"EUR",` +
  '"closingBalance":2.00,"moneyType":"BET","isOldMoneyEvent":false},"sessionInfo":{"clientCountryCode":"UY"},"firstOccurrence":true}';
const GIVEN = new History()
  .signal(0, session(0, 's', T0), money(0, { id: 'm', ts: T0 + 1, session: 's' }))
  .task(1, 1)
  .timer(1);
const TOLD = await story('m', GIVEN);

function record(
  fields: { readonly offset?: number; readonly value?: string; readonly headers?: Record<string, string> } = {},
): PublishedRecord {
  const { offset = 5, value = VALUE, headers } = fields;
  return {
    topic: 'out',
    partition: 0,
    offset,
    timestamp: 0,
    value: Buffer.from(value),
    headers: { stream: 'applied', seq: '1', ...headers },
  };
}

test('the published record is compared with what the history gives', () => {
  assert.deepEqual(disagreements(TOLD, USER, [record()]), []);
  assert.deepEqual(disagreements(TOLD, USER, []), []);
  assert.match(
    disagreements(TOLD, USER, [record({ value: VALUE.replace('UY', 'BR') })]).join(),
    /^the value at offset 5 is not the one/,
  );
  assert.match(
    disagreements(TOLD, USER, [record({ headers: { seq: '2' } })]).join(),
    /^offset 5 is applied #2, and the history says applied #1$/,
  );
  assert.match(
    disagreements(TOLD, USER, [record({ headers: { enrichment: 'incomplete' } })]).join(),
    /^the header "enrichment" at offset 5/,
  );
  assert.match(
    disagreements(TOLD, USER, [record(), record({ offset: 9 })]).join(),
    /^it is in the output topic 2 times, at offsets 5, 9$/,
  );
});

test('an output of a duplicate is wrong; one of money that waited when the history was read is only newer', () => {
  const duplicate = { decision: { type: 'duplicate', of: { ts: T0 } } } as const;
  assert.match(disagreements(duplicate, USER, [record()]).join(), /dropped it as a duplicate$/);
  assert.deepEqual(disagreements({ decision: { type: 'pending', dueAt: T0 } }, USER, [record()]), []);
});

test('a partition that loses what it is read up to, or its leader, holds up no explanation', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const outcome = async (later: () => { start: number; end: number }): Promise<string> => {
    let asked = 0;
    const kafka = {
      partitionCounts: async () => [1],
      endOffsets: async () => [{ topic: 'out', partition: 0, ...(asked++ === 0 ? { start: 0, end: 10 } : later()) }],
      // Nothing ever comes.
      joinGroup: () => ({ start: async () => undefined, stop: async () => undefined }),
    } as unknown as KafkaClient;
    const found = findPublished(
      kafka,
      { appId: 'app', topic: 'out', userId: USER, since: undefined },
      new Set(['0/0/0']),
    ).then(
      (records) => `${records?.size} records`,
      (error: unknown) => String(error),
    );
    for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(5_000);
    return found;
  };
  assert.equal(await outcome(() => ({ start: 10, end: 10 })), '0 records');
  assert.equal(
    await outcome(() => {
      throw new CodedError('KAFKA', 'out, partition 0 has no leader');
    }),
    'CodedError: out, partition 0 has no leader',
  );
});
