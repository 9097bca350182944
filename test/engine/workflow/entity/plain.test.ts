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
