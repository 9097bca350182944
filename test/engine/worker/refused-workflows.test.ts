import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedWorkflows } from '../../../src/engine/worker/refused-workflows.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('workflows whose outputs are refused, as by a ledger that was made anew, keep the worker from being ready, with the reason', () => {
  const clock = new ManualClock();
  const refused = new RefusedWorkflows(clock);
  assert.equal(refused.problem, null);
  for (const key of ['a', 'b', 'a']) {
    refused.observe({ type: 'refused', shard: 0, key, error: new Error('the ledger ends at 0') });
  }
  assert.match(refused.problem!, /^the outputs of 2 workflows are refused, .*One of them: the ledger ends at 0$/);
  clock.advance(15 * 60_000);
  assert.notEqual(refused.problem, null);
  clock.advance(1);
  assert.equal(refused.problem, null, 'nobody asks any more');
});
