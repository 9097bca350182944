/** The brake on a real broker, by the commands that a person has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startSystem } from '../support/system.ts';
import { program } from './program.ts';

const USER = '11111111-2222-4333-8444-555555555555';
const T = Date.parse('2026-01-31T10:00:00.000Z');

const record = (n: number, value: string) => ({ input: 'money' as const, key: USER, value, timestamp: T + n });
const money = (n: number) =>
  record(
    n,
    `{"type":"PaymentEvent","id":"00000000-0000-4000-8000-${String(n).padStart(12, '0')}","userId":"${USER}","processedAt":"${new Date(T + n).toISOString()}",` +
      '"amount":1,"openingBalance":1,"closingBalance":1,"currency":"EUR","moneyType":"BET","paymentRelatedThing":"x","isOldMoneyEvent":false}',
  );

test(
  'a bad release stops its partition, doctor says so, and release lets it go on',
  { timeout: 180_000 },
  async (t) => {
    const system = await startSystem(t, {
      partitions: 1,
      env: { ENRICHMENT_BRAKE_PERCENT: '50', ENRICHMENT_BRAKE_RECORDS: '20', ENRICHMENT_IDLE_TIMEOUT: '1s' },
    });
    const bad = Array.from({ length: 40 }, (_, n) => record(10 + n, '{"type":"PaymentEvent","id":'));
    await system.produce([money(1), ...bad, money(90)]);
    await Promise.all([system.start('worker'), system.start('bridge')]);

    const release = ['dead-letters', 'release', '--topic', system.config.topics.money, '--partition', '0'];
    const would = await eventually('it has stopped', async () => {
      const { code, stdout } = await program([...release, '--dry-run'], system.env);
      return code === 0 ? stdout : undefined;
    });
    assert.match(would, /partition 0: would go on at offset 11; records before offset 4[2-9] pass the brake\n$/);
    const doctor = await program(['doctor'], system.env);
    assert.equal(doctor.code, 1);
    assert.match(doctor.stdout, /partition 0: with the record at offset 11, 11 of the last 20 records are unusable/);
    assert.equal(system.deadLetters.length, 10);

    assert.equal((await program(release, system.env)).code, 0);
    await eventually('all is processed', () => system.deadLetters.length === 40 && system.outputs.length === 2);
    const nothing = await program(release, system.env);
    assert.deepEqual([nothing.code, /the brake has stopped none/.test(nothing.stderr)], [1, true]);
  },
);
