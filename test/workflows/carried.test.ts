/** What continue-as-new carries, against the payload that Temporal would get. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultPayloadConverter } from '@temporalio/common';
import { applyBatch, resolveLookup } from '../../src/money/domain/apply.ts';
import { BOUNDS } from '../../src/money/domain/bounds.ts';
import type { Applicable } from '../../src/money/domain/types.ts';
import { dataConverter } from '../../src/engine/temporal/payload-codec.ts';
import { canBeCarried as fits, hasRoomFor as roomFor, MAX_BYTES } from '../../src/engine/workflow/entity/room.ts';
import { carriedBytes } from '../../workflows/carried.ts';
import { couldBeCarried, forgetOldestDuplicates, makeItFit } from '../../workflows/earlier-releases.ts';
import { userEntity } from '../../workflows/user-entity.ts';
import { newLife, type Life } from '../../workflows/life.ts';
import { stored } from '../../src/engine/workflow/mark.ts';
import { birthYear, country, DAY, HOUR, money, RULES, session, T0, USER } from '../money/domain/given.ts';

/** Of all payloads of a command. */
const TEMPORAL_TAKES = 2_097_152;
const rules = { ...RULES, bounds: BOUNDS };
const uuid = (n: number, kind = 'a'): string =>
  `${kind}0000000-0000-4000-8000-${((n * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0')}${n.toString(16).padStart(4, '0').slice(-4)}`;

const canBeCarried = (life: Life): boolean => fits(userEntity, life);
const hasRoomFor = (bytes: number, life: Life): boolean => roomFor(bytes, userEntity, life);

async function payloadBytes(life: Life): Promise<number> {
  let payloads = [defaultPayloadConverter.toPayload(stored('Start', { userId: USER, life }))!];
  for (const codec of dataConverter.payloadCodecs!) payloads = await codec.encode(payloads);
  return payloads[0]!.data!.length;
}

function applied(records: Iterable<Applicable>, life = newLife({ startedAt: T0, runId: 'run' })): Life {
  life.rules = rules;
  for (const record of records) {
    life.unpublished.push(
      ...applyBatch(
        life.user,
        { partition: 3, lowWater: [0, 0, 0], rules, records: [record] },
        { userId: USER, now: T0 },
      ).resolved,
    );
  }
  for (const known of Object.values(life.user.redelivery)) known.above = [[], [], []];
  return life;
}

function* many(count: number, make: (n: number) => Applicable): Generator<Applicable> {
  for (let n = 0; n < count; n += 1) yield make(n);
}

async function assertFits(life: Life): Promise<void> {
  assert.ok(canBeCarried(life), `measured ${carriedBytes(life)}`);
  const bytes = await payloadBytes(life);
  assert.ok(
    bytes <= carriedBytes(life) + 1_000 && bytes < TEMPORAL_TAKES,
    `measured ${carriedBytes(life)}, stored ${bytes}`,
  );
}

