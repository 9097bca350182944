/** An entity that somebody wrote: what its functions are told, and what the engine is told of it. Expected by hand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainEntity, type PlainEntity } from '../../../../src/engine/workflow/entity/plain.ts';
import type { ReceivedRecord } from '../../../../src/engine/workflow/received.ts';

interface Tank {
  litres: number;
  /** Event time after which it is measured. */
  due?: number;
  told: string[];
}
interface Out {
  readonly says: string;
}

const tank: PlainEntity<Tank, number, Out, string, string> = {
  initial: (key) => ({ litres: 0, told: [`begins as ${key}`] }),
  apply(state, { event, ts, late }, step) {
    state.litres += event;
    state.due ??= ts + 10;
    state.told.push(
      `${event} at ${step.eventTime}${late === undefined ? '' : ' late'} by ${JSON.stringify(step.rules)}`,
    );
    if (event < 0) step.ask(`why ${event}`);
  },
  advance(state, { eventTime, emit }) {
    if (state.due === undefined || eventTime! <= state.due) return;
    delete state.due;
    emit({ says: `${state.litres} at ${eventTime}` });
  },
  wakeAt: ({ due }) => ({ eventTime: due }),
  answered: (_, question, answer, { emit }) => emit({ says: `${question}: ${answer ?? 'nobody knows'}` }),
  questions: { activity: 'why', giveUpAfter: 500 },
  queries: { more: ({ litres }, than: number) => litres > than },
};

const CONTEXT = { key: 'k', now: 1_000 };
const record = (offset: number, ts: number, event: number, late?: number): ReceivedRecord<number> => ({
  input: 0,
  offset,
  ts,
  event,
  ...(late !== undefined && { late }),
});
const batch = (records: readonly ReceivedRecord<number>[], lowWater = 0) => ({
  key: 'k',
  partition: 3,
  lowWater: [lowWater],
  rules: { r: 1 },
  records,
});

function begun() {
  const entity = plainEntity(tank);
  const life = entity.rules.newLife({ startedAt: 1, runId: 'run' });
  const apply = (...of: Parameters<typeof batch>) => {
    const one = batch(...of);
    life.rules = one.rules;
    life.partition = one.partition;
    return entity.rules.apply(life, one, CONTEXT);
  };
  return { entity, life, apply };
}

