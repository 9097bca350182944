/** Inputs that change under their reader. */
import { bridgeGroupOf } from '../../../src/engine/naming.ts';
import { decodeMetadata } from '../../../src/engine/ordering/checkpoint.ts';
import type { MoneyInput } from '../../../src/money/domain/events.ts';
import { APP, INPUT_TOPICS, turnOf } from '../system.ts';
import { GROUP_RECOVERY, type CarryOut, type Strike, type World } from './fault.ts';

/** The committed place, 0 when there is none; undefined where it is one of a log that another took the place of. */
function placeIn({ system, log }: World, input: MoneyInput, partition: number): number | undefined {
  const committed = system.kafka
    .groupOffsets(bridgeGroupOf(APP))
    .find((one) => one.topic === input && one.partition === partition);
  const name = decodeMetadata(committed?.metadata ?? '')?.logs?.names[INPUT_TOPICS.indexOf(input)];
  const turn = name === undefined ? 0 : turnOf(input, name);
  return turn === log.turn(input, partition) ? (committed?.offset ?? 0) : undefined;
}

/**
 * Retention is shorter than an outage of the bridges: all that they have not read of one input is deleted, where it only says
 * what time it is. What the users are owed does not change by it, as long as nothing is late.
 */
function unreadRecordsDeleted(world: World): Strike | undefined {
  const { system, scenario, log } = world;
  const { random } = world.scheduler;
  const input = random.pick(INPUT_TOPICS);
  const partition = random.below(scenario.partitions);
  const { end } = system.kafka.offsets(input, partition);
  const next = placeIn(world, input, partition);
  if (next === undefined || scenario.traffic.late > 0 || next >= end) return undefined;
  const turn = log.turn(input, partition);
  for (let offset = next; offset < end; offset += 1) {
    if (!log.onlyMovesTime(log.place(input, partition, offset, turn))) return undefined;
  }
  for (const { role, process } of [...system.running]) if (role === 'bridge') process.kill();
  system.kafka.deleteBefore(input, partition, end);
  return { touches: ['everything'], recovery: GROUP_RECOVERY };
}

/** Compaction takes records away that were read; what is behind them has other offsets than before. */
function inputCompacted(world: World): Strike | undefined {
  const { system, scenario } = world;
  const { random } = world.scheduler;
  const input = random.pick(INPUT_TOPICS);
  const partition = random.below(scenario.partitions);
  const place = placeIn(world, input, partition);
  if (place === undefined || place === 0) return undefined;
  system.kafka.punch(input, partition, place);
  return { touches: [], recovery: 0 };
}

/**
 * A producer that writes in transactions leaves one open: nobody reads on there until the broker ends it. What comes behind
 * is merged where it becomes visible, so that of what is late some would be late by another time.
 */
function transactionLeftOpen({ system, scheduler, scenario }: World, lasts: number): Strike | undefined {
  if (scenario.traffic.late > 0) return undefined;
  const input = scheduler.random.pick(INPUT_TOPICS);
  const partition = scheduler.random.below(scenario.partitions);
  const end = system.kafka.openTransaction(input, partition);
  return { touches: [`partition ${partition}`], recovery: GROUP_RECOVERY, lasts, end };
}

export const LOG_FAULTS = {
  'unread records deleted': unreadRecordsDeleted,
  'input compacted': inputCompacted,
  'transaction left open': transactionLeftOpen,
} satisfies Readonly<Record<string, CarryOut>>;