describe('what continue-as-new carries', () => {
  it('is all of 60,000 dedup entries, and the newest of 70,000', async () => {
    const life = applied(many(70_000, (n) => money(n, { id: uuid(n), ts: T0 + Math.floor(n / 2) })));
    assert.equal(Object.keys(life.user.dedup).length, 60_000);
    assert.equal(life.user.counters.duplicatesForgotten, 10_000);
    assert.ok(!(uuid(9_999) in life.user.dedup) && uuid(10_000) in life.user.dedup);
    await assertFits(life);
  });

  it('is all of 20,000 sessions, of a user with 100,000 in a day', async () => {
    const life = applied(many(100_000, (n) => session(n, uuid(n), T0 + n * 800, 'UY')));
    assert.equal(Object.keys(life.user.sessions).length, 20_000);
    assert.equal(life.user.counters.sessionsForgotten, 80_000);
    assert.ok(!(uuid(79_999) in life.user.sessions) && uuid(80_000) in life.user.sessions);
    await assertFits(life);
  });

  it('is 10,000 pending money of a user with 50,000: the others are looked up at once, the oldest first', async () => {
    const life = applied(many(50_000, (n) => money(n, { id: uuid(n), ts: T0 + n * 60, session: uuid(n, 'b') })));
    assert.equal(Object.values(life.user.pending).flat().length, 10_000);
    assert.equal(life.user.counters.pendingHurried, 40_000);
    assert.deepEqual(
      life.user.lookups.map(({ offset }) => offset),
      Array.from({ length: 40_000 }, (_, n) => n),
    );
    // What is owed is more than can be carried: nothing more is applied, and answers make room.
    assert.ok(!canBeCarried(life) && !hasRoomFor(1, life));
    for (const lookup of life.user.lookups.slice(0, 39_000)) {
      resolveLookup(life.user, lookup, { status: 'not-found' }, { userId: USER, now: T0 });
    }
    assert.ok(hasRoomFor(100_000, life));
    await assertFits(life);
  });

  it('is the newest 1,000 changes of each field, with the longest texts as many as fit', async () => {
    const short = applied(
      many(3_000, (n) => (n % 2 === 0 ? country(n, `C${n}`, T0 + n) : birthYear(n, `${n}`, T0 + n))),
    );
    assert.deepEqual([short.user.birthYear.length, short.user.residentCountryCode.length], [1_000, 1_000]);
    assert.equal(short.user.residentCountryCode[0]!.value, 'C1000');
    await assertFits(short);
    const long = applied(
      many(4_000, (n) =>
        n % 2 === 0
          ? country(n, `\u6f22${n}`.padEnd(1_000, '\u6f22'), T0 + n)
          : birthYear(n, `${n}`.padEnd(1_000, 'x'), T0 + n),
      ),
    );
    assert.ok(long.user.birthYear.length > 200 && long.user.residentCountryCode.length > 200);
    assert.equal(long.user.birthYear.at(-1)!.offset, 3_999);
    await assertFits(long);
  });

  it('is the newest 10,000 money types; a forgotten one is a first occurrence again', async () => {
    const life = applied(many(12_000, (n) => money(n, { id: uuid(n), ts: T0 + n * 60_001, type: `TYPE-${n}` })));
    assert.deepEqual(
      [life.user.moneyTypes.length, life.user.moneyTypes[0], life.user.counters.moneyTypesForgotten],
      [10_000, 'TYPE-2000', 2_000],
    );
    const next = (offset: number, type: string): boolean[] =>
      applyBatch(
        life.user,
        {
          partition: 3,
          lowWater: [0, 0, 0],
          rules,
          records: [money(offset, { id: uuid(offset), ts: T0 + HOUR * 9_999, type })],
        },
        { userId: USER, now: T0 },
      ).applied.map(({ enriched }) => enriched.firstOccurrence);
    assert.deepEqual([next(20_000, 'TYPE-2000'), next(20_001, 'TYPE-0')], [[false], [true]]);
    await assertFits(life);
  });

  it('is something of each, when there is too much of all', async () => {
    const life = applied([
      ...many(25_000, (n) => session(n, uuid(n), T0 + n, 'UY')),
      ...many(12_000, (n) => money(n, { id: uuid(n), ts: T0 + 25_000 + n, type: 'T'.repeat(60) + n })),
      ...many(70_000, (n) => money(12_000 + n, { id: uuid(12_000 + n), ts: T0 + 40_000 + Math.floor(n / 8) })),
      ...many(3_000, (n) => country(n, 'x'.repeat(900) + n, T0 + 60_000 + n)),
      ...many(500, (n) => money(90_000 + n, { id: uuid(90_000 + n), ts: T0 + 70_000 + n, session: uuid(n, 'c') })),
    ]);
    const { dedup, sessions, moneyTypes, residentCountryCode } = life.user;
    const counts = [dedup, sessions].map((kept) => Object.keys(kept).length);
    assert.ok(
      counts[0]! > 20_000 && counts[1]! > 5_000 && moneyTypes.length > 2_000 && residentCountryCode.length > 200,
      `${counts} ${moneyTypes.length} ${residentCountryCode.length}`,
    );
    for (const lookup of life.user.lookups.slice(0)) {
      resolveLookup(life.user, lookup, { status: 'not-found' }, { userId: USER, now: T0 });
    }
    await assertFits(life);
  });

  it('is money with a text of a megabyte of digits', async () => {
    const digits = Array.from({ length: 1_048_000 }, (_, n) => ((n * n + 7) % 9) + 1).join('');
    const life = applied([money(0, { id: uuid(0), ts: T0, session: uuid(1), old: true, amount: digits })]);
    assert.ok(carriedBytes(life) < 560_000);
    await assertFits(life);
    assert.ok(hasRoomFor(530_000, life));
  });

  it('does not depend on how records are cut into batches', () => {
    const records = [
      ...many(3_000, (n) =>
        n % 3 === 0
          ? session(n, uuid(n % 700), T0 + n, 'UY')
          : money(n, { id: uuid(n % 900), ts: T0 + n, session: uuid(n % 800), type: `T${n % 60}` }),
      ),
    ];
    const small = {
      ...RULES,
      bounds: { dedupEntries: 300, sessions: 100, pending: 50, changes: 3, moneyTypes: 20, bytes: 14_000 },
    };
    const lives = [1, 7, 500].map((size) => {
      const life = newLife({ startedAt: T0, runId: 'run' });
      for (let at = 0; at < records.length; at += size) {
        applyBatch(
          life.user,
          { partition: 0, lowWater: [0, 0, 0], rules: small, records: records.slice(at, at + size) },
          { userId: USER, now: T0 },
        );
      }
      return life.user;
    });
    assert.deepEqual(lives[1], lives[0]);
    assert.deepEqual(lives[2], lives[0]);
  });
});

describe('a state of a release without bounds', () => {
  function unbounded(count: number): Life {
    const life = newLife({ startedAt: 1, runId: 'run' });
    life.rules = RULES;
    life.user.tau = T0;
    for (let n = 0; n < count; n += 1) {
      life.user.sessions[uuid(n)] = { ts: T0 - DAY + n, offset: n, clientCountryCode: 'UY' };
    }
    return life;
  }

  it('is carried as that release did, and where it gave up it is made to fit', async () => {
    const life = unbounded(90_000);
    assert.ok(!couldBeCarried(life) && !canBeCarried(life));
    makeItFit(life, { userId: USER, now: T0 });
    assert.equal(Object.keys(life.user.sessions).length, 20_000);
    await assertFits(life);
  });

  it('forgets the oldest of too many dedup entries', () => {
    const life = newLife({ startedAt: 1, runId: 'run' });
    Object.assign(life.user.dedup, { c: 3, a: 1, d: 4, b: 2 });
    assert.equal(forgetOldestDuplicates(life, 2), 2);
    assert.deepEqual(life.user.dedup, { c: 3, d: 4 });
    assert.equal(forgetOldestDuplicates(life, 2), 0);
  });

  it('may hold what could not be carried then: 34,560 sessions are far below the limit', async () => {
    const life = unbounded(34_560);
    assert.ok(!couldBeCarried(life) && canBeCarried(life));
    assert.ok((await payloadBytes(life)) < MAX_BYTES);
  });
});
