import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WaitingMoney } from '../../../src/money/worker/waiting-money.ts';

const at = (workflowId: string, shard: number) => ({ workflowId, taskQueue: `app-shard-${shard}` });

test('the sums are of what each workflow told last, in the shards that are ours', () => {
  const waiting = new WaitingMoney();
  waiting.told(at('a', 0), { pending: 3, lookups: 1 });
  waiting.told(at('b', 0), { pending: 2, lookups: 0 });
  waiting.told(at('c', 1), { pending: 0, lookups: 4 });
  assert.deepEqual([waiting.pending, waiting.lookups], [5, 5]);
  waiting.told(at('a', 0), { pending: 1, lookups: 0 });
  assert.deepEqual([waiting.pending, waiting.lookups], [3, 4]);
  waiting.told(at('b', 0), { pending: 0, lookups: 0 });
  assert.deepEqual([waiting.pending, waiting.lookups], [1, 4]);
  waiting.forget('app-shard-1');
  assert.deepEqual([waiting.pending, waiting.lookups], [1, 0]);
});
