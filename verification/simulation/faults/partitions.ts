/**
 * One partition that has no leader, or takes no writes because too few replicas are in sync; leaders and coordinators
 * that move. Only what lives in that partition is touched.
 */
import { bridgeGroupOf, shardTransactionalIdOf } from '../../../src/engine/naming.ts';
import { APP, INPUT_TOPICS, TOPICS } from '../system.ts';
import type { Scope } from '../touched.ts';
import { GROUP_RECOVERY, LONGEST_OUTAGE, RETRY_RECOVERY, type CarryOut, type World } from './fault.ts';

interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly scope: Scope;
}

/** Any partition of any topic, and what lives in it. */
function anyPlace({ scheduler: { random }, scenario }: World): Place {
  const kind = random.pick(['input', 'input', 'dead letters', 'output', 'ledger'] as const);
  const partition = random.below(scenario.partitions);
  const shard = random.below(scenario.shards);
  if (kind === 'input') return { topic: random.pick(INPUT_TOPICS), partition, scope: `partition ${partition}` };
  if (kind === 'dead letters') return { topic: TOPICS.deadLetter, partition, scope: `partition ${partition}` };
  return { topic: kind === 'output' ? TOPICS.output : TOPICS.ledger, partition: shard, scope: `shard ${shard}` };
}

function withoutLeader(world: World, lasts: number): ReturnType<CarryOut> {
  const { topic, partition, scope } = anyPlace(world);
  const { kafka } = world.system;
  if (kafka.hasNoLeader(topic, partition)) return undefined;
  kafka.loseLeader(topic, partition);
  return {
    touches: [scope],
    recovery: RETRY_RECOVERY,
    lasts: bounded(world, lasts),
    end: () => kafka.electLeader(topic, partition),
  };
}

/** Reads go on. */
function withoutReplicas(world: World, lasts: number): ReturnType<CarryOut> {
  const { topic, partition, scope } = anyPlace(world);
  const { kafka } = world.system;
  if (!kafka.isWritable(topic, partition)) return undefined;
  kafka.setWritable(topic, partition, false);
  return {
    touches: [scope],
    recovery: RETRY_RECOVERY,
    lasts: bounded(world, lasts),
    end: () => kafka.setWritable(topic, partition, true),
  };
}

/** The idle timeout of the plan has to be longer. */
function bounded({ scenario }: World, lasts: number): number {
  return scenario.plan === 'mixture' ? Math.min(lasts, LONGEST_OUTAGE) : lasts;
}

/** ms until the next leader is elected. */
const ELECTION = 2_000;

function leaderMoves(world: World): ReturnType<CarryOut> {
  return withoutLeader(world, world.scheduler.random.below(ELECTION));
}

/** Whoever asks the old one is told so until the new one has loaded its log. */
function coordinatorMoves({ system: { kafka }, scheduler: { random }, scenario }: World): ReturnType<CarryOut> {
  const kind = random.pick(['shard', 'triple', 'bridges'] as const);
  const shard = random.below(scenario.shards);
  const partition = random.below(scenario.partitions);
  const id =
    kind === 'shard'
      ? shardTransactionalIdOf(APP, shard)
      : kind === 'triple'
        ? `${APP}-bridge-${partition}`
        : bridgeGroupOf(APP);
  const scope: Scope =
    kind === 'shard' ? `shard ${shard}` : kind === 'triple' ? `partition ${partition}` : 'everything';
  kafka.moveCoordinator(id, true);
  return {
    touches: [scope],
    recovery: GROUP_RECOVERY,
    lasts: 500 + random.below(8_000),
    end: () => kafka.moveCoordinator(id, false),
  };
}

export const PARTITION_FAULTS = {
  'no leader': withoutLeader,
  'no replicas': withoutReplicas,
  'leader moves': leaderMoves,
  'coordinator moves': coordinatorMoves,
} satisfies Readonly<Record<string, CarryOut>>;
