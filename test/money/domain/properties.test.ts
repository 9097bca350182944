/** Laws of the fold, on dense input: few ids, short times to live, many ties, repeats and late records. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { advance, applyBatch, passWallClock, resolveLookup } from '../../../src/money/domain/apply.ts';
import type { Answer } from '../../../src/money/domain/apply.ts';
import { INPUTS, inputOf } from '../../../src/money/domain/events.ts';
import type { Applicable, Offsets, Output, Rules } from '../../../src/money/domain/events.ts';
import { initialState } from '../../../src/money/domain/state.ts';
import type { UserState } from '../../../src/money/domain/state.ts';
import { USER, birthYear, country, money, session } from './given.ts';

const START = 1_000_000;
const FAR = START + 1_000_000;

interface Life {
  readonly rules: Rules;
  /** In the order of application: effective times never decrease. */
  readonly records: readonly Applicable[];
}

const rulesArbitrary = fc.record({
  sessionTtl: fc.integer({ min: 1, max: 12 }),
  dedupTtl: fc.integer({ min: 0, max: 12 }),
  pendingTimeout: fc.integer({ min: 1, max: 12 }),
  lookupGiveUpAfter: fc.constant(1_000),
});

const eventArbitrary = fc.record({
  kind: fc.constantFrom('money', 'money', 'money', 'old', 'plain', 'session', 'session', 'birthYear', 'country'),
  step: fc.nat(3),
  /** How far behind it is, when it is late. */
  late: fc.option(fc.integer({ min: 1, max: 40 }), { freq: 4 }),
  id: fc.nat(4),
  session: fc.nat(3),
  value: fc.nat(2),
});

const life: fc.Arbitrary<Life> = fc
  .record({ rules: rulesArbitrary, events: fc.array(eventArbitrary, { minLength: 1, maxLength: 60, size: 'max' }) })
  .map(({ rules, events }) => {
    let tau = START;
    const records = events.map((event, index): Applicable => {
      tau += event.step;
      // Applied in another order than that of the offsets.
      const offset = index ^ 3;
      const ts = event.late === null ? tau : tau - event.late;
      const late = event.late === null ? undefined : tau;
      const value = `v${event.value}`;
      switch (event.kind) {
        case 'session':
          return session(offset, `s${event.session}`, ts, value, late);
        case 'birthYear':
          return birthYear(offset, value, ts, late);
        case 'country':
          return country(offset, value, ts, late);
        default: {
          const fields = { id: `m${event.id}`, ts, type: value, old: event.kind === 'old', amount: `${index}.0` };
          return money(offset, {
            ...fields,
            ...(late === undefined ? {} : { late }),
            ...(event.kind === 'plain' ? {} : { session: `s${event.session}` }),
          });
        }
      }
    });
    return { rules, records };
  });

const seeds = fc.infiniteStream(fc.nat(99));
const context = { userId: USER, now: null };

function answerTo(sessionId: string): Answer {
  if (sessionId === 's0') return { status: 'not-found' };
  return sessionId === 's1' ? { status: 'given-up' } : { status: 'found', clientCountryCode: `of ${sessionId}` };
}

interface Outcome {
  readonly applied: Output[];
  readonly resolved: Output[];
  readonly state: UserState;
}

const byPlace = (outputs: readonly Output[]) => [...outputs].sort((a, b) => a.offset - b.offset);

/** Answers all lookups; the watermark has passed everything when `end`. */
function settle({ resolved, state }: Outcome, rules: Rules, end: boolean): void {
  if (end) advance(state, FAR, rules, context);
  for (const lookup of [...state.lookups]) {
    resolved.push(resolveLookup(state, lookup, answerTo(lookup.money.userSessionId), context));
  }
}

function start(): Outcome {
  return { applied: [], resolved: [], state: initialState() };
}

function apply(
  outcome: Outcome,
  rules: Rules,
  records: readonly Applicable[],
  lowWater: Offsets = [0, 0, 0],
  now: number | null = null,
): void {
  const effects = applyBatch(outcome.state, { partition: 0, lowWater, rules, records }, { userId: USER, now });
  outcome.applied.push(...effects.applied);
  outcome.resolved.push(...effects.resolved);
}

