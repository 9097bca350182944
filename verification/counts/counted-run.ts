/**
 * Traffic through the bridge's own ordering and the product's own workflow, in virtual time: how many touches, tasks, actions and
 * bytes of history 1,000 events cost. The same each time. Counted is the steady part: after the hold of the watermark, and before
 * the traffic ends and all that is held comes at once; of a backlog, all.
 */
import { createReadWatermark } from '../../activities/read-watermark.ts';
import { BOUNDS } from '../../src/money/domain/bounds.ts';
import type { Rules } from '../../src/money/domain/events.ts';
import { START, VirtualBridge, type Load } from '../../src/tools/cost/virtual-bridge.ts';
import { VirtualTime } from '../../src/tools/cost/virtual-time.ts';
import { userProgram } from '../simulation/user-program.ts';
import { shardOf } from '../../src/money/codec/shard.ts';
import { CountedShard } from './counted-publisher.ts';
import { Counters } from './counters.ts';
import { CountedTemporal } from './counted-temporal.ts';

export interface Case extends Load {
  /** ms from the begin of the traffic until counting begins; 30 s when absent. */
  readonly settled?: number;
}

const RULES: Rules = {
  sessionTtl: 86_400_000,
  dedupTtl: 60_000,
  pendingTimeout: 3_600_000,
  lookupGiveUpAfter: 600_000,
  bounds: BOUNDS,
};

const SHARDS = 4;

export async function count(given: Case): Promise<Counters> {
  const { settled = 30_000, backlog = false } = given;
  const time = new VirtualTime(START - 1);
  const counters = new Counters();
  const readWatermark = createReadWatermark({
    committedWatermark: async (partition) => bridge.committedWatermark(partition),
  });
  const shards = Array.from({ length: SHARDS }, () => new CountedShard(time, counters));
  const temporal = new CountedTemporal({
    time,
    counters,
    program: userProgram,
    onPublish: (workflowId) => shards[shardOf(workflowId, SHARDS)]!.came(),
    activities: {
      readWatermark,
      publish: async ({ outputs }: { outputs: unknown[] }) => counters.add('outputs', outputs.length),
      lookupSessions: async ({ sessionIds }: { sessionIds: string[] }) =>
        sessionIds.map((sessionId) => ({ sessionId, status: 'found', clientCountryCode: 'UY' })),
    },
  });
  const bridge = new VirtualBridge(given, time, (partition, { key, lowWater, records }) => {
    const batch = { partition, lowWater, rules: RULES, records: records.map(({ applicable }) => applicable!) };
    temporal.signalWithStart(`app/${key}`, { userId: key }, batch);
  });
  if (backlog) {
    counters.looking = true;
    bridge.begin();
    for (let end = START; !bridge.done; end += 10_000) await time.run(end);
  } else {
    time.at(START + settled, () => void (counters.looking = true));
    const last = bridge.begin();
    time.at(last, () => void (counters.looking = false));
    await time.run(last);
  }
  return counters;
}
