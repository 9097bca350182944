import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import { trafficOptions } from '../../src/tools/generate/options.ts';
import { dataConverter } from '../../src/engine/temporal/payload-codec.ts';
import type { UserStateView } from '../../workflows/views.ts';
import { sized } from '../support/size.ts';
import { startSystem } from '../support/system.ts';

const EVENTS = sized(15_000, 50_000);

test(
  `one user with ${EVENTS} events: across continue-as-new, state and history within the limits, output exact`,
  { timeout: 900_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 1 });
    await system.produce(
      generateTraffic(
        trafficOptions({
          users: 1,
          events: EVENTS,
          seed: 5,
          start: Date.now() - 10 * 86_400_000,
          span: EVENTS * 25,
          disorder: 15_000,
          duplicates: 0.05,
          pending: 0.001,
          old: 0.001,
        }),
      ),
    );
    const started = Date.now();
    await Promise.all([system.start('worker'), system.start('bridge')]);
    const expected = await system.expected();
    await system.matches(expected, 600_000);
    t.diagnostic(`${expected.outputs.length} outputs in ${Date.now() - started} ms`);

    const connection = await Connection.connect({ address: system.env['TEMPORAL_ADDRESS']! });
    try {
      const client = new Client({ connection, dataConverter });
      const userId = expected.outputs[0]!.userId;
      const workflowId = `${system.config.appId}/${userId}`;
      const handle = client.workflow.getHandle(workflowId);
      const state = await handle.query<UserStateView>('state');
      t.diagnostic(`sizes ${JSON.stringify(state.sizes)}, counters ${JSON.stringify(state.counters)}`);
      assert.equal(state.counters.published, expected.outputs.length);
      let runs = 0;
      for await (const run of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
        runs += 1;
        t.diagnostic(`run ${run.runId} ${run.status.name}: ${run.historyLength} events, ${run.historySize} bytes`);
        assert.ok((run.historyLength ?? 0) < 10_240, `history of ${run.historyLength} events`);
        assert.ok((run.historySize ?? 0) < 10_000_000, `history of ${run.historySize} bytes`);
      }
      assert.ok(runs > 1, 'it was continued as new');
    } finally {
      await connection.close();
    }
  },
);
