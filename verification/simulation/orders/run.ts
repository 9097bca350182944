/** One seed of `examples/orders`: the system under faults, then healed, then judged by its own model. */
import { createHash } from 'node:crypto';
import { PROCESS_FAULTS } from '../faults/processes.ts';
import { SERVER_FAULTS } from '../faults/servers.ts';
import { GROUP_RECOVERY, type CarryOut, type Machines } from '../faults/fault.ts';
import { NO_FAULTS } from '../kernel/network.ts';
import { EPOCH, Scheduler } from '../kernel/scheduler.ts';
import type { RunOptions, SeedResult } from '../run.ts';
import { TOPICS } from '../system.ts';
import { Touched } from '../touched.ts';
import { expectedOf, type OrderRecord } from './model.ts';
import { INPUT_TOPICS, OrdersSystem } from './system.ts';
import { trafficOf } from './traffic.ts';

const KINDS: Readonly<Record<string, CarryOut<Machines>>> = { ...PROCESS_FAULTS, ...SERVER_FAULTS };
/** ms of simulated time. */
const FAULTS_UNTIL = 100_000;
const LONGEST_FAULT = 20_000;
const PATIENCE = 900_000;
const AFTERWARDS = 15_000;
/** ms that a question is asked at most, as the rules of the example have it. */
const GIVE_UP_AFTER = 60_000;
/** ms of undisturbed time in which a question is answered, whatever its place in the backoff of its call. */
const ANSWERED_WITHIN = 15_000;
/** ms of event time to which every partition comes in the end: all that has to be paid is decided then. */
const END = EPOCH + 400_000;

export async function runOrders(
  seed: number,
  { trace = false, patience = PATIENCE }: RunOptions = {},
): Promise<SeedResult> {
  const scheduler = new Scheduler(seed);
  scheduler.trace.enabled = trace;
  const { random } = scheduler;
  const size = { partitions: 1 + random.below(3), shards: 1 + random.below(3) };
  const system = new OrdersSystem(scheduler, size);
  const records: OrderRecord[] = [];
  const unusable: string[] = [];
  const arrivals = trafficOf(random, size.partitions, 3 + random.below(20));
  const isBacklog = random.chance(0.5);
  let left = arrivals.length;
  for (const { input, partition, at, key, value, says } of arrivals) {
    const write = (): void => {
      const offset = system.kafka.append(INPUT_TOPICS[input]!, partition, { key, value, timestamp: at });
      if (says === undefined) unusable.push(`${INPUT_TOPICS[input]}/${partition}/${offset}`);
      else records.push({ ...says, offset });
      left -= 1;
    };
    if (isBacklog) write();
    else scheduler.after(at - EPOCH, null, write);
  }
  const hits = new Map<string, number>();
  const hit = (what: string): void => void hits.set(what, (hits.get(what) ?? 0) + 1);
  let healed = false;
  const touched = new Touched(scheduler);
  const lasting = new Set<() => void>();
  // Each that is lost costs a time-out.
  if (system.temporal.options.lostTasks > 0) lasting.add(touched.begin(['everything'], GROUP_RECOVERY));
  for (let n = 6 + random.below(12); n > 0; n -= 1) {
    const kind = random.pick(Object.keys(KINDS));
    scheduler.after(random.below(FAULTS_UNTIL), null, () => {
      if (healed) return;
      const strike = KINDS[kind]!({ scheduler, scenario: size, system, hit }, random.below(LONGEST_FAULT));
      if (strike === undefined) return;
      hit(kind);
      scheduler.trace.add('fault', () => kind);
      const over = touched.begin(strike.touches, strike.recovery);
      if (strike.end === undefined) return over();
      const end = (): void => {
        strike.end!();
        over();
      };
      lasting.add(end);
      scheduler.after(strike.lasts ?? 0, null, () => lasting.delete(end) && end());
    });
  }
  let failure: string | undefined;
  try {
    for (let n = 1 + random.below(2); n > 0; n -= 1) system.start('bridge');
    for (let n = 1 + random.below(2); n > 0; n -= 1) system.start('worker');
    const look = (): void => {
      system.collect();
      scheduler.after(500, null, look);
    };
    scheduler.after(500, null, look);
    await scheduler.run(() => false, EPOCH + FAULTS_UNTIL + LONGEST_FAULT - scheduler.now);
    healed = true;
    heal(system, lasting);
    // What is waited for is decided when event time has come beyond it, in each partition.
    for (let partition = 0; partition < size.partitions; partition += 1) {
      for (const [input, topic] of INPUT_TOPICS.entries()) {
        const fields = [{ customer: 'end', total: 1 }, { amount: 1 }, { parcel: 'end' }][input];
        const value = JSON.stringify({ order: `end-${partition}`, ...fields, at: new Date(END).toISOString() });
        system.kafka.append(topic, partition, { key: `end-${partition}`, value, timestamp: scheduler.now });
      }
    }
    const expected = expectedOf(records, END);
    await scheduler.run(() => left === 0 && decided(system.outputs).length >= expected.size, patience);
    await scheduler.run(() => false, AFTERWARDS);
    system.collect();
    const problems = [
      ...differences(system.outputs, expected, touched),
      ...letterDifferences(system, unusable, size.partitions),
    ];
    if (problems.length > 0) throw new Error(problems.slice(0, 20).join('\n  '));
  } catch (error) {
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    scheduler.trace.add('verdict', () => failure!);
  }
  const digest = createHash('sha256').update(
    JSON.stringify([scheduler.steps, scheduler.now, system.outputs.map(({ value }) => String(value))]),
  );
  return {
    seed,
    failure,
    hits: { ...Object.fromEntries(hits), ...system.kafka.counts, ...system.temporal.counts },
    events: arrivals.length,
    outputs: system.outputs.length,
    faults: [...hits.values()].reduce((sum, count) => sum + count, 0),
    steps: scheduler.steps,
    ms: scheduler.now - EPOCH,
    digest: digest.digest('hex').slice(0, 16),
    trace: scheduler.trace.text,
  };
}

