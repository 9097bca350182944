import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inbox } from '../../../../src/engine/workflow/entity/inbox.ts';
import { beginning } from '../../../../src/engine/workflow/entity/life.ts';
import type { EntityBatch, EntityLife } from '../../../../src/engine/workflow/entity/entity.ts';

interface Batch extends EntityBatch {
  readonly name: string;
}
const batch = (name: string, rules: unknown = {}): Batch => ({ rules, partition: 0, records: [], name });

function given({ earlier = false } = {}) {
  const life = beginning({ startedAt: 1, runId: 'r' }) as EntityLife;
  const world = { full: false, measured: 0, ran: [] as string[] };
  const inbox = new Inbox<EntityLife, Batch>(
    {
      sizes: {
        carried: () => (world.full ? 3_000_000 : 1_000),
        growth: () => {
          world.measured += 1;
          return 10;
        },
      },
      // Something is owed.
      questions: { open: () => [{}] },
      ...(earlier && { earlier: { isOf: (rules: unknown) => rules === 'old' } as never }),
    },
    life,
  );
  const happens = (name: string, makesRoom?: boolean): void =>
    inbox.happens(() => world.ran.push(name), ...(makesRoom === undefined ? [] : [{ makesRoom }]));
  return { inbox, world, happens };
}

test('an empty inbox has nothing', () => {
  const { inbox } = given();
  assert.deepEqual(
    [inbox.empty, inbox.hasSignal, inbox.waitsForRoom, inbox.hasSomething, inbox.mayApply],
    [true, false, false, false, false],
  );
  assert.deepEqual([inbox.takeBatch(), inbox.takeHappened()], [undefined, undefined]);
});

test('signals come in their order, and what is put back before all others', () => {
  const { inbox } = given();
  inbox.signal(batch('a'));
  inbox.signal(batch('b'));
  assert.deepEqual([inbox.empty, inbox.hasSignal, inbox.hasSomething, inbox.mayApply], [false, true, true, true]);
  inbox.putBack([batch('x'), batch('y')]);
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => inbox.takeBatch()?.name),
    ['x', 'y', 'a', 'b', undefined],
  );
  assert.equal(inbox.empty, true);
});

test('without signals all that happened is next, in its order', () => {
  const { inbox, world, happens } = given();
  happens('one');
  assert.equal(inbox.hasSomething, true);
  happens('two', true);
  assert.deepEqual([inbox.empty, inbox.hasSignal, inbox.hasSomething, inbox.waitsForRoom], [false, false, true, false]);
  inbox.takeHappened()!();
  inbox.takeHappened()!();
  assert.deepEqual([world.ran, inbox.takeHappened()], [['one', 'two'], undefined]);
});

test('while signals wait for room only what makes room goes on', () => {
  const { inbox, world, happens } = given();
  world.full = true;
  inbox.signal(batch('a'));
  assert.deepEqual([inbox.mayApply, inbox.waitsForRoom, inbox.hasSomething], [false, true, false]);
  assert.equal(inbox.takeBatch(), undefined);
  happens('timer');
  assert.deepEqual([inbox.hasSomething, inbox.takeHappened()], [false, undefined]);
  happens('answer', true);
  happens('another', true);
  assert.equal(inbox.hasSomething, true);
  inbox.takeHappened()!();
  assert.deepEqual(world.ran, ['answer']);
  world.full = false;
  assert.deepEqual([inbox.mayApply, inbox.waitsForRoom, inbox.takeBatch()?.name], [true, false, 'a']);
  inbox.takeHappened()!();
  inbox.takeHappened()!();
  assert.deepEqual(world.ran, ['answer', 'timer', 'another']);
});

test('signals of earlier releases wait for no room', () => {
  const { inbox, world } = given({ earlier: true });
  world.full = true;
  inbox.signal(batch('old', 'old'));
  inbox.signal(batch('new'));
  assert.equal(inbox.takeBatch()?.name, 'old');
  assert.equal(inbox.takeBatch(), undefined);
});

test('how much would follow from a signal is measured once', () => {
  const { inbox, world } = given();
  inbox.signal(batch('a'));
  assert.deepEqual([inbox.mayApply, inbox.mayApply, inbox.waitsForRoom, world.measured], [true, true, false, 1]);
});

test('what makes room comes before a signal that waits, also when it is the first that happened', () => {
  const { inbox, world, happens } = given();
  world.full = true;
  inbox.signal(batch('a'));
  happens('answer', true);
  inbox.takeHappened()!();
  assert.deepEqual(world.ran, ['answer']);
});
