/** The checker finds what makes an entity emit something else than from the same records in one signal, and only that. */
import assert, { AssertionError } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { orders } from '../../../examples/orders/rules.ts';
import { given, type Checks, type Variation } from '../../../src/library/testing.ts';
import type { PlainEntity } from '../../../src/library/workflow.ts';

interface Parcel {
  readonly id: string;
  readonly grams: number;
}
interface Load {
  grams: number;
  seen: string[];
}
interface Told {
  readonly grams: number;
  readonly at?: number | null;
}
type Loads = PlainEntity<Load, Parcel, Told>;

/** Weighs parcels, each once, and tells the sum after each. */
const right: Loads = {
  initial: () => ({ grams: 0, seen: [] }),
  apply(state, { event }, { emit }) {
    if (state.seen.includes(event.id)) return;
    state.seen.push(event.id);
    state.grams += event.grams;
    emit({ grams: state.grams });
  },
};
const parcels = [
  { ts: 3_000, event: { id: 'c', grams: 4 } },
  { ts: 1_000, event: { id: 'a', grams: 1 } },
  { ts: 2_000, event: { id: 'b', grams: 2 } },
];
const SUMS = [{ grams: 1 }, { grams: 3 }, { grams: 7 }];

/** How the checker fails; undefined when it does not. */
async function failureOf(checked: Promise<void>): Promise<AssertionError | undefined> {
  try {
    await checked;
    return undefined;
  } catch (error) {
    assert.ok(error instanceof AssertionError, String(error));
    return error;
  }
}

describe('given an entity that keeps its promises', () => {
  it('passes, in any order of the records, also written twice', async () => {
    await given(right).when(parcels).emits(SUMS, { writtenTwice: true });
    await given(right).when(parcels.toReversed()).emits(SUMS);
    await given(right).when([]).emits([]);
  });

  it('applies a late record when the watermark has come to it, and orders equal times by input', async () => {
    const when = given(right).when([
      { input: 1, ts: 5_000, event: { id: 'second', grams: 10 } },
      { input: 0, ts: 5_000, event: { id: 'first', grams: 1 } },
      { input: 0, ts: 4_000, late: 6_000, event: { id: 'late', grams: 100 } },
    ]);
    await when.emits([{ grams: 1 }, { grams: 11 }, { grams: 111 }]);
  });

  it('fails where something else is expected, with what came out', async () => {
    const failure = await failureOf(
      given(right)
        .when(parcels)
        .emits([{ grams: 7 }]),
    );
    assert.deepEqual(failure?.actual, SUMS);
    assert.deepEqual(failure?.expected, [{ grams: 7 }]);
  });

  it('carries more than one run of a workflow takes, and outputs that are too large for history', async () => {
    const many = Array.from({ length: 300 }, (_, n) => ({ ts: n, event: { id: `${n}`, grams: 1 } }));
    const sums = many.map((_, n) => ({ grams: n + 1 }));
    await given(right).when(many).emits(sums, { runs: 5 });
    const large: PlainEntity<{ n: number }, string, { text: string }> = {
      initial: () => ({ n: 0 }),
      apply: (_, { event }, { emit }) => emit({ text: event.repeat(500_000) }),
    };
    const records = ['a', 'b', 'c'].map((event, ts) => ({ ts, event }));
    await given(large)
      .when(records)
      .emits(
        records.map(({ event }) => ({ text: event.repeat(500_000) })),
        { runs: 20 },
      );
  });

  it('lets the wall clock go on as long as it is told', async () => {
    const reminder: PlainEntity<{ due?: number }, string, { text: string }> = {
      initial: () => ({}),
      apply: (state, _, { now }) => void (state.due = now + 60_000),
      wakeAt: ({ due }) => ({ wallClock: due }),
      wallClock(state, { now, emit }) {
        if (state.due === undefined || now < state.due) return;
        delete state.due;
        emit({ text: 'a minute has gone by' });
      },
    };
    const when = (wallClock: number) => given(reminder).when([{ ts: 1, event: '' }], { wallClock });
    await when(50_000).emits([], { without: ['arrival', 'crashes'] });
    await when(70_000).emits([{ text: 'a minute has gone by' }]);
  });
});