describe('an entity of somebody', () => {
  it('waits for nothing and says nothing before its first record', () => {
    const { life, entity } = begun();
    assert.deepEqual([entity.rules.eventTimeDue(life), entity.rules.wallClockDue(life)], [undefined, undefined]);
    const described = plainEntity<Tank, number, Out, string, string>({
      ...tank,
      describe: ({ litres }) => `${litres}`,
    });
    assert.equal(described.notes.details(life, []), '');
  });

  it('applies each record once, whatever is signalled again', () => {
    const { life, apply } = begun();
    apply([record(0, 100, 5), record(1, 105, 2)]);
    apply([record(1, 105, 2), record(2, 106, 1)]);
    apply([record(0, 100, 5)], 3);
    assert.equal(life.state.litres, 8);
    assert.deepEqual(life.state.told, [
      'begins as k',
      '5 at 100 by {"r":1}',
      '2 at 105 by {"r":1}',
      '1 at 106 by {"r":1}',
    ]);
  });

  it('does what is due before a record that comes after it, and nothing twice', () => {
    const { entity, life, apply } = begun();
    assert.deepEqual(apply([record(0, 100, 5), record(1, 110, 2)]).resolved, []);
    assert.equal(entity.rules.eventTimeDue(life), 110);
    assert.equal(entity.rules.wallClockDue(life), Infinity);
    const { applied, resolved } = apply([record(2, 111, 1)]);
    assert.deepEqual([applied, resolved.map(({ record: out }) => out.says)], [[], ['7 at 111']]);
    assert.equal(entity.rules.eventTimeDue(life), 121);
  });

  it('does what is due when the watermark has passed it; event time never goes back', () => {
    const { entity, life, apply } = begun();
    apply([record(0, 100, 5)]);
    assert.deepEqual(entity.rules.advance(life, 110, CONTEXT), []);
    assert.deepEqual(
      entity.rules.advance(life, 500, CONTEXT).map(({ record: out }) => out.says),
      ['5 at 500'],
    );
    apply([record(1, 120, 1, 400)]);
    assert.equal(life.state.told.at(-1), '1 at 500 late by {"r":1}');
  });

  it('asks, and is told the answer once, or that there is none', () => {
    const { entity, life, apply } = begun();
    apply([record(0, 100, -1), record(1, 101, -2)]);
    const open = entity.questions.open(life);
    assert.deepEqual(
      entity.questions.groups(open).map(({ request, giveUpAt }) => [request, giveUpAt]),
      [
        [{ question: 'why -1' }, 1_500],
        [{ question: 'why -2' }, 1_500],
      ],
    );
    assert.deepEqual(
      entity.questions.groups(open).map(({ questions }) => questions),
      open.map((one) => [one]),
    );
    const [first, second] = open;
    const answer = entity.questions.answersIn('a leak')(first!)!;
    const told = [
      ...entity.questions.answered(life, first!, answer, CONTEXT),
      ...entity.questions.answered(life, second!, entity.questions.givenUp, CONTEXT),
    ];
    assert.deepEqual(
      told.map(({ record: out }) => out.says),
      ['why -1: a leak', 'why -2: nobody knows'],
    );
    assert.deepEqual(entity.questions.open(life), []);
  });

  it('goes back to where it was some signals ago, with the questions that were open then', () => {
    const { entity, life, apply } = begun();
    apply([record(0, 100, -1)]);
    const [asked] = entity.questions.open(life);
    const memory = entity.memory.remember(life);
    apply([record(1, 101, -2)]);
    entity.memory.goBack(life, memory, 1);
    assert.equal(life.state.litres, -1);
    assert.ok(entity.questions.open(life)[0] === asked && entity.questions.open(life).length === 1);
    apply([record(1, 101, -2)]);
    assert.equal(life.state.litres, -3);
  });

  it('measures what Temporal would carry, in bytes', () => {
    const { entity, life, apply } = begun();
    apply([record(0, 100, 5)]);
    life.state.told = ['aé€😀'];
    assert.equal(entity.sizes.carried(life), Buffer.byteLength(JSON.stringify(life)));
  });

  it('takes no batch and no start that is none, or of another key', () => {
    const { wire } = plainEntity(tank);
    const mine = { mayBe: (key: string | undefined) => key === 'k' };
    assert.equal(wire.whyNotABatch(batch([record(0, 1, 1)]), mine), undefined);
    assert.equal(wire.whyNotABatch({ ...batch([]), key: 'other' }, mine), 'the records of another key');
    for (const wrong of [undefined, null, 7, {}, { ...batch([]), lowWater: [-1] }, { ...batch([]), records: [{}] }]) {
      assert.equal(typeof wire.whyNotABatch(wrong, mine), 'string');
    }
    assert.equal(wire.whyNotAStart({ key: 'k' }), undefined);
    assert.equal(wire.whyNotAStart({ key: 'k', life: {} }), 'a state that is none');
    assert.equal(wire.whyNotAStart(undefined), 'no key');
    assert.equal(wire.keyIn('app/a%2Fb'), 'a/b');
    assert.equal(wire.keyIn('app/100%'), undefined);
  });

  it('answers its queries, and nothing before its first record', () => {
    const { entity, life, apply } = begun();
    const see = (name: string, ...args: unknown[]) =>
      entity.queries[name]!({ key: 'k', life, waitsForRoom: false, settled: true }, ...(args as never[]));
    assert.equal(see('state'), null);
    assert.equal(see('more', 1), null);
    apply([record(0, 100, 5)]);
    assert.equal(see('more', 4), true);
    assert.equal(see('more', 5), false);
  });
});

/** An entity that says as little as one may. */
const bare: PlainEntity<{ n: number }, number, Out> = {
  initial: () => ({ n: 0 }),
  apply: (state, { event }) => void (state.n += event),
};

