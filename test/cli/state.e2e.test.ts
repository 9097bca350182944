import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { connectTemporal } from '../../src/engine/temporal/connection.ts';
import { NO_ENCRYPTION } from '../../src/engine/temporal/key-provider.ts';
import { WORKFLOW_TYPE } from '../../workflows/messages.ts';
import { taskQueueOf, workflowIdOf } from '../../src/engine/naming.ts';
import { sharedCluster } from '../support/cluster.ts';
import { program } from './program.ts';

test('state says whether the workflow or the worker is missing', async (t) => {
  const { temporal } = await sharedCluster();
  const appId = `t-${randomUUID()}`;
  const env = { TEMPORAL_ADDRESS: temporal, ENRICHMENT_APP_ID: appId };
  const userId = randomUUID();

  const nobody = await program(['state', userId.toUpperCase()], env);
  assert.equal(nobody.code, 1);
  assert.match(
    nobody.stderr,
    new RegExp(`^money-enrichment: no workflow "${appId}/${userId}" in namespace "default"[^\\n]+\\n$`),
  );

  const { client, connection } = await connectTemporal(env, NO_ENCRYPTION);
  const workflowId = workflowIdOf(appId, userId);
  const handle = await client.workflow.start(WORKFLOW_TYPE, { workflowId, taskQueue: taskQueueOf(appId, 0) });
  t.after(async () => {
    await handle.terminate();
    await connection.close();
  });
  const unanswered = await program(['state', userId], env);
  assert.equal(unanswered.code, 1);
  assert.match(
    unanswered.stderr,
    /^money-enrichment: no worker answered for "[^"]+" within 10 s: start one with "money-enrichment worker"\n$/,
  );
});
