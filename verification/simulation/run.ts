/**
 * One seed: the system under faults, then healed, then judged. Safety is checked all the time, liveness at the end: when
 * everything works again, everything must come out.
 */
import { createHash } from 'node:crypto';
import type { ModelResult } from '../../src/money/model/model.ts';
import { Durability, differences, expectedOf, stateOutOfBounds, unfinished, type Case } from './checks.ts';
import { Faults } from './faults/index.ts';
import { EPOCH, Scheduler } from './kernel/scheduler.ts';
import { Log } from './logged.ts';
import { Meddled } from './meddled.ts';
import { Operator } from './operator.ts';
import { Producers } from './producers.ts';
import { stalled } from './progress.ts';
import { scenarioOf, type Scenario } from './scenario.ts';
import { SimSystem, turnOf } from './system.ts';
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
const AFTERWARDS = 15_000;

export interface RunOptions {
  readonly trace?: boolean;
  /** Of the kinds that touch something of their own, those to draw from; all that are switched on when absent. */
  readonly narrow?: readonly string[] | undefined;
  /** ms of simulated time: what is not there so long after everything was healed is missing. */
  readonly patience?: number;
}

/** Of `patience`: what no build needs, and what healthy seeds need at most, for builds that are known to be broken. */
export const PATIENCE = { usual: 900_000, short: 240_000 };

export async function runSeed(
  seed: number,
  { trace = false, narrow, patience = PATIENCE.usual }: RunOptions = {},
): Promise<SeedResult> {
  const scenario = scenarioOf(seed, narrow);
  const scheduler = new Scheduler(seed);
  scheduler.trace.enabled = trace;
  const arrivals = workloadOf(scenario);
  const countryOf = sessionsOf(arrivals, scenario);
  const log = new Log(scenario);
  const system = new SimSystem(scheduler, scenario, countryOf, (topic, partition, offset, name) =>
    log.place(topic, partition, offset, turnOf(topic, name)),
  );
  const producers = new Producers(scheduler, scenario, system.kafka, arrivals, (record) =>
    log.add(record, scheduler.now),
  );
  const touched = new Touched(scheduler);
  const meddled = new Meddled();
  const operator = new Operator(scheduler, scenario, system);
  const faults = new Faults({ scheduler, scenario, system, log, touched, producers, meddled, operator });
  const given: Case = {
    system,
    log,
    scenario,
    meddled,
    operator,
    touched,
    expectedOf: (records) => expectedOf(records, scenario, countryOf),
  };
  let failure: string | undefined;
  try {
    for (let n = 0; n < scenario.bridges; n += 1) system.start('bridge');
    for (let n = 0; n < scenario.workers; n += 1) system.start('worker');
    const durability = new Durability(system, log);
    const check = (): void => {
      durability.check();
      system.collect();
      system.look();
      scheduler.after(CHECK_INTERVAL, null, check);
    };
    scheduler.after(CHECK_INTERVAL, null, check);

    await scheduler.run(() => false, scenario.healAt);
    faults.heal();
    scheduler.trace.add('fault', () => 'no more faults: everything is healed');
    if (!(await scheduler.run(() => producers.done, patience))) {
      throw new Error(
        `${producers.left.length} records did not get into the topics: their producers wait for somebody to notice that a log has changed`,
      );
    }
    const owed = (): ModelResult => given.expectedOf(log.owed(system.durable));
    // What was gone unread is owed by nobody, and what people did is judged as a whole.
    const settled = log.gone.size === 0 && meddled.size === 0 ? owed() : undefined;
    let lookAgain = 0;
    const done = (): boolean => {
      if (scheduler.now < lookAgain) return false;
      lookAgain = scheduler.now + 1_000;
      if (unfinished(system, scenario, log).length > 0) return false;
      system.collect();
      return settled === undefined
        ? !differences(given, owed()).some((text) => text.startsWith('missing'))
        : system.outputs.length >= settled.outputs.length;
    };
    const all = await scheduler.run(done, patience);
    await scheduler.run(() => false, AFTERWARDS);
    system.collect();
    const expected = owed();
    const problems = [
      ...differences(given, expected),
      ...(all
        ? []
        : [`still waiting ${patience / 1_000} s after everything was healed:`, ...unfinished(system, scenario, log)]),
      ...(await stateOutOfBounds(system, expected, scenario)),
      ...stalled(system, expected, log, touched, scenario, operator.accepted).map(
        ({ what, ms }) => `${what} came ${Math.round(ms / 1_000)} s of undisturbed time after it could have come`,
      ),
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
    hits: {
      ...Object.fromEntries(faults.hits),
      ...kafka.counts,
      ...temporal.counts,
      ...system.counts,
      decisionsOfPeople: operator.decided,
    },
    events: log.records.length,
    outputs: system.outputs.length,
    faults: [...faults.hits.values()].reduce((sum, count) => sum + count, 0),
    steps: scheduler.steps,
    ms: scheduler.now - EPOCH,
    digest: createHash('sha256')
      .update(
        JSON.stringify([
          scheduler.steps,
          scheduler.now,
          system.outputs.map(({ shard, offset, value }) => [shard, offset, String(value)]),
        ]),
      )
      .digest('hex')
      .slice(0, 16),
    trace: scheduler.trace.text,
  };
}

/** The session service: what the session events say, and of sessions without one whatever follows from their id. */
function sessionsOf(
  arrivals: readonly Arrival[],
  { deadSessions }: Scenario,
): (sessionId: string) => string | null | undefined {
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
