import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgetKept, keptOf } from '../../../src/money/domain/kept.ts';
import { initialState } from '../../../src/money/domain/state.ts';
import { T0 } from './given.ts';

test('what is derived of a state is made once, each state has its own', () => {
  const [state, other] = [initialState(), initialState()];
  const kept = keptOf(state);
  assert.equal(keptOf(state), kept);
  assert.notEqual(keptOf(other), kept);
});

test('what was changed by other ways is seen when what was derived is forgotten', () => {
  const state = initialState();
  assert.equal(keptOf(state).dedup.count, 0);
  state.dedup['m'] = T0;
  assert.equal(keptOf(state).dedup.count, 0);
  forgetKept(state);
  assert.equal(keptOf(state).dedup.count, 1);
});
