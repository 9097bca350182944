/**
 * One seed: the system under faults, then healed, then judged. Safety is checked all the time, liveness at the end: when
 * everything works again, everything must come out.
 */
import { createHash } from 'node:crypto';
import type { ModelResult, RawRecord } from '../../src/model/model.ts';
import { Durability, differences, expectedOf, stateOutOfBounds, unfinished } from './checks.ts';
import { Faults } from './faults/index.ts';
import { EPOCH, Scheduler } from './kernel/scheduler.ts';
import { Log } from './logged.ts';
import { stalled } from './progress.ts';
import { scenarioOf, type Scenario } from './scenario.ts';
import { SimSystem } from './system.ts';
import { Touched } from './touched.ts';
import { workloadOf, type Arrival } from './workload.ts';

export interface SeedResult {
  readonly seed: number;
  /** Undefined when all was right. */
  readonly failure: string | undefined;
  /** How often what was hit. */
  readonly hits: Readonly<Record<string, number>>;
  readonly events: number;
  readonly outputs: number;
  readonly faults: number;
  readonly steps: number;
  /** Of simulated time. */
  readonly ms: number;
  /** The same for every run of the same seed. */
  readonly digest: string;
  readonly trace: string;
}

/** ms of simulated time */
const CHECK_INTERVAL = 500;
const HEALED_LIMIT = 900_000;
const AFTERWARDS = 15_000;

export interface RunOptions {
  readonly trace?: boolean;
  /** Of the kinds that touch something of their own, those to draw from; all that are switched on when absent. */
  readonly narrow?: readonly string[] | undefined;
}

export async function runSeed(seed: number, { trace = false, narrow }: RunOptions = {}): Promise<SeedResult> {
  const scenario = scenarioOf(seed, narrow);
  const scheduler = new Scheduler(seed);
  scheduler.trace.enabled = trace;
  const arrivals = workloadOf(scenario);
  const countryOf = sessionsOf(arrivals, scenario);
  const system = new SimSystem(scheduler, scenario, countryOf);
  const log = new Log(scenario);
  const arrived = arrive(scheduler, scenario, system, arrivals, (record) => log.add(record, scheduler.now));
  const touched = new Touched(scheduler);
  const faults = new Faults(scheduler, scenario, system, log, touched);
  let failure: string | undefined;
  let expected: ModelResult | undefined;
  try {
    for (let n = 0; n < scenario.bridges; n += 1) system.start('bridge');
    for (let n = 0; n < scenario.workers; n += 1) system.start('worker');
    const durability = new Durability(system, log.applicable);
    const check = (): void => {
      durability.check();
      system.collect();
      scheduler.after(CHECK_INTERVAL, null, check);
    };
    scheduler.after(CHECK_INTERVAL, null, check);

    await scheduler.run(() => false, scenario.healAt);
    faults.heal();
    scheduler.trace.add('fault', () => 'no more faults: everything is healed');
    if (!(await scheduler.run(arrived, HEALED_LIMIT))) throw new Error('the input did not get into the topics');
    const judged = (expected = expectedOf(log.records, scenario, countryOf));
    let lookAgain = 0;
    const done = (): boolean => {
      if (scheduler.now < lookAgain) return false;
      lookAgain = scheduler.now + 1_000;
      return unfinished(system, scenario).length === 0 && nothingMissing(system, judged);
    };
    const all = await scheduler.run(done, HEALED_LIMIT);
    await scheduler.run(() => false, AFTERWARDS);
    system.collect();
    const problems = [
      ...differences(system, expected, scenario),
      ...(all ? [] : [`still waiting ${HEALED_LIMIT / 1_000} s after everything was healed:`, ...unfinished(system, scenario)]),
      ...(await stateOutOfBounds(system, expected, scenario)),
      ...stalled(system, expected, log, touched, scenario).map(({ what, ms }) => `${what} came ${Math.round(ms / 1_000)} s of undisturbed time after it could have come`),
    ];
    if (problems.length > 0) throw new Error(problems.slice(0, 20).join('\n  '));
  } catch (error) {
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    scheduler.trace.add('verdict', () => failure!);
  }
  const { kafka, temporal } = system;
  return {
    seed,
    failure,
    hits: { ...Object.fromEntries(faults.hits), ...kafka.counts, ...temporal.counts, ...system.counts },
    events: log.records.length,
    outputs: system.outputs.length,
    faults: [...faults.hits.values()].reduce((sum, count) => sum + count, 0),
    steps: scheduler.steps,
    ms: scheduler.now - EPOCH,
    digest: createHash('sha256').update(JSON.stringify([scheduler.steps, scheduler.now, system.outputs.map(({ shard, offset, value }) => [shard, offset, String(value)])])).digest('hex').slice(0, 16),
    trace: scheduler.trace.text,
  };
}

function nothingMissing(system: SimSystem, expected: ModelResult): boolean {
  system.collect();
  return system.outputs.length >= expected.outputs.length;
}

/** Puts the records into the topics; returns whether all of them are there. */
function arrive(scheduler: Scheduler, { arrival }: Scenario, { kafka }: SimSystem, arrivals: readonly Arrival[], log: (record: RawRecord) => void): () => boolean {
  let count = 0;
  const append = ({ input, partition, key, value }: Arrival, timestamp: number): void => {
    const offset = kafka.append(input, partition, { key, value, timestamp });
    count += 1;
    log({ topic: input, partition, offset, timestamp, key: key === null ? null : Buffer.from(key), value });
  };
  const whenUp = (one: Arrival): void => {
    if (kafka.takes(one.input, one.partition)) append(one, scheduler.now);
    else scheduler.after(100, null, () => whenUp(one));
  };
  for (const one of arrivals) {
    if (arrival === 'backlog') append(one, one.timestamp);
    else scheduler.after(one.timestamp - EPOCH, null, () => whenUp(one));
  }
  return () => count === arrivals.length;
}

/** The session service: what the session events say, and of sessions without one whatever follows from their id. */
function sessionsOf(arrivals: readonly Arrival[], { deadSessions }: Scenario): (sessionId: string) => string | null | undefined {
  const known = new Map<string, string>();
  for (const { input, value } of arrivals) {
    if (input !== 'session' || value === null) continue;
    const text = value.toString();
    const id = /"id":"([^"]+)"/.exec(text)?.[1];
    const country = /"clientCountryCode":"([^"]*)"/.exec(text)?.[1];
    if (id !== undefined && country !== undefined) known.set(id.toLowerCase(), country);
  }
  return (sessionId) => {
    const country = known.get(sessionId);
    if (country !== undefined) return country;
    const hash = createHash('sha256').update(sessionId).digest();
    if (hash[0]! < deadSessions * 256) return undefined;
    return hash[1]! < 128 ? null : 'ZZ';
  };
}
