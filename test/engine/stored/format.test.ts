import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { initialState } from '../../../src/money/domain/state.ts';
import type { LedgerEntry } from '../../../src/engine/workflow/ledger-types.ts';
import type { Start } from '../../../src/money/domain/types.ts';
import { CodedError } from '../../../src/engine/errors.ts';
import { fingerprintOf } from '../../../src/engine/stored/fingerprint.ts';
import { stateFormat, StoredFormat, stateFormatOf } from '../../../src/engine/stored/format.ts';
import {
  releasedSchemas,
  todaysSchemas,
  type FieldSchema,
  type SchemaFile,
} from '../../../src/engine/stored/schema.ts';

const format = stateFormat();
const codeIs = (code: string) => (error: unknown) => error instanceof CodedError && error.code === code;

const MONEY = {
  id: 'a0000000-0000-4000-8000-000000000001',
  ts: 1_700_000_000_123,
  amount: '0.10',
  currency: 'EUR',
  closingBalance: '1E+2',
  moneyType: 'ünï \ud800',
  isOldMoneyEvent: false,
};
const WAITING = {
  partition: 3,
  offset: 9_007_199_254_740_990,
  money: { ...MONEY, userSessionId: 's-1' },
  firstOccurrence: true,
};
const RULES = { sessionTtl: 86_400_000, dedupTtl: 60_000, pendingTimeout: 3_600_000, lookupGiveUpAfter: 600_000 };

const FULL: Start = {
  userId: 'u-1',
  life: {
    incarnation: { startedAt: 1, runId: 'run' },
    rules: RULES,
    partition: 3,
    published: { applied: 7, resolved: 2 },
    unpublished: [
      {
        partition: 0,
        offset: 1,
        enriched: {
          userId: 'u-1',
          money: MONEY,
          userInfo: { birthYear: '1980' },
          sessionInfo: { clientCountryCode: 'UY' },
          firstOccurrence: false,
        },
        incomplete: true,
      },
      { partition: 0, offset: 2, enriched: { userId: 'u-1', money: MONEY, firstOccurrence: true } },
    ],
    user: {
      tau: -5,
      redelivery: {
        3: { lowWater: [1, 2, 3], above: [[], [4, 6], [10, 11, 20, 21]] },
        12: { lowWater: [0, 0, 0], above: [[], [], []] },
      },
      birthYear: [{ ts: 1, offset: 2, value: '1980' }],
      residentCountryCode: [],
      sessions: { 's-1': { ts: 5, offset: 6, clientCountryCode: '' } },
      dedup: { a: 1, 'b\udc00': 2 },
      moneyTypes: ['x', 'y'],
      pending: {
        's-2': [
          { ...WAITING, dueAt: 12, wallDueAt: 13, userInfo: { residentCountryCode: 'DE' } },
          { ...WAITING, dueAt: 14 },
        ],
      },
      lookups: [{ ...WAITING, giveUpAt: 99 }, WAITING],
      counters: {
        moneyApplied: 1,
        duplicatesDropped: 2,
        redeliveriesDropped: 3,
        late: 4,
        joined: 5,
        lookedUp: 6,
        incomplete: 7,
        moneyByCurrency: { EUR: 1 },
        duplicatesForgotten: 8,
        sessionsForgotten: 9,
        pendingHurried: 10,
        changesForgotten: 11,
        moneyTypesForgotten: 12,
        notOurs: 13,
        resets: 14,
      },
    },
  },
};

