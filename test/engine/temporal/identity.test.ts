import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { questionsQueueOf, taskQueueOf } from '../../../src/engine/naming.ts';
import { identityOf, workerIdentityOf } from '../../../src/engine/temporal/identity.ts';

test('a worker is named after its application and shard, and the host that it runs on', () => {
  const host = hostname();
  assert.equal(identityOf('app-bridge'), `app-bridge@${host}`);
  assert.equal(workerIdentityOf(taskQueueOf('my-app', 12)), `my-app-worker/12@${host}`);
  assert.equal(workerIdentityOf(taskQueueOf('my-shard-1', 0)), `my-shard-1-worker/0@${host}`);
  assert.equal(workerIdentityOf(questionsQueueOf('my-app')), `my-app-worker/lookups@${host}`);
  assert.equal(workerIdentityOf('queue'), `queue@${host}`);
});
