/** Inputs that change under their reader. */
import { bridgeGroupOf } from '../../../src/engine/naming.ts';
import { APP, INPUT_TOPICS } from '../system.ts';
import { GROUP_RECOVERY, type CarryOut, type Strike, type World } from './fault.ts';

/**
 * Retention is shorter than an outage of the bridges: all that they have not read of one input is deleted, where it only says
 * what time it is. What the users are owed does not change by it, as long as nothing is late.
 */
function unreadRecordsDeleted({ system, scheduler: { random }, scenario, log }: World): Strike | undefined {
  const input = random.pick(INPUT_TOPICS);
  const partition = random.below(scenario.partitions);
  const committed = system.kafka
    .groupOffsets(bridgeGroupOf(APP))
    .find((one) => one.topic === input && one.partition === partition);
  const { end } = system.kafka.offsets(input, partition);
  const next = committed?.offset ?? 0;
  if (scenario.traffic.late > 0 || next >= end) return undefined;
  const turn = log.turn(input, partition);
  for (let offset = next; offset < end; offset += 1) {
    if (!log.onlyMovesTime(log.place(input, partition, offset, turn))) return undefined;
  }
  for (const { role, process } of [...system.running]) if (role === 'bridge') process.kill();
  system.kafka.deleteBefore(input, partition, end);
  return { touches: ['everything'], recovery: GROUP_RECOVERY };
}

/** Compaction takes records away that were read; what is behind them has other offsets than before. */
function inputCompacted({ system, scheduler: { random }, scenario }: World): Strike | undefined {
  const input = random.pick(INPUT_TOPICS);
  const partition = random.below(scenario.partitions);
  const committed = system.kafka
    .groupOffsets(bridgeGroupOf(APP))
    .find((one) => one.topic === input && one.partition === partition);
  if ((committed?.offset ?? 0) === 0) return undefined;
  system.kafka.punch(input, partition, committed!.offset!);
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
