import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MoneyInput } from '../../../src/money/domain/events.ts';
import { trafficOptions } from '../../../src/tools/generate/options.ts';
import { Random } from '../../../src/engine/random.ts';
import { drive, engineOf, expectedOf, linesOf, logsOf, trafficLogs } from './given.ts';

const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const SESSION = 'a0a0a0a0-0000-4000-8000-000000000001';
const START = Date.UTC(2026, 0, 31, 10);

function record(input: MoneyInput, second: number, fields: object) {
  const ts = START + second * 1_000;
  const value = { id: USER, userId: USER, processedAt: new Date(ts).toISOString(), ...fields };
  return { input, key: `"${USER}"`, value: Buffer.from(JSON.stringify(value)), timestamp: ts };
}

function money(second: number, id: number, more: object = {}) {
  const fields = {
    type: 'PaymentEvent',
    id: moneyId(id),
    openingBalance: 1,
    currency: 'EUR',
    moneyType: 'BET',
    paymentRelatedThing: 'x',
    isOldMoneyEvent: false,
  };
  const made = record('money', second, { ...fields, amount: 'AMOUNT', closingBalance: 'BALANCE', ...more });
  return {
    ...made,
    value: Buffer.from(made.value.toString().replace('"AMOUNT"', '0.10').replace('"BALANCE"', '1E+2')),
  };
}

function moneyId(id: number): string {
  return `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`;
}

function output(second: number, id: number, rest: string, session = ''): string {
  return (
    `"${USER}" {"money":{"id":"${moneyId(id)}","userId":"${USER}",${session === '' ? '' : `"userSessionId":"${session}",`}"processedAt":"${new Date(START + second * 1_000).toISOString()}",` +
    `"amount":0.10,"currency":"EUR","closingBalance":1E+2,"moneyType":"BET","isOldMoneyEvent":false},${rest}`
  );
}

test('by hand: order of event time, a duplicate, money that waits for its session, and money whose session never comes', () => {
  const other = 'a0a0a0a0-0000-4000-8000-000000000002';
  const logs = logsOf([
    record('user', 0, { type: 'ChangeAddressEvent', address: 'a', residentCountryCode: 'DE', postalCode: 'p' }),
    money(5, 1, { userSessionId: SESSION }),
    money(3, 2),
    money(6, 1, { userSessionId: SESSION }),
    money(7, 3, { userSessionId: other }),
    record('session', 8, { type: 'UserSessionCreatedEvent', id: SESSION, clientCountryCode: 'SE' }),
  ]);
  const asked: string[] = [];
  const engine = engineOf(logs);
  const seen = drive(engine, logs, {
    sessionService: (id) => {
      asked.push(id);
      return undefined;
    },
  });
  assert.deepEqual(seen.sort(), [
    `0 ${output(5, 1, '"userInfo":{"residentCountryCode":"DE"},"sessionInfo":{"clientCountryCode":"SE"},"firstOccurrence":false}', SESSION)}`,
    `1 ${output(3, 2, '"userInfo":{"residentCountryCode":"DE"},"firstOccurrence":true}')}`,
    `3 ${output(7, 3, '"userInfo":{"residentCountryCode":"DE"},"firstOccurrence":false}', other)} incomplete`,
  ]);
  assert.deepEqual(asked, [other]);
  assert.deepEqual(engine.counts, { deadLetters: 0, duplicates: 1, late: 0 });
});

test('an input that has ended does not hold the others back', () => {
  // No session at all, and the user topic ends early: nothing but the end of the money topic may be held for it.
  const logs = logsOf([
    record('user', 0, { type: 'OtherUserEvent', somethingUtil: 'x' }),
    ...Array.from({ length: 100 }, (_, i) => money(60 * i, i + 1)),
  ]);
  const engine = engineOf(logs, { maxHeld: 2, ends: [1, 0, 100] });
  assert.equal(drive(engine, logs, { fetchSize: () => 1 }).length, 100);
});

test('records beyond the end that was taken are not there', () => {
  const logs = logsOf([money(0, 1), money(1, 2), money(2, 3)]);
  const engine = engineOf(logs, { ends: [0, 0, 2] });
  assert.deepEqual(
    drive(engine, logs)
      .map((line) => line.slice(0, 1))
      .sort(),
    ['0', '1'],
  );
});

test('three empty logs are finished at once', () => {
  const logs = logsOf([]);
  const engine = engineOf(logs);
  assert.deepEqual(drive(engine, logs), []);
  assert.deepEqual(engine.position, [0, 0, 0]);
});

test('only wanted money comes out and is looked up, but all of it counts', () => {
  const logs = logsOf([money(0, 1, { isOldMoneyEvent: true, userSessionId: SESSION }), money(100, 2), money(200, 3)]);
  const asked: string[] = [];
  const engine = engineOf(logs, { wants: ({ ts }) => ts >= START + 100_000 && ts < START + 200_000 });
  const seen = drive(engine, logs, {
    sessionService: (id) => {
      asked.push(id);
      return 'UY';
    },
  });
  // Not the first of its type: that was the money before the window.
  assert.deepEqual(seen, [`1 ${output(100, 2, '"firstOccurrence":false}')}`]);
  assert.deepEqual(asked, []);
});

test('traffic of every kind comes out as the model says, however it is fetched', () => {
  const service = (id: string) => [undefined, null, 'SE', 'UY'][Number.parseInt(id.slice(-1), 16) % 4];
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const logs = trafficLogs(
      trafficOptions({
        users: 20,
        events: 2_000,
        seed,
        start: START,
        disorder: 15_000,
        duplicates: 0.05,
        old: 0.03,
        pending: 0.05,
        late: seed % 2 === 0 ? 0.03 : 0,
        expiredSessions: 0.03,
        malformed: 0.02,
        tooLarge: false,
      }),
    );
    const expected = expectedOf(logs, {}, service);
    const random = new Random(seed);
    const runs = [
      {},
      { fetchSize: () => 1, budget: () => 1 },
      { fetchSize: () => 1_000_000, budget: () => 1_000_000 },
      { fetchSize: () => random.below(300), budget: () => 1 + random.below(200) },
    ];
    assert.ok(expected.outputs.some(({ waited }) => waited) && expected.outputs.some(({ incomplete }) => incomplete));
    for (const run of runs) {
      const engine = engineOf(logs);
      const seen = drive(engine, logs, { ...run, sessionService: service });
      assert.deepEqual(seen.sort(), linesOf(expected).sort(), `seed ${seed}`);
      assert.equal(engine.counts.deadLetters, expected.deadLetters.length);
      assert.equal(engine.counts.duplicates, expected.duplicates.length);
    }
  }
});

test('what is written already is not computed into a second output', () => {
  const logs = trafficLogs(trafficOptions({ users: 5, events: 300, seed: 9, start: START, pending: 0.1 }));
  const all = linesOf(expectedOf(logs, {}, () => 'UY'));
  const has = (line: string) => Number(line.split(' ')[0]) % 3 === 0;
  const seen = drive(engineOf(logs, { wants: ({ offset }) => offset % 3 !== 0 }), logs);
  assert.deepEqual(seen.sort(), all.filter((line) => !has(line)).sort());
});
