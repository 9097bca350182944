import assert from 'node:assert/strict';
import { test } from 'node:test';
import { begin, WITHOUT_KEY } from '../../../../src/engine/workflow/entity/start.ts';

const HASHED = { keyIn: () => undefined };
const NAMED = { keyIn: (workflowId: string) => workflowId.slice(workflowId.lastIndexOf('/') + 1) };

function beginAs({ keyIn }: { keyIn(workflowId: string): string | undefined }, argument: unknown, continued: boolean) {
  const wire = {
    keyIn,
    whyNotAStart: (value: unknown) =>
      typeof (value as { key?: unknown } | null)?.key === 'string' ? undefined : 'no start',
    readStart: (value: unknown) => value as { readonly key: string; readonly life?: object },
  };
  return begin(argument, { workflowId: 'app/u1', continued }, { wire, notes: { rebuild: 'rebuild it' } });
}

test('what somebody started under a hashed id is nobody’s until its first batch', () => {
  const { whose, notOurs } = beginAs(HASHED, 'anything', false);
  assert.deepEqual([whose.key, notOurs], [undefined, 'no start']);
  assert.equal(whose.mayBe('u1'), true);
});

test('a run that carries no key takes the first batch, whoever it is of, where the id says nothing', () => {
  const { whose, life, notOurs } = beginAs(HASHED, WITHOUT_KEY, true);
  assert.deepEqual([whose.key, life, notOurs], [undefined, undefined, undefined]);
  assert.equal(whose.mayBe('u1'), true);
  whose.took('u1');
  assert.deepEqual([whose.key, whose.mayBe('u2')], ['u1', false]);
});

test('a run that carries no key is of the key in its id, where it says one', () => {
  const { whose } = beginAs(NAMED, WITHOUT_KEY, true);
  assert.deepEqual([whose.key, whose.mayBe('u2')], ['u1', false]);
});

test('no start that somebody sends is one without a key, and what a run carried and cannot be read fails its task', () => {
  assert.equal(beginAs(HASHED, WITHOUT_KEY, false).notOurs, 'no start');
  assert.throws(() => beginAs(HASHED, { other: 1 }, true), /carried state of app\/u1 cannot be used \(no start\)/);
});
