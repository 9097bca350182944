/**
 * Inputs that are not the ones that were read any more: a topic that was deleted and made anew, empty or with a copy of what it had; a
 * log as an older backup had it; unread money that retention took. The product says so with topic and offsets; the partitions
 * wait for a person, all others go on, and then what is owed comes out. As producers of a topic that is replaced have stopped or
 * fail, nothing is written to it before somebody has noticed.
 */
import { decodeMetadata } from '../../../src/engine/ordering/checkpoint.ts';
import { bridgeGroupOf } from '../../../src/engine/naming.ts';
import type { MoneyInput } from '../../../src/money/domain/events.ts';
import { APP, INPUT_TOPICS } from '../system.ts';
import type { Scope } from '../touched.ts';
import { DECISION_RECOVERY, GROUP_RECOVERY, type CarryOut, type Strike, type World } from './fault.ts';

const UNTOUCHED: Strike = { touches: [], recovery: 0 };

/**
 * What the model cannot know: which of what is late comes by which effective time when it is read later. Each topic is replaced once (see
 * turnOf); and not all three one after the other: no offset would be left that says what was read, as when all are made anew at once.
 */
function mayReplace({ scenario, log }: World, topics: readonly MoneyInput[]): boolean {
  const isReplaced = (topic: MoneyInput): boolean =>
    Array.from({ length: scenario.partitions }, (_, partition) => log.turn(topic, partition)).some((turn) => turn > 0);
  const replaced = INPUT_TOPICS.filter(isReplaced);
  const fits =
    topics.length === INPUT_TOPICS.length ? replaced.length === 0 : replaced.length < INPUT_TOPICS.length - 1;
  return (
    fits &&
    !topics.some(isReplaced) &&
    scenario.plan === 'neighbours' &&
    scenario.arrival === 'live' &&
    scenario.traffic.late === 0
  );
}

/** Partitions of which a place in this very topic was committed, or in another input, so that the product knows what was read. */
function knownPartitions({ system }: World): Set<number> {
  const known = system.kafka
    .groupOffsets(bridgeGroupOf(APP))
    .filter(({ offset, metadata }) => offset !== null && decodeMetadata(metadata)?.logs !== undefined);
  return new Set(known.map(({ partition }) => partition));
}

/** Touched until somebody has decided, and for the time that it takes to be read on. */
function untilDecided({ touched }: World, scopes: readonly Scope[]): () => void {
  return touched.begin(scopes, DECISION_RECOVERY);
}

function madeAnew(world: World, withCopy: boolean): Strike | undefined {
  const { system, scheduler, scenario, log, producers, operator } = world;
  const topic = scheduler.random.pick(INPUT_TOPICS);
  const partitions = Array.from({ length: scenario.partitions }, (_, partition) => partition);
  const known = knownPartitions(world);
  if (!mayReplace(world, [topic]) || known.size < scenario.partitions || !system.kafka.server.up) return undefined;
  const copies = partitions.map((partition) => system.kafka.committed(topic, partition));
  system.kafka.makeAnew(topic);
  for (const partition of partitions) {
    log.replaced(topic, partition, 0);
    if (withCopy) for (const record of copies[partition]!) system.kafka.append(topic, partition, record);
    producers.stop(topic, partition);
  }
  if (scheduler.random.chance(0.3)) {
    for (const { role, process } of [...system.running]) if (role === 'bridge') process.kill();
  }
  const over = untilDecided(world, ['everything']);
  operator.willDecide({
    topic,
    // Behind the copy: its last record may have come in this very ms, and what comes since comes later, as producers have stopped.
    from: withCopy ? scheduler.now + 1 : 'beginning',
    // Under its new name it is told from the one before however much is written to it; a copy is not read on by mistake either.
    onSaid: (partition) => producers.goOn(topic, partition),
    // Decided about all, perhaps before each partition has said it.
    onDone: () => {
      for (const partition of partitions) producers.goOn(topic, partition);
      over();
    },
  });
  return UNTOUCHED;
}