describe('an entity that says little', () => {
  const entity = plainEntity(bare);
  const begin = () => {
    const life = entity.rules.newLife({ startedAt: 1, runId: 'run' });
    return { life, apply: () => entity.rules.apply(life, batch([record(0, 100, 5)]), CONTEXT) };
  };

  it('begins with nothing', () => {
    const { life } = begin();
    assert.deepEqual(
      { ...life },
      {
        incarnation: { startedAt: 1, runId: 'run' },
        rules: null,
        partition: 0,
        published: { applied: 0, resolved: 0 },
        unpublished: [],
        state: undefined,
        eventTime: null,
        received: {},
        questions: [],
        counters: { foreign: 0, resets: 0 },
      },
    );
    assert.equal(entity.notes.details(life, []), '');
    assert.deepEqual([entity.rules.eventTimeDue(life), entity.rules.wallClockDue(life)], [undefined, undefined]);
  });

  it('waits for nothing, and nothing happens when time passes', () => {
    const { life, apply } = begin();
    assert.deepEqual(apply(), { applied: [], resolved: [] });
    assert.deepEqual([entity.rules.eventTimeDue(life), entity.rules.wallClockDue(life)], [undefined, undefined]);
    assert.equal(entity.rules.forgetsIn(life), undefined);
    assert.deepEqual(entity.rules.advance(life, 900, CONTEXT), []);
    assert.deepEqual(entity.rules.passWallClock(life, CONTEXT), []);
    assert.deepEqual([life.eventTime, life.state.n], [900, 5]);
    assert.equal(entity.notes.details(life, []), '');
  });

  it('cannot ask', () => {
    const asks = plainEntity<{ n: number }, number, Out, string, string>({
      initial: () => ({ n: 0 }),
      apply: (_, __, step) => step.ask('what'),
    });
    const life = asks.rules.newLife({ startedAt: 1, runId: 'run' });
    assert.throws(
      () => asks.rules.apply(life, batch([record(0, 1, 1)]), CONTEXT),
      /asked something, and says of no activity that answers questions/,
    );
  });

  it('need not hear the answer to what it asks', () => {
    const { answered: _, ...deaf } = tank;
    const asking = plainEntity<Tank, number, Out, string, string>(deaf);
    const life = asking.rules.newLife({ startedAt: 1, runId: 'run' });
    asking.rules.apply(life, batch([record(0, 1, -1)]), CONTEXT);
    const [one] = asking.questions.open(life);
    assert.deepEqual(asking.questions.answered(life, one!, asking.questions.givenUp, CONTEXT), []);
    assert.deepEqual(asking.questions.open(life), []);
  });

  it('has the query of its state alone', () => {
    assert.deepEqual(Object.keys(entity.queries), ['state']);
  });
});

