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

test('a start under a name of its own is of that name, and one of another key is put aside', () => {
  const life = { some: 'life' };
  const own = beginAs(NAMED, { key: 'u1', life }, false);
  assert.deepEqual([own.whose.key, own.whose.mayBe('u2'), own.life, own.notOurs], ['u1', false, life, undefined]);
  assert.equal(beginAs(NAMED, { key: 'u1' }, false).whose.mayBe('u2'), false, 'also without a life');
  const other = beginAs(NAMED, { key: 'u2', life }, false);
  assert.deepEqual(
    [other.whose.key, other.whose.mayBe('u2'), other.life, other.notOurs],
    ['u1', false, undefined, 'the start of another key'],
  );
  const none = beginAs(NAMED, 7, false);
  assert.deepEqual([none.whose.key, none.whose.mayBe('u2'), none.notOurs], ['u1', false, 'no start']);
});

test('what a run carried says whose it is, under whatever name its history is replayed', () => {
  const { whose, notOurs } = beginAs(NAMED, { key: 'u2' }, true);
  assert.deepEqual([whose.key, whose.mayBe('u1'), notOurs], ['u2', false, undefined]);
  assert.equal(beginAs(HASHED, { key: 'u2' }, true).whose.mayBe('u1'), false);
});

test('under a hashed id a start without a life is a claim until the first batch; one with a life is certain', () => {
  const claim = beginAs(HASHED, { key: 'u1' }, false);
  assert.deepEqual([claim.whose.key, claim.whose.mayBe('u2'), 'life' in claim], ['u1', true, false]);
  claim.whose.took(undefined);
  assert.deepEqual([claim.whose.key, claim.whose.mayBe('u2')], ['u1', false]);
  const certain = beginAs(HASHED, { key: 'u1', life: {} }, false);
  assert.deepEqual(
    [certain.whose.mayBe('u2'), certain.whose.mayBe('u1'), certain.whose.mayBe(undefined)],
    [false, true, true],
  );
});

test('a batch that names nobody leaves a workflow nobody’s', () => {
  const { whose } = beginAs(HASHED, 'anything', false);
  whose.took(undefined);
  assert.deepEqual([whose.key, whose.mayBe('u1')], [undefined, true]);
});

test('a payload that could not be read says why', () => {
  const unreadable = { $unreadable: 'written by a newer version', key: 'u1' };
  assert.equal(beginAs(HASHED, unreadable, false).notOurs, 'written by a newer version');
  assert.throws(() => beginAs(HASHED, unreadable, true), {
    message:
      'The carried state of app/u1 cannot be used (written by a newer version): run the version that wrote it, or terminate the workflow and rebuild it',
  });
});