/** All three at once, as of a cluster that was set up anew. Nobody has to decide where no offset is left that says otherwise. */
function allMadeAnew(world: World): Strike | undefined {
  const { system, scheduler, scenario, log, operator } = world;
  if (!mayReplace(world, INPUT_TOPICS) || !system.kafka.server.up) return undefined;
  for (const { role, process } of [...system.running]) if (role === 'bridge') process.kill();
  for (const topic of INPUT_TOPICS) {
    system.kafka.makeAnew(topic);
    for (let partition = 0; partition < scenario.partitions; partition += 1) log.replaced(topic, partition, 0);
    operator.willDecide({ topic, from: 'beginning' });
  }
  const over = untilDecided(world, ['everything']);
  scheduler.after(GROUP_RECOVERY, null, over);
  return UNTOUCHED;
}

/** Where it ends from now on; undefined when nobody can notice that it does. */
type CutTo = (
  world: World,
  log: {
    readonly topic: MoneyInput;
    readonly partition: number;
    readonly place: number;
    readonly start: number;
    readonly end: number;
  },
) => number | undefined;

/** As an older backup had it. */
const BELOW_THE_PLACE: CutTo = ({ scheduler: { random } }, { place, start }) =>
  place - start < 3 ? undefined : start + 1 + random.below(place - start - 2);

/** As a replica had it that was behind: all that it had is applied, and so is one record more; not all of that is behind the committed place. */
const BELOW_WHAT_IS_READ: CutTo = ({ system, log, scenario }, { topic, partition, place, end }) => {
  // A bridge that died meanwhile has forgotten what it had read.
  if (system.counts.starts > scenario.bridges + scenario.workers) return undefined;
  let next = place;
  while (next < end && system.durable.has(log.place(topic, partition, next, 0))) next += 1;
  return next === place ? undefined : next - 1;
};

/** One log ends before the place that was read of it. What it still has was read or will be; so it goes on with what comes since. */
function cut(world: World, cutTo: CutTo): Strike | undefined {
  const { system, scheduler, scenario, log, producers, operator } = world;
  const topic = scheduler.random.pick(INPUT_TOPICS);
  const partition = scheduler.random.below(scenario.partitions);
  const place =
    system.kafka.groupOffsets(bridgeGroupOf(APP)).find((one) => one.topic === topic && one.partition === partition)
      ?.offset ?? 0;
  const { start, end, lastStable } = system.kafka.offsets(topic, partition);
  if (!mayReplace(world, [topic]) || end !== lastStable || system.kafka.hasNoLeader(topic, partition)) return undefined;
  const kept = cutTo(world, { topic, partition, place, start, end });
  if (kept === undefined) return undefined;
  system.kafka.cut(topic, partition, kept);
  log.replaced(topic, partition, kept);
  // A log that has grown beyond what was read meanwhile is not told from the one that was read (docs/operations.md).
  producers.stop(topic, partition, (at) => at < place - 1);
  const over = untilDecided(world, [`partition ${partition}`]);
  operator.willDecide({
    topic,
    from: scheduler.now,
    onDone: () => {
      producers.goOn(topic, partition);
      over();
    },
  });
  return UNTOUCHED;
}

/** Retention takes money, sessions and changes that no bridge has read: those are lost, and it is said which. */
function unreadMoneyDeleted(world: World): Strike | undefined {
  const { system, scheduler, scenario, log } = world;
  const topic = scheduler.random.pick(INPUT_TOPICS);
  const partition = scheduler.random.below(scenario.partitions);
  const { start, end, lastStable } = system.kafka.offsets(topic, partition);
  // Before the first commit nobody can know that there was more.
  const isKnown = system.kafka
    .groupOffsets(bridgeGroupOf(APP))
    .some((one) => one.topic === topic && one.partition === partition);
  if (!isKnown || scenario.traffic.late > 0 || end - start < 2 || end !== lastStable) return undefined;
  const before = start + 1 + scheduler.random.below(end - start);
  if (scheduler.random.chance(0.5)) {
    for (const { role, process } of [...system.running]) if (role === 'bridge') process.kill();
  }
  system.kafka.deleteBefore(topic, partition, before);
  log.went(topic, partition, start, before);
  return { touches: ['everything'], recovery: GROUP_RECOVERY };
}

export const OTHER_LOG_FAULTS = {
  'input made anew': (world) => madeAnew(world, false),
  'input made anew from a copy': (world) => madeAnew(world, true),
  'all inputs made anew': allMadeAnew,
  'log cut below the place': (world) => cut(world, BELOW_THE_PLACE),
  'log cut below what is read': (world) => cut(world, BELOW_WHAT_IS_READ),
  'unread money deleted': unreadMoneyDeleted,
} satisfies Readonly<Record<string, CarryOut>>;