function heal({ kafka, temporal, running }: OrdersSystem, lasting: Set<() => void>): void {
  for (const end of lasting) end();
  lasting.clear();
  for (const { process } of running) {
    process.resume();
    for (const server of [kafka.server, temporal.server]) server.join(process);
  }
  for (const server of [kafka.server, temporal.server]) server.faults = { ...NO_FAULTS };
  if (!kafka.server.up) kafka.start();
  if (!temporal.server.up) temporal.start();
  temporal.options.lostTasks = 0;
}

type Outputs = readonly Pick<OrdersSystem['outputs'][number], 'value' | 'seenAt'>[];

interface Decided {
  readonly seenAt: number;
  readonly outcome: { readonly order: string };
}

/** Without those that only move time. */
function decided(outputs: Outputs): Decided[] {
  return outputs
    .map(({ value, seenAt }) => ({ seenAt, outcome: JSON.parse(String(value)) as Decided['outcome'] }))
    .filter(({ outcome: { order } }) => !order.startsWith('end-'));
}

/** Of what has to come out, by order, and what was seen. */
export function differences(outputs: Outputs, expected: ReadonlyMap<string, object>, touched: Touched): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  for (const { outcome, seenAt } of decided(outputs)) {
    if (seen.has(outcome.order)) found.push(`twice: ${JSON.stringify(outcome)}`);
    seen.add(outcome.order);
    const wanted = expected.get(outcome.order);
    if (wanted === undefined) found.push(`unexpected: ${JSON.stringify(outcome)}`);
    else if (canonical(wanted) !== canonical(outcome) && !wasGivenUp(wanted, outcome, seenAt, touched)) {
      found.push(`different: ${JSON.stringify(outcome)} and not ${JSON.stringify(wanted)}`);
    }
  }
  for (const [order, outcome] of expected) if (!seen.has(order)) found.push(`missing: ${JSON.stringify(outcome)}`);
  return found;
}

/** It is as expected but for the city, and faults left no time to ask for that before the question was given up. */
function wasGivenUp(wanted: object, outcome: object, seenAt: number, touched: Touched): boolean {
  const { city, ...rest } = wanted as { readonly city?: string };
  return (
    city !== undefined &&
    canonical(rest) === canonical(outcome) &&
    touched.untouched(seenAt - GIVE_UP_AFTER, seenAt, ['everything']) < ANSWERED_WITHIN
  );
}

function canonical(value: object): string {
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => a.localeCompare(b)));
}

function letterDifferences({ kafka }: OrdersSystem, unusable: readonly string[], partitions: number): string[] {
  const letters: string[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    for (const { headers: h } of kafka.committed(TOPICS.deadLetter, partition)) {
      letters.push(`${h['source-topic']}/${h['source-partition']}/${h['source-offset']}`);
    }
  }
  const [found, wanted] = [letters.sort().join('\n'), [...unusable].sort().join('\n')];
  return found === wanted ? [] : [`dead letters of\n${found}\nand not of\n${wanted}`];
}
