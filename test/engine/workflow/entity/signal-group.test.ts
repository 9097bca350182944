import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EntityBatch, EntityLife } from '../../../../src/engine/workflow/entity/entity.ts';
import { beginning } from '../../../../src/engine/workflow/entity/life.ts';
import { SignalGroup, type Applies } from '../../../../src/engine/workflow/entity/signal-group.ts';
import type { Identified } from '../../../../src/engine/workflow/publish-request.ts';

interface Life extends EntityLife {
  seen: string[];
  questions: object[];
}
interface Batch extends EntityBatch {
  readonly name: string;
}
const CONTEXT = { key: 'k', now: 1 };
const place = (offset: number): Identified => ({ partition: 0, offset });
const batch = (name: string, partition = 0, rules: unknown = `rules of ${name}`): Batch => ({
  name,
  partition,
  rules,
  records: [],
});

function given({ earlier = false } = {}) {
  const world = { kept: 10, remembered: 0 };
  const life: Life = { ...beginning({ startedAt: 1, runId: 'r' }), seen: [], questions: [] };
  const entity: Applies<Life, Batch, Identified> = {
    // Two outputs and a question for each signal.
    rules: {
      apply: (of: Life, { name }: Batch) => {
        of.seen.push(`${name} by ${String(of.rules)} of ${of.partition}`);
        of.questions.push({ name });
        return { applied: [place(of.seen.length)], resolved: [place(100 + of.seen.length)] };
      },
    } as never,
    memory: {
      remember: ({ seen }) => {
        world.remembered += 1;
        return JSON.stringify(seen);
      },
      goBack: (of, memory, questions) => {
        of.seen = JSON.parse(memory) as string[];
        of.questions.splice(questions);
      },
    },
    sizes: { kept: () => world.kept },
    questions: { open: (of) => of.questions },
    ...(earlier && { earlier: { isOf: (rules: unknown) => rules === 'old' } as never }),
  };
  return { world, life, group: new SignalGroup(entity, life) };
}

const offsets = (outputs: readonly Identified[]): number[] => outputs.map(({ offset }) => offset);

test('signals are applied one after the other, by their own rules, and what follows from them is collected', () => {
  const { life, group } = given();
  assert.deepEqual([group.signals, group.applied, group.mayGrow], [0, [], true]);
  group.apply(batch('a', 3), CONTEXT);
  group.apply(batch('b', 4), CONTEXT);
  assert.deepEqual(life.seen, ['a by rules of a of 3', 'b by rules of b of 4']);
  assert.deepEqual([group.signals, offsets(group.applied), offsets(life.unpublished)], [2, [1, 2], [101, 102]]);
  assert.equal(group.mayGrow, true);
});

test('what was applied beyond a signal is taken back: state, questions, rules, place and outputs', () => {
  const { life, group } = given();
  for (const name of ['a', 'b', 'c']) group.apply(batch(name, name.charCodeAt(0)), CONTEXT);
  assert.deepEqual(
    group.takeBack(1).map(({ name }) => name),
    ['b', 'c'],
  );
  assert.deepEqual([life.seen, life.questions], [['a by rules of a of 97'], [{ name: 'a' }]]);
  assert.deepEqual([life.rules, life.partition], ['rules of a', 97]);
  assert.deepEqual([group.signals, offsets(group.applied), offsets(life.unpublished)], [1, [1], [101]]);
  group.apply(batch('b', 98), CONTEXT);
  assert.deepEqual(offsets(group.applied), [1, 2]);
});

test('only what was gone on from can be gone back to', () => {
  const { group } = given();
  group.apply(batch('a'), CONTEXT);
  assert.throws(() => group.takeBack(1), /answered for 1 of 1 signals, which cannot be gone back to/);
  assert.throws(() => group.takeBack(0), /answered for 0 of 1 signals/);
  assert.throws(() => group.takeBack(2), /answered for 2 of 1 signals/);
});

test('signals to a state of more than 50,000 bytes go alone, but those of earlier releases', () => {
  const { world, group } = given({ earlier: true });
  world.kept = 50_001;
  assert.equal(group.mayGrow, true, 'the first one');
  group.apply(batch('a'), CONTEXT);
  assert.equal(group.mayGrow, false);
  world.kept = 50_000;
  assert.equal(group.mayGrow, true);
  world.kept = 50_001;
  group.apply(batch('old', 0, 'old'), CONTEXT);
  assert.deepEqual([group.mayGrow, world.remembered], [true, 0]);
  world.kept = 50_000;
  group.apply(batch('c'), CONTEXT);
  assert.equal(world.remembered, 1);
});
