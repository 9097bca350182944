/** The names that brokers and servers hold of earlier versions, written out: another one loses what stands under it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  backfillGroupOf,
  backfillTransactionalIdOf,
  bootstrapGroupOf,
  bridgeGroupOf,
  bridgeTransactionalIdOf,
  ledgerTopicOf,
  questionsQueueBeside,
  questionsQueueOf,
  retriedGroupOf,
  shardGroupOf,
  shardTransactionalIdOf,
  taskQueueOf,
  workflowIdOf,
} from '../../src/engine/naming.ts';

test('names are those of every release', () => {
  assert.deepEqual(
    [
      bridgeGroupOf('app'),
      bridgeTransactionalIdOf('app', 3),
      workflowIdOf('app', 'user'),
      taskQueueOf('app', 3),
      questionsQueueOf('app'),
      shardTransactionalIdOf('app', 3),
      shardGroupOf('app'),
      ledgerTopicOf('out'),
      backfillGroupOf('app', 'out'),
      backfillTransactionalIdOf('app-backfill-out', 3),
      bootstrapGroupOf('app'),
      retriedGroupOf('app'),
    ],
    [
      'app-bridge',
      'app-bridge-3',
      'app/user',
      'app-shard-3',
      'app-lookups',
      'app-shard-3',
      'app-shards',
      'out-ledger',
      'app-backfill-out',
      'app-backfill-out-3',
      'app-bootstrap',
      'app-dead-letters-retried',
    ],
  );
});

test('the lookups of a shard are beside it, also where the app id looks like one', () => {
  assert.equal(questionsQueueBeside('app-shard-12'), 'app-lookups');
  assert.equal(questionsQueueBeside('a-shard-1-shard-2'), 'a-shard-1-lookups');
  assert.equal(questionsQueueBeside('anything'), undefined);
});