interface Broken {
  readonly what: string;
  /** A new one, with what it hides. */
  readonly entity: () => Loads;
  /** What the failure says. */
  readonly says: RegExp;
  /** The variation that shows it, by itself; undefined where any does. */
  readonly shownBy?: Variation;
  readonly checks?: Checks;
}

const REPLAYED = /replayed, the workflow has another state/;
const OTHER = /other outputs than of the same records in one signal/;

const broken: readonly Broken[] = [
  {
    what: 'forgets on continue-as-new what it has seen, because it keeps it beside its state',
    entity() {
      const seenBy = new WeakMap<Load, Set<string>>();
      return {
        initial: right.initial,
        apply(state, { event }, { emit }) {
          const seen = seenBy.get(state) ?? new Set();
          seenBy.set(state, seen);
          if (seen.has(event.id)) return;
          seen.add(event.id);
          state.grams += event.grams;
          emit({ grams: state.grams });
        },
      };
    },
    says: OTHER,
    shownBy: 'continue-as-new',
    checks: { writtenTwice: true },
  },
  {
    what: 'keeps no track of what its producers write twice',
    entity: () => ({ ...right, apply: (state, { event }, { emit }) => emit({ grams: (state.grams += event.grams) }) }),
    says: OTHER,
    checks: { writtenTwice: true },
  },
  {
    what: 'tells the sum of what comes together',
    entity: () => ({
      ...right,
      apply(state, { event }, { now, emit }) {
        const [before] = state.seen;
        state.seen = [String(now)];
        state.grams = event.grams + (before === String(now) ? state.grams : 0);
        emit({ grams: state.grams });
      },
    }),
    says: OTHER,
    shownBy: 'arrival',
  },
  {
    what: 'tells when a record has arrived',
    entity: () => ({ ...right, apply: (_, { event }, { now, emit }) => emit({ grams: event.grams, at: now }) }),
    says: OTHER,
    shownBy: 'arrival',
  },
  {
    what: 'tells when somebody looked whether its time had come',
    entity: () => ({
      ...right,
      advance(state, { eventTime, emit }) {
        if (state.grams > 1 && !state.seen.includes('told') && eventTime! > 2_500) {
          state.seen.push('told');
          emit({ grams: state.grams, at: eventTime });
        }
      },
      wakeAt: ({ grams, seen }) => ({ eventTime: grams > 1 && !seen.includes('told') ? 2_500 : undefined }),
    }),
    says: OTHER,
    shownBy: 'watermark',
  },
  {
    what: 'counts outside of its state',
    entity() {
      let grams = 0;
      return { ...right, apply: (_, { event }, { emit }) => emit({ grams: (grams += event.grams) }) };
    },
    says: /other outputs|asks for something else|another state|is another one/,
  },
  {
    what: 'is not the same when it is replayed',
    entity: () => ({
      ...right,
      apply: (state) => void (state.grams = Math.random()),
      advance: ({ grams }, { emit }) => void (grams > 0 && emit({ grams: 0 })),
    }),
    says: REPLAYED,
    shownBy: 'crashes',
  },
];

/** What comes out when nothing varies. */
async function plainOutputsOf(entity: Loads): Promise<Told[]> {
  const failure = await failureOf(
    given(entity)
      .when(parcels)
      .emits([{ grams: -1 }], { runs: 1 }),
  );
  return failure?.actual as Told[];
}

describe('given an entity that', () => {
  for (const { what, entity, says, shownBy, checks } of broken) {
    it(`${what}: it fails, each time with the same run and the same story`, async () => {
      const expected = await plainOutputsOf(entity());
      const failure = await failureOf(given(entity()).when(parcels).emits(expected, checks));
      assert.match(String(failure?.message), says);
      const again = await failureOf(given(entity()).when(parcels).emits(expected, checks));
      if (says !== REPLAYED) assert.equal(again?.message, failure?.message);
      if (shownBy === undefined) return;
      const without = [...(checks?.without ?? []), shownBy];
      assert.equal(
        await failureOf(
          given(entity())
            .when(parcels)
            .emits(expected, { ...checks, without }),
        ),
        undefined,
      );
    });
  }
});

interface Asked {
  answers: number;
}

