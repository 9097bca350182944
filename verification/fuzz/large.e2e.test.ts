/** Values at the limit of what a record may be, on real servers: signals, states and outputs near what Temporal takes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressChanged, moneyEvent, render, sessionCreated } from '../../src/tools/generate/event-text.ts';
import type { Field } from '../../src/tools/generate/event-text.ts';
import { Random } from '../../src/engine/random.ts';
import type { MoneyInput } from '../../src/money/domain/events.ts';
import { startSystem, type ProducedRecord } from '../../test/support/system.ts';

const START = Date.now() - 3_600_000;
const LIMIT = 1_048_576;
const iso = (ms: number) => new Date(START + ms).toISOString();

/** Digits that do not compress below two fifths of their number. */
function digits(random: Random, length: number): string {
  return Array.from({ length: Math.ceil(length / 8) }, () => `${10_000_000 + random.below(90_000_000)}`)
    .join('')
    .slice(0, length);
}

/** The record whose value has exactly `size` bytes: the field `grown` is filled up with digits, as a number or as text. */
function sized(
  random: Random,
  input: MoneyInput,
  fields: readonly Field[],
  grown: string,
  size: number,
  key: string,
  ms: number,
): ProducedRecord {
  const quote = input === 'money' ? '' : '"';
  const filled = (text: string): string =>
    render(fields.map(([name, before]): Field => [name, name === grown ? `${quote}${text}${quote}` : before]));
  const value = filled(digits(random, size - Buffer.byteLength(filled(''))));
  return { input, key: `"${key}"`, value, timestamp: START + ms };
}

test(
  'values of a mebibyte, and of one byte less and more: signals at the payload limit, the rest comes out exactly',
  { timeout: 600_000 },
  async (t) => {
    const random = new Random(41);
    const system = await startSystem(t, { partitions: 1, shards: 1 });
    const records: ProducedRecord[] = [];
    const money = (userId: string, ms: number, userSessionId: string | null, size: number) => {
      const fields = moneyEvent(
        {
          type: 'PaymentEvent',
          id: random.uuid(),
          userId,
          userSessionId,
          amount: '1.50',
          openingBalance: '0',
          closingBalance: '2',
          currency: 'EUR',
          moneyType: 'BET',
          isOldMoneyEvent: false,
        },
        iso(ms),
      ).fields;
      records.push(sized(random, 'money', fields, 'amount', size, userId, ms));
    };
    for (let user = 0; user < 4; user += 1) {
      const userId = random.uuid();
      const session = random.uuid();
      records.push(
        sized(
          random,
          'user',
          addressChanged(random.uuid(), userId, iso(10 + user), 'UY').fields,
          'address',
          LIMIT,
          userId,
          10 + user,
        ),
      );
      for (const size of [400, LIMIT - 1, LIMIT, LIMIT + 1, 150_000, 190_000, 199_000]) {
        money(userId, 1_000 + user, null, size);
      }
      if (user % 2 === 1) money(userId, 2_000 + user, session, LIMIT);
      records.push(
        sized(
          random,
          'session',
          [...sessionCreated(session, userId, iso(3_000 + user), 'UY').fields, ['ignored', '']],
          'ignored',
          LIMIT,
          userId,
          3_000 + user,
        ),
      );
    }
    await system.produce(records);
    const started = Date.now();
    await Promise.all([system.start('worker'), system.start('bridge')]);
    const expected = await system.expected();
    assert.deepEqual([expected.outputs.length, expected.deadLetters.length], [26, 4]);
    await system.matches(expected, 120_000);
    t.diagnostic(
      `${expected.outputs.length} outputs, ${expected.deadLetters.length} dead letters in ${Date.now() - started} ms`,
    );
  },
);
