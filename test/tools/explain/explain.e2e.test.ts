import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MoneyInput } from '../../../src/money/domain/events.ts';
import { program } from '../../cli/program.ts';
import { eventually } from '../../support/eventually.ts';
import { startSystem, type ProducedRecord } from '../../support/system.ts';

const USER = '11111111-2222-4333-8444-555555555555';
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const T = Date.parse('2026-01-31T10:00:00.000Z');
const at = (ms: number) => new Date(T + ms).toISOString();

function record(input: MoneyInput, type: string, ms: number, fields: string, eventId = id(500 + ms)): ProducedRecord {
  return {
    input,
    key: `"${USER}"`,
    timestamp: T + ms,
    value: `{"type":"${type}","id":"${eventId}","userId":"${USER}","processedAt":"${at(ms)}",${fields}}`,
  };
}

function money(n: number, ms: number, session: string, old = false): ProducedRecord {
  const fields = `"userSessionId":"${session}","amount":1.50,"openingBalance":1,"closingBalance":2,"currency":"EUR","moneyType":"BET","paymentRelatedThing":"x","isOldMoneyEvent":${old}`;
  return record('money', 'PaymentEvent', ms, fields, id(n));
}

const session = (sessionId: string, ms: number, country: string) =>
  record('session', 'UserSessionCreatedEvent', ms, `"clientCountryCode":"${country}"`, sessionId);

test(
  'what a real run did is explained, and agrees with what is in the output topic',
  { timeout: 180_000 },
  async (t) => {
    const system = await startSystem(t, {
      partitions: 1,
      country: 'ZZ',
      env: { ENRICHMENT_IDLE_TIMEOUT: '2s', ENRICHMENT_USER_ID_HASH_KEY: 'k'.repeat(32) },
    });
    await system.produce([
      session(id(901), 0, 'UY'),
      record('user', 'ChangeBirthDateEvent', 1_000, '"birthYear":"1990","birthCityPlace":"x"'),
      money(1, 2_000, id(901)),
      money(1, 2_500, id(901)),
      money(2, 3_000, id(901), true),
      money(3, 4_000, id(902)),
      session(id(902), 5_000, 'BR'),
    ]);
    await Promise.all([system.start('worker'), system.start('bridge')]);
    await eventually('three outputs', () => system.outputs.length >= 3, 60_000);

    const explained = async (n: number) => {
      const { code, stdout, stderr } = await program(['explain', USER, id(n), '--json'], system.env);
      assert.equal(code, 0, stderr);
      const {
        money: [one],
        ...rest
      } = JSON.parse(stdout);
      const found = system.outputs.find(({ headers }) => headers['source-offset'] === String(one.place.offset))!;
      assert.deepEqual(one.problems, []);
      assert.equal(one.output.value, String(found.value));
      assert.equal(one.published.length, 1);
      assert.equal(one.published[0].offset, found.offset);
      assert.deepEqual(one.published[0].headers, found.headers);
      assert.equal(rest.complete, true);
      return one;
    };
    const { money: wallet, session: sessions, user } = system.config.topics;
    const first = await explained(1);
    assert.deepEqual(first.decision, {
      type: 'joined',
      session: {
        topic: sessions,
        partition: 0,
        offset: 0,
        ts: at(0),
        clientCountryCode: 'UY',
        expiresAt: at(86_400_000),
      },
    });
    assert.deepEqual(first.joined, {
      userInfo: { birthYear: { topic: user, partition: 0, offset: 0, ts: at(1_000), value: '1990' } },
      firstOccurrence: true,
    });
    assert.equal(first.publication.stream, 'applied');
    assert.equal(first.publication.seq, 1);
    const old = await explained(2);
    assert.deepEqual(old.decision, { type: 'lookup', why: 'old-money' });
    assert.deepEqual(
      old.lookups.map((one: { status: string; attempts: number }) => [one.status, one.attempts]),
      [['found', 1]],
    );
    const waited = await explained(3);
    assert.equal(waited.released.by.type, 'session');
    assert.equal(waited.publication.stream, 'resolved');

    const people = await program(['explain', USER, id(1)], system.env);
    assert.match(people.stdout, /^1 of 2 records with this id\nIt came out at once, joined with its session \(UY\)\./);
    assert.match(people.stdout, new RegExp(`duplicate of +money ${id(1)} at ${wallet}/0/0, event time`));
    const trace = await program(['explain', USER, id(1), '--trace'], system.env);
    assert.equal(trace.code, 0);
    assert.match(trace.stdout, new RegExp(`^> .*${wallet}/0/1 .*dropped: a duplicate of ${wallet}/0/0$`, 'm'));

    const unknown = await program(['explain', USER, id(77)], system.env);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /^money-enrichment: no money [^\n]+ was never applied[^\n]+\n$/);
    const nobody = await program(['explain', id(5), id(77)], system.env);
    assert.match(nobody.stderr, /^money-enrichment: no workflow [^\n]+\n$/);
  },
);