describe('what the engine is told of an entity of somebody', () => {
  it('is what it waits for by the wall clock, and by event time where there is no other', () => {
    const wakes = (wake: { eventTime?: number; wallClock?: number }) => {
      const entity = plainEntity<{ n: number }, number, Out, never, never>({ ...bare, wakeAt: () => wake });
      const life = entity.rules.newLife({ startedAt: 1, runId: 'run' });
      entity.rules.apply(life, batch([record(0, 100, 5)]), CONTEXT);
      return [entity.rules.eventTimeDue(life), entity.rules.wallClockDue(life)];
    };
    assert.deepEqual(wakes({}), [undefined, undefined]);
    assert.deepEqual(wakes({ eventTime: 7 }), [7, Infinity]);
    assert.deepEqual(wakes({ wallClock: 8 }), [undefined, 8]);
    assert.deepEqual(wakes({ eventTime: 7, wallClock: 8 }), [7, 8]);
  });

  it('is that it has heard of the wall clock, and how it describes itself', () => {
    const entity = plainEntity<{ n: number }, number, Out, never, never>({
      ...bare,
      wallClock: (state, { now, key, eventTime, emit }) => emit({ says: `${state.n} ${now} ${key} ${eventTime}` }),
      describe: ({ n }) => `**${n}**`,
    });
    const life = entity.rules.newLife({ startedAt: 1, runId: 'run' });
    entity.rules.apply(life, batch([record(0, 100, 5)]), CONTEXT);
    assert.deepEqual(
      entity.rules.passWallClock(life, CONTEXT).map(({ record: out }) => out.says),
      ['5 1000 k 100'],
    );
    assert.equal(entity.notes.details(life, []), '**5**');
  });

  it('is what it counts: foreign signals, resets and partitions; it forgets nothing', () => {
    const { entity, life, apply } = begun();
    apply([record(0, 100, 5)]);
    entity.notes.foreign(life);
    entity.notes.foreign(life);
    entity.notes.reset(life);
    assert.deepEqual(life.counters, { foreign: 2, resets: 1 });
    assert.deepEqual([entity.notes.partitions(life), entity.notes.forgotten(life)], [1, {}]);
  });

  it('is what it asks, of whom and for how long, and how its failures are called', () => {
    const { entity, life, apply } = begun();
    apply([record(0, 100, -1)]);
    const { activity, failures } = entity.questions;
    assert.deepEqual([activity, failures], ['why', { noAnswer: 'NoAnswer', notAsked: 'NotAsked' }]);
    assert.equal(entity.questions.summary(entity.questions.open(life), life), 'ask why');
    assert.equal(entity.questions.giveUpAfter(life), 500);
  });

  it('is how large things are: what a batch may lead to is twice the batch and 10,000 bytes', () => {
    const { entity, life } = begun();
    const one = batch([record(0, 100, 5)]);
    assert.equal(entity.sizes.growth(life, one), 2 * JSON.stringify(one).length + 10_000);
    for (const text of ['\u007f', '\u0080', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\u{10000}', '\u{10ffff}']) {
      const sized = batch([]);
      const value = { ...sized, key: text };
      assert.equal(
        entity.sizes.growth(life, value),
        2 * Buffer.byteLength(JSON.stringify(value)) + 10_000,
        text.codePointAt(0)!.toString(16),
      );
    }
  });

  it('is what it is started with, and which key that is', () => {
    const { wire } = plainEntity(tank);
    const life = { ...plainEntity(tank).rules.newLife({ startedAt: 1, runId: 'run' }) };
    assert.equal(wire.whyNotAStart({ key: 'k', life }), undefined);
    assert.deepEqual(wire.startOf('k', life), { key: 'k', life });
    assert.deepEqual(wire.readStart({ key: 'k', life }), { key: 'k', life });
    assert.equal(wire.keyOf(batch([])), 'k');
    assert.equal(wire.keyIn('k'), 'k');
    assert.equal(wire.whyNotAStart({ key: '' }), 'no key');
    assert.equal(wire.whyNotAStart({ key: 7 }), 'no key');
    for (const part of ['incarnation', 'published', 'received', 'counters', 'unpublished', 'questions']) {
      for (const wrong of [null, 'text', undefined]) {
        assert.equal(wire.whyNotAStart({ key: 'k', life: { ...life, [part]: wrong } }), 'a state that is none', part);
      }
    }
    assert.equal(wire.whyNotAStart({ key: 'k', life: { ...life, questions: {} } }), 'a state that is none');
    const place = { partition: 1, key: 'k' };
    assert.equal(wire.watermarkRequest(place), place);
    const request = {
      key: 'k',
      incarnation: { startedAt: 1, runId: 'r' },
      stream: 'resolved',
      first: 1,
      outputs: [],
    } as const;
    assert.equal(wire.publishRequest(request), request);
  });

  it('is why a batch is none', () => {
    const { wire } = plainEntity(tank);
    const mine = { mayBe: () => true };
    const good = { ...batch([record(0, 1, 1)]), logs: ['a'] };
    const why = (change: object) => wire.whyNotABatch({ ...good, ...change }, mine);
    assert.equal(why({}), undefined);
    assert.deepEqual([why({ key: '' }), why({ key: 1 })], ['no key', 'no key']);
    assert.deepEqual(
      [why({ partition: -1 }), why({ partition: 1.5 }), why({ partition: '1' }), why({ partition: 0 })],
      ['no partition', 'no partition', 'no partition', undefined],
    );
    assert.deepEqual(
      [why({ lowWater: 0 }), why({ lowWater: [1, -1], logs: undefined }), why({ lowWater: [0.5] })],
      ['no low water', 'no low water', 'no low water'],
    );
    assert.deepEqual(
      [why({ logs: 'a' }), why({ logs: [] }), why({ logs: ['a', 'b'] })],
      ['no logs', 'no logs', 'no logs'],
    );
    assert.equal(why({ records: {} }), 'no records');
    const recordWith = (change: object) => why({ records: [record(0, 1, 1), { ...record(1, 1, 1), ...change }] });
    assert.equal(recordWith({}), undefined);
    assert.equal(recordWith({ ts: -5, late: -6 }), undefined, 'before 1970');
    for (const change of [
      { input: 1 },
      { input: -1 },
      { input: '0' },
      { offset: -1 },
      { offset: null },
      { ts: 1.5 },
      { ts: undefined },
      { late: 'x' },
      { late: null },
    ]) {
      assert.equal(recordWith(change), 'a record that is none', JSON.stringify(change));
    }
  });
});
