/** The SQL of docs/export.md, as it stands there, over three users. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import initSqlJs from 'sql.js';

const ANNA = '00000000-0000-4000-8000-00000000000a';
const BERT = '00000000-0000-4000-8000-00000000000b';
const CARL = '00000000-0000-4000-8000-00000000000c';

const money = (id: string, ts: number, amount: string, currency: string) => ({
  partition: 0,
  offset: 1,
  money: { id, userSessionId: `session of ${id}`, ts, amount, currency },
});
const user = (userId: string, rest: object, counters: object) => ({
  userId,
  life: { user: { dedup: {}, pending: {}, lookups: [], ...rest, counters } },
});

const USERS = [
  user(
    ANNA,
    {
      dedup: { m1: 1, m2: 2 },
      pending: { s1: [money('m1', 1_767_571_260_000, '10.50', 'EUR'), money('m2', 1_767_571_261_000, '1E+2', 'SEK')] },
    },
    { moneyApplied: 10, lookedUp: 1, incomplete: 0, moneyByCurrency: { EUR: 9, SEK: 1 } },
  ),
  user(
    BERT,
    { lookups: [money('m3', 1_767_571_259_000, '7', 'EUR')] },
    { moneyApplied: 10, lookedUp: 2, incomplete: 1, moneyByCurrency: { EUR: 10 } },
  ),
  user(CARL, {}, { moneyApplied: 0, lookedUp: 0, incomplete: 0, moneyByCurrency: {} }),
];

const questions = [
  ...readFileSync(new URL('../../../docs/export.md', import.meta.url), 'utf8').matchAll(/```sql\n([^]*?)```/g),
].map(([, sql]) => sql!);

const SIZES = USERS.map((one) => JSON.stringify(one).length);
const ANSWERS = [
  [
    [BERT, 'session service', 'm3', 'session of m3', '7 EUR', '2026-01-05 00:00:59'],
    [ANNA, 'session event', 'm1', 'session of m1', '10.50 EUR', '2026-01-05 00:01:00'],
    [ANNA, 'session event', 'm2', 'session of m2', '1E+2 SEK', '2026-01-05 00:01:01'],
  ],
  [[BERT, 10, 2, 1]],
  [
    ['EUR', 19, 2],
    ['SEK', 1, 1],
  ],
  [
    [ANNA, SIZES[0], 2],
    [BERT, SIZES[1], 0],
    [CARL, SIZES[2], 0],
  ],
];

test('the questions of docs/export.md have the right answers', async () => {
  const { Database } = await initSqlJs();
  const database = new Database();
  database.run('CREATE TABLE users (user TEXT)');
  for (const one of USERS) database.run('INSERT INTO users VALUES (?)', [JSON.stringify(one)]);
  assert.equal(questions.length, ANSWERS.length);
  questions.forEach((sql, index) => assert.deepEqual(database.exec(sql)[0]!.values, ANSWERS[index], sql));
  database.close();
});
