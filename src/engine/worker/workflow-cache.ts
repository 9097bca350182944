/**
 * How many workflows a worker keeps in memory. One that is there costs a touch its own work; one that was dropped costs a replay of
 * its run so far, ten touches and more.
 */
import { totalmem } from 'node:os';

const MB = 1_000_000;
/** bytes of memory that a workflow takes, with the server's part of the SDK; measured (bench/workflow-memory.bench.ts). */
const WORKFLOW_BYTES = 200_000;
/** Of the memory that the process may use, and MB: what the workflows take of it unless somebody says otherwise. */
const SHARE = 1 / 4;
const MOST = 4_000;
/** Of one shard and version, MB: they live in one thread, whose heap has a limit of its own. */
const MOST_OF_ONE = 2_000;
const LEAST = 50;
/** Workflows of a shard, whatever the memory: with fewer, every other touch would be a replay. */
const FEWEST = 50;

/** MB, by default. `workers`: one for a shard and version; `memory`: bytes that the process may use. */
export function defaultCacheMb(workers: number, memory: number = usableMemory()): number {
  return Math.min(MOST, MOST_OF_ONE * workers, Math.max(LEAST, Math.floor((memory * SHARE) / MB)));
}

/** Workflows that each of the `workers` keeps: one for a shard and version, when one process may come to have all shards. */
export function cachedWorkflows(cacheMb: number, workers: number): number {
  return Math.max(FEWEST, Math.floor((cacheMb * MB) / WORKFLOW_BYTES / workers));
}

/** bytes: of the container where that has a limit, otherwise of the machine. */
function usableMemory(): number {
  // Node 20 has 0, or more than there is, where nothing limits it.
  const limit = (process as { constrainedMemory?: () => number }).constrainedMemory?.() ?? 0;
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}
