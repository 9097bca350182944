import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { Part, probe } from '../../../src/engine/process/dependencies.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a part that fails for 5 s is a problem, with its reason and for how long; an answer ends it', () => {
  const clock = new ManualClock();
  const part = new Part(clock);
  assert.equal(part.problem, null);
  part.failed('refused');
  clock.advance(4_999);
  assert.equal(part.problem, null);
  clock.advance(1);
  assert.equal(part.problem, 'refused, for 5 s');
  part.failed('no answer');
  clock.advance(2_000);
  assert.equal(part.problem, 'no answer, for 7 s');
  part.worked();
  assert.equal(part.problem, null);
  part.failed('refused');
  assert.equal(part.problem, null);
});

test('a failure is forgotten when nothing was asked for a minute', () => {
  const clock = new ManualClock();
  const part = new Part(clock);
  part.failed('refused');
  clock.advance(60_000);
  assert.equal(part.problem, 'refused, for 60 s');
  clock.advance(1);
  assert.equal(part.problem, null);
  part.failed('refused');
  assert.equal(part.problem, null, 'a new failure begins anew');
});

test('probing: one question at a time, a hanging one is a failure, and the end ends it', async () => {
  const clock = new ManualClock();
  const part = new Part(clock);
  const ended = new AbortController();
  const asked: { resolve(): void; reject(error: Error): void }[] = [];
  const over = probe(
    part,
    () => new Promise<void>((resolve, reject) => asked.push({ resolve, reject })),
    clock,
    ended.signal,
  );
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      clock.advance(1_000);
      await settled();
    }
  };
  await pass(12_000);
  assert.equal(asked.length, 1);
  assert.match(part.problem!, /^no answer, for \d+ s$/);
  asked[0]!.resolve();
  await settled();
  assert.equal(part.problem, null);
  await pass(6_000);
  assert.equal(asked.length, 2);
  asked[1]!.reject(new Error('refused'));
  await pass(6_000);
  assert.equal(asked.length, 3);
  asked[2]!.reject(new Error('refused'));
  await pass(1_000);
  assert.match(part.problem!, /^refused, for \d+ s$/);
  ended.abort();
  await over;
});

test('probing for long leaves nothing behind on the signal that ends it', async () => {
  const clock = new ManualClock();
  const ended = new AbortController();
  const warnings: Error[] = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on('warning', warned);
  const over = probe(new Part(clock), async () => undefined, clock, ended.signal);
  for (let turn = 0; turn < 100; turn += 1) {
    clock.advance(1_000);
    await settled();
  }
  assert.ok(getEventListeners(ended.signal, 'abort').length <= 2);
  ended.abort();
  await over;
  process.off('warning', warned);
  assert.deepEqual(warnings, []);
});