describe('the format of stored state', () => {
  it('has the fingerprints of the Avro specification', () => {
    // As Java's SchemaNormalization.fingerprint64 has them.
    assert.equal(fingerprintOf('"null"').readBigInt64LE(), 7_195_948_357_588_979_594n);
    assert.equal(fingerprintOf('"int"').readBigInt64LE(), 8_247_732_601_305_521_295n);
  });

  it('gives back every kind of state as it was, absent properties absent', () => {
    const empty: Start = { userId: 'u-2', life: { ...FULL.life!, rules: null, unpublished: [], user: initialState() } };
    for (const value of [FULL, empty, { userId: 'u-3' }] satisfies Start[]) {
      const bytes = format.encode('Start', value);
      assert.deepEqual([...bytes.subarray(0, 2)], [0xc3, 0x01]);
      assert.deepEqual(format.decode(bytes), { name: 'Start', value });
    }
    const entries: LedgerEntry[] = [
      { incarnation: { startedAt: 5, runId: 'r' } },
      { incarnation: { startedAt: 5, runId: 'r' }, resolved: { seq: 1, partition: 2, offset: 3 } },
    ];
    for (const value of entries) {
      assert.deepEqual(format.decode(format.encode('LedgerEntry', value)), { name: 'LedgerEntry', value });
    }
  });

  it('gives back every batch of events as it was', () => {
    const text = fc.string({ unit: 'grapheme' });
    const long = fc.integer({ min: -(2 ** 52), max: 2 ** 53 - 2 });
    const event = fc.oneof(
      fc.record(
        {
          type: fc.constant('money'),
          money: fc.record(
            {
              id: text,
              userSessionId: text,
              ts: long,
              amount: text,
              currency: text,
              closingBalance: text,
              moneyType: text,
              isOldMoneyEvent: fc.boolean(),
            },
            {
              requiredKeys: ['id', 'ts', 'amount', 'currency', 'closingBalance', 'moneyType', 'isOldMoneyEvent'],
              noNullPrototype: true,
            },
          ),
        },
        { noNullPrototype: true },
      ),
      fc.record({ type: fc.constant('birthDate'), birthYear: text }, { noNullPrototype: true }),
      fc.record({ type: fc.constant('address'), residentCountryCode: text }, { noNullPrototype: true }),
      fc.record({ type: fc.constant('session'), sessionId: text, clientCountryCode: text }, { noNullPrototype: true }),
    );
    const record = fc.record(
      { offset: long, ts: long, late: long, event },
      { requiredKeys: ['offset', 'ts', 'event'], noNullPrototype: true },
    );
    const batch = fc.record(
      {
        partition: fc.nat(),
        lowWater: fc.tuple(long, long, long),
        rules: fc.constant(RULES),
        records: fc.array(record),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(batch, (value) => assert.deepEqual(format.decode(format.encode('EventBatch', value)).value, value)),
      { numRuns: 200 },
    );
  });

  it('is smaller than JSON', () => {
    assert.ok(format.encode('Start', FULL).length < JSON.stringify(FULL).length / 2);
  });

  it('says that a value of a newer schema needs a newer version', () => {
    const bytes = Buffer.from(format.encode('Start', FULL));
    bytes[5]! ^= 0xff;
    assert.throws(() => format.decode(bytes), codeIs('NEWER_STATE'));
  });

  it('refuses bytes that are none of ours, and values that do not fit, without quoting them', () => {
    assert.throws(() => format.decode(Buffer.from('{"userId":"u-1"}')), codeIs('DIVERGENCE'));
    assert.throws(() => format.decode(format.encode('Start', FULL).subarray(0, 40)), codeIs('DIVERGENCE'));
    const wrong = { userId: 'secret-user', life: { ...FULL.life, partition: 'secret' } };
    assert.throws(
      () => format.encode('Start', wrong),
      (error: Error) => /Start .*, at life/.test(error.message) && !error.message.includes('secret'),
    );
    assert.throws(() => format.encode('Nothing', {}), codeIs('CONFIG'));
  });

  it('reads what an earlier release wrote: new fields get their defaults', () => {
    const earlier = todaysSchemas();
    const today = withField(earlier, 'Counters', { name: 'refunds', type: 'long', default: 0 });
    const [before, now] = [new StoredFormat(earlier, []), new StoredFormat(today, [{ ...earlier, version: '0.0.1' }])];
    const read = now.decode(before.encode('Start', FULL)).value as Start;
    assert.deepEqual(read.life!.user.counters, { ...FULL.life!.user.counters, refunds: 0 });
    assert.deepEqual({ ...read.life!.user, counters: null }, { ...FULL.life!.user, counters: null });
    // And the other way round it does not: a roll-back meets state that it does not know.
    assert.throws(() => before.decode(now.encode('Start', read)), codeIs('NEWER_STATE'));
  });

  it('does not start with schemas that cannot read what a release wrote', () => {
    const earlier = todaysSchemas();
    const today = withField(earlier, 'Counters', { name: 'refunds', type: 'long' });
    assert.throws(() => new StoredFormat(today, [{ ...earlier, version: '0.0.1' }]), codeIs('CONFIG'));
  });

  it('of an older version, in a process of this one: reads what either wrote, and writes what the older one can read', () => {
    const older = releasedSchemas().find(({ version }) => version === '0.1.0')!;
    const olderFormat = stateFormatOf(older);
    const known = new StoredFormat(older, []);
    const { moneyApplied, duplicatesDropped, redeliveriesDropped, late, joined, lookedUp, incomplete } =
      FULL.life!.user.counters;
    const counters = { moneyApplied, duplicatesDropped, redeliveriesDropped, late, joined, lookedUp, incomplete };
    const asOlder = { ...FULL, life: { ...FULL.life!, user: { ...FULL.life!.user, counters } } };
    assert.deepEqual(olderFormat.decode(format.encode('Start', FULL)).value, asOlder);
    const written = olderFormat.encode('Start', asOlder);
    assert.deepEqual(known.decode(written).value, asOlder);
    assert.deepEqual(format.decode(written).value, {
      ...FULL,
      life: { ...FULL.life!, user: { ...FULL.life!.user, counters: { ...initialState().counters, ...counters } } },
    });
  });

  it('of another version, which cannot read what this one writes, says so for that only', () => {
    const other = stateFormatOf(
      withField({ ...todaysSchemas(), version: 'other' }, 'Start', { name: 'needed', type: 'string' }),
    );
    assert.throws(() => other.decode(format.encode('Start', FULL)), codeIs('NEWER_STATE'));
    const value = { ...FULL, needed: 'x' };
    assert.deepEqual(other.decode(other.encode('Start', value)).value, value);
  });
});

function withField({ version, records }: SchemaFile, name: string, field: FieldSchema): SchemaFile {
  return {
    version,
    records: records.map((record) =>
      record.name === name ? { ...record, fields: [...record.fields, field] } : record,
    ),
  };
}
