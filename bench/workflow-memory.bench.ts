/**
 * Memory of a cached workflow: `node --import tsx --test bench/workflow-memory.bench.ts`. USERS (2,000) users get money, four events
 * each; the worker's RSS with all of them in its cache is compared with that of one whose cache holds few.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { eventually } from '../test/support/eventually.ts';
import { startSystem } from '../test/support/system.ts';
import { money, timeEvents } from './events.ts';

const USERS = Number(process.env['USERS'] ?? 2_000);
const EACH = 4;
/** Of 0.2 MB each, see src/engine/worker/workflow-cache.ts. */
const ALL = Math.ceil(USERS * 0.4);
const FEW = 40;

test('memory of a cached workflow', { timeout: 3_000_000 }, async (t) => {
  const few = await rssWith(t, FEW);
  const all = await rssWith(t, ALL);
  const kept = FEW / 0.2;
  t.diagnostic(
    `RSS of the worker, MB: ${few} with ${kept} workflows in memory, ${all} with ${USERS}: ${(((all - few) * 1_000) / (USERS - kept)).toFixed(0)} KB each`,
  );
});

async function rssWith(t: TestContext, cacheMb: number): Promise<number> {
  const system = await startSystem(t, {
    partitions: 4,
    countOnly: true,
    env: { ENRICHMENT_WORKFLOW_CACHE_MB: String(cacheMb), ENRICHMENT_OUT_OF_ORDERNESS: '1s' },
  });
  const worker = await system.start('worker');
  await system.start('bridge');
  const users = Array.from({ length: USERS }, () => randomUUID());
  for (let round = 1; round <= EACH; round += 1) {
    const now = Date.now();
    await system.produce(users.flatMap((user) => [money(user, now, {}), ...timeEvents(user, now)]));
    await eventually('all outputs', () => system.outputs.length >= round * USERS, 600_000);
  }
  return rss(worker.pid);
}

function rss(pid: number): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/);
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}