/** The whole life in one batch. */
function atOnce({ rules, records }: Life): Outcome {
  const outcome = start();
  apply(outcome, rules, records);
  settle(outcome, rules, true);
  return outcome;
}

function assertSameOutputs(actual: Outcome, expected: Outcome): void {
  assert.deepEqual(actual.applied, expected.applied);
  assert.deepEqual(byPlace(actual.resolved), byPlace(expected.resolved));
}

const effective = ({ ts, late }: Applicable) => late ?? ts;

describe('the fold', () => {
  it('gives the same outputs and the same state for any split into batches, with watermarks and answers in between', () => {
    fc.assert(
      fc.property(life, seeds, ({ rules, records }, seed) => {
        const expected = atOnce({ rules, records });
        const outcome = start();
        for (let at = 0; at < records.length;) {
          const size = 1 + (seed.next().value % 5);
          apply(outcome, rules, records.slice(at, at + size));
          at += size;
          const next = records[at];
          // The committed watermark never overtakes what is still to be applied.
          if (next !== undefined && seed.next().value < 30) {
            advance(outcome.state, effective(next) - (seed.next().value % 3), rules, context);
          }
          if (seed.next().value < 30) settle(outcome, rules, false);
        }
        settle(outcome, rules, true);
        assertSameOutputs(outcome, expected);
        assert.deepEqual(outcome.state, expected.state);
      }),
      { numRuns: 600 },
    );
  });

  it('gives the same for any redelivery, below the low water and above it', () => {
    fc.assert(
      fc.property(life, seeds, ({ rules, records }, seed) => {
        const expected = atOnce({ rules, records });
        const outcome = start();
        const places = INPUTS.map((input) =>
          records.filter(({ event }) => inputOf(event) === input).map(({ offset }) => offset),
        );
        let repeated = 0;
        for (let at = 0; at < records.length;) {
          const size = 1 + (seed.next().value % 5);
          const part = records.slice(at, at + size);
          at += size;
          const again: Applicable[] = [];
          for (const record of records.slice(0, at - size)) {
            // A restart may find a record late that was on time.
            if (seed.next().value < 15) {
              again.push(seed.next().value < 50 ? record : { ...record, late: effective(record) });
            }
          }
          repeated += again.length;
          // Everything of this user below was acknowledged: below the least offset that is not applied yet.
          const toCome = records.slice(at - size);
          const lowWater = INPUTS.map((input, index) => {
            const open = toCome.filter(({ event }) => inputOf(event) === input).map(({ offset }) => offset);
            return seed.next().value < 50 ? 0 : Math.min(...open, Math.max(0, ...places[index]!) + 1);
          }) as unknown as Offsets;
          apply(outcome, rules, [...again, ...part, ...part.slice(0, 1)], lowWater);
          repeated += 1;
        }
        settle(outcome, rules, true);
        assertSameOutputs(outcome, expected);
        assert.equal(outcome.state.counters.redeliveriesDropped, repeated);
        const rest = ({ redelivery: _, counters: { redeliveriesDropped: __, ...counters }, ...state }: UserState) => ({
          ...state,
          counters,
        });
        assert.deepEqual(rest(outcome.state), rest(expected.state));
      }),
      { numRuns: 600 },
    );
  });

  it('puts out each money applied exactly once, and knows the rest as pending', () => {
    fc.assert(
      fc.property(life, ({ rules, records }) => {
        const outcome = start();
        apply(outcome, rules, records);
        settle(outcome, rules, false);
        const pending = Object.values(outcome.state.pending).flat();
        const places = [...outcome.applied, ...outcome.resolved, ...pending].map(({ offset }) => offset);
        assert.equal(new Set(places).size, places.length);
        const { moneyApplied, duplicatesDropped } = outcome.state.counters;
        assert.equal(places.length, moneyApplied);
        assert.equal(moneyApplied + duplicatesDropped, records.filter(({ event }) => event.type === 'money').length);
        const byOffset = new Map(records.map((record) => [`${inputOf(record.event)} ${record.offset}`, record.event]));
        for (const { offset, enriched } of [...outcome.applied, ...outcome.resolved]) {
          assert.deepEqual(byOffset.get(`money ${offset}`), { type: 'money', money: enriched.money });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('applies the same whatever the wall clock does and whenever lookups are answered', () => {
    fc.assert(
      fc.property(life, seeds, ({ rules, records }, seed) => {
        const expected = atOnce({ rules, records });
        const outcome = start();
        let now = 5_000_000;
        for (const record of records) {
          now += seed.next().value % 6;
          apply(outcome, rules, [record], [0, 0, 0], now);
          if (seed.next().value < 40) passWallClock(outcome.state, rules, { userId: USER, now });
          if (seed.next().value < 40) settle(outcome, rules, false);
        }
        settle(outcome, rules, true);
        assert.deepEqual(outcome.applied, expected.applied);
        // The same money, each once; only the session info may come from elsewhere.
        const withoutSession = (outputs: readonly Output[]) =>
          byPlace(outputs).map(({ offset, enriched: { sessionInfo: _, ...enriched } }) => ({ offset, enriched }));
        assert.deepEqual(withoutSession(outcome.resolved), withoutSession(expected.resolved));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps its state within the bounds that it states', () => {
    fc.assert(
      fc.property(life, seeds, ({ rules, records }, seed) => {
        const outcome = start();
        for (let at = 0; at < records.length;) {
          const size = 1 + (seed.next().value % 4);
          apply(outcome, rules, records.slice(at, at + size));
          at += size;
          assertBounded(outcome.state, rules, records.slice(0, at));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is empty of everything that expires when time has passed', () => {
    fc.assert(
      fc.property(life, (given) => {
        const { state } = atOnce(given);
        assert.deepEqual([state.sessions, state.dedup, state.pending, state.lookups], [{}, {}, {}, []]);
        assert.ok(state.birthYear.length <= 1 && state.residentCountryCode.length <= 1);
        assert.ok(state.moneyTypes.length <= 3);
      }),
      { numRuns: 300 },
    );
  });

  it('goes on the same from its state as JSON', () => {
    fc.assert(
      fc.property(life, fc.nat(60), fc.boolean(), ({ rules, records }, cut, withClock) => {
        const now = withClock ? 5_000_000 : null;
        const one = start();
        apply(one, rules, records.slice(0, cut), [0, 0, 0], now);
        const state = JSON.parse(JSON.stringify(one.state)) as UserState;
        assert.deepEqual(state, one.state);
        const other: Outcome = { applied: [...one.applied], resolved: [...one.resolved], state };
        for (const outcome of [one, other]) {
          apply(outcome, rules, records.slice(cut), [0, 0, 0], now);
          passWallClock(outcome.state, rules, { userId: USER, now: 5_000_010 });
          settle(outcome, rules, true);
        }
        assert.deepEqual(other, one);
      }),
      { numRuns: 300 },
    );
  });
});

/** The bounds of the head comments of src/money/domain/state.ts, after a batch. */
function assertBounded(state: UserState, rules: Rules, applied: readonly Applicable[]): void {
  const tau = state.tau!;
  for (const field of ['birthYear', 'residentCountryCode'] as const) {
    const recent = state[field].filter(({ ts }) => ts > tau - rules.sessionTtl);
    assert.ok(
      state[field].length <= recent.length + 1,
      `${field}: ${state[field].length} changes, ${recent.length} within the TTL`,
    );
  }
  for (const { ts } of Object.values(state.sessions)) assert.ok(tau <= ts + 2 * rules.sessionTtl);
  for (const ts of Object.values(state.dedup)) assert.ok(tau <= ts + rules.dedupTtl);
  for (const [sessionId, waiting] of Object.entries(state.pending)) {
    assert.ok(waiting.length > 0);
    for (const {
      dueAt,
      money: { userSessionId },
    } of waiting) {
      assert.ok(tau <= dueAt);
      assert.equal(userSessionId, sessionId);
    }
  }
  assert.equal(new Set(state.moneyTypes).size, state.moneyTypes.length);
  const { above } = state.redelivery['0']!;
  INPUTS.forEach((input, index) => {
    const offsets = applied.filter(({ event }) => inputOf(event) === input);
    assert.ok(above[index]!.length <= 2 * offsets.length);
  });
}