describe('given an entity that asks', () => {
  const asking = (
    says: (state: Asked, question: string) => Told,
  ): PlainEntity<Asked, Parcel, Told, string, number> => ({
    initial: () => ({ answers: 0 }),
    apply: (_, { event }, { ask }) => ask(event.id),
    answered(state, question, answer, { emit }) {
      state.answers += 1;
      emit({ ...says(state, question), ...(answer === undefined && { at: null }) });
    },
    questions: { activity: 'weight', giveUpAfter: 30_000 },
  });
  const answers = (id: string) => ({ a: 1, b: 2 })[id];

  it('passes in any order of answers where only that differs, and not in order', async () => {
    const when = given(
      asking((_, id) => ({ grams: id.charCodeAt(0) })),
      { answers },
    ).when(parcels);
    const told = [{ grams: 97 }, { grams: 98 }, { grams: 99, at: null }];
    await when.emits(told, { inAnyOrder: true });
    await when.emits(told.toReversed(), { inAnyOrder: true });
    assert.match(String((await failureOf(when.emits(told)))?.message), OTHER);
  });

  it('fails where what it says depends on the order of answers', async () => {
    const counts = asking((state, id) => ({ grams: 100 * state.answers + id.charCodeAt(0) }));
    const when = given(counts, { answers }).when(parcels);
    const told = [{ grams: 197 }, { grams: 298 }, { grams: 399, at: null }];
    assert.equal(await failureOf(when.emits(told, { without: ['answers'] })), undefined);
    assert.match(String((await failureOf(when.emits(told)))?.message), OTHER);
  });
});

describe('a failure', () => {
  const clock: Loads = { ...right, apply: (_, __, { now, emit }) => emit({ grams: 0, at: now % 7 }) };

  it('says the run, what happened in it, and how to repeat it alone', async () => {
    const expected = await plainOutputsOf(clock);
    const failure = await failureOf(given(clock).when(parcels).emits(expected));
    const [, run] = /^run (\d+): /.exec(failure!.message)!;
    assert.match(failure!.message, /\+\d+ ms: records 0:\d/);
    assert.match(failure!.message, new RegExp(`only: ${run} `));
    const alone = await failureOf(
      given(clock)
        .when(parcels)
        .emits(expected, { only: Number(run) }),
    );
    assert.equal(alone?.message, failure?.message);
  });

  it('names a state that is not JSON, and what a function throws', async () => {
    const aSet = { ...right, initial: () => ({ grams: 0, seen: [], all: new Set() }) };
    assert.match(
      String((await failureOf(given(aSet).when(parcels).emits(SUMS)))?.message),
      /^run 0: .*state\.all is an object of the class Set/,
    );
    const throwing: Loads = {
      ...right,
      apply() {
        throw new Error('no such parcel');
      },
    };
    assert.match(String((await failureOf(given(throwing).when(parcels).emits([])))?.message), /^run 0: no such parcel/);
  });

  it('is one for a record that is none, and for an entity that never rests', async () => {
    assert.match(
      String(
        (
          await failureOf(
            given(right)
              .when([{ ts: 1.5, event: parcels[0]!.event }])
              .emits([]),
          )
        )?.message,
      ),
      /record 0: .*ts 1\.5/,
    );
    const restless: PlainEntity<{ n: number }, string, Told, number, number> = {
      initial: () => ({ n: 0 }),
      apply: (_, __, { ask }) => ask(0),
      answered: (_, question, __, { ask }) => ask(question + 1),
      questions: { activity: 'next', giveUpAfter: 1_000 },
    };
    const when = given(restless, { answers: (n) => n }).when([{ ts: 1, event: '' }]);
    assert.match(String((await failureOf(when.emits([])))?.message), /does not come to rest/);
  });

  it('is found in the rules of the example, when they wait for no time', async () => {
    const forgetful = { ...orders, wakeAt: () => ({}) };
    const ordered = { ts: 1_000, event: { type: 'ordered', customer: 'c', total: 5 } } as const;
    const failure = await failureOf(
      given(forgetful, { key: 'o' })
        .when([ordered], { eventTime: 100_000 })
        .emits([{ order: 'o', outcome: 'unpaid', customer: 'c', missing: 5 }]),
    );
    assert.deepEqual(failure?.actual, []);
  });
});
