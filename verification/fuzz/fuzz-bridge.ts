/** Runs of the bridge over good and hostile records mixed, each judged by the model. */
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import { trafficOptions } from '../../src/tools/generate/options.ts';
import type { Random } from '../../src/engine/random.ts';
import { PARTITIONS, runBridge, LIMITS, type BridgeRun, type Placed } from './bridge-run.ts';
import { judgeRun } from './judge-bridge.ts';
import { MAX_STALL } from './judge-decoder.ts';
import { Memory } from './memory.ts';
import { shownRecord } from './minimise.ts';
import { hostileRecord, randomOf } from './records.ts';

export interface BridgeReport {
  readonly inputs: number;
  readonly runs: number;
  readonly deadLetters: number;
  readonly applied: number;
  /** Records that were late. */
  readonly late: number;
  /** ms */
  readonly stall: number;
  /** bytes of resident memory beyond the warm-up, at most. */
  readonly growth: number;
  /** bytes that are alive in the end beyond those of the beginning. */
  readonly live: number;
  readonly failure?: string;
}

export interface BridgeFuzzOptions {
  readonly seed: number;
  readonly inputs: number;
  /** Number of the first run. */
  readonly from?: number;
  readonly inputsOfRun?: number;
  /** Before it is judged; for tests of the judge. */
  readonly tamper?: (run: BridgeRun) => BridgeRun;
}

const START = Date.UTC(2026, 0, 31, 10);
const INPUTS_OF_RUN = 5_000;
const USERS = 8;
/** Runs again with fewer records, to find the ones that matter. */
const BUDGET = 40;
/** Part of the runs: until memory is settled. */
const WARM_UP = 0.2;

/** Half good, half hostile, as they lie in the logs. */
function recordsOf(random: Random, count: number): Placed[] {
  const all: { readonly at: number; readonly record: Placed }[] = [];
  const anyTimestamp = random.chance(0.25);
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const good = [
      ...generateTraffic(
        trafficOptions({
          users: USERS,
          events: Math.ceil(count / PARTITIONS / 2),
          seed: random.uint32(),
          start: START,
          duplicates: 0.1,
          late: 0.05,
          old: 0.05,
          pending: 0.1,
          disorder: 15_000,
          span: 600_000,
        }),
      ),
    ];
    const users = [...new Set(good.flatMap(({ key }) => (key === null ? [] : [key.replaceAll('"', '')])))];
    for (const { timestamp, key, ...rest } of good) {
      all.push({
        at: timestamp,
        record: { ...rest, timestamp, key: key === null ? null : Buffer.from(key), partition },
      });
    }
    for (let n = 0; n < Math.floor(count / PARTITIONS / 2); n += 1) {
      const now = START + random.below(600_000);
      all.push({ at: now, record: { ...hostileRecord(random, { users, now, anyTimestamp, ...LIMITS }), partition } });
    }
  }
  return all.sort((a, b) => a.at - b.at).map(({ record }) => record);
}

export async function fuzzBridge({
  seed,
  inputs,
  from = 0,
  inputsOfRun = INPUTS_OF_RUN,
  tamper = (run) => run,
}: BridgeFuzzOptions): Promise<BridgeReport> {
  const total = { inputs: 0, runs: 0, deadLetters: 0, applied: 0, late: 0, stall: 0 };
  const memory = new Memory();
  const report = (failure?: string): BridgeReport => ({
    ...total,
    growth: memory.growth,
    live: memory.live,
    ...(failure === undefined ? {} : { failure }),
  });
  const runs = Math.ceil(inputs / inputsOfRun);
  for (let index = from; index < from + runs; index += 1) {
    const random = randomOf(seed, index);
    const records = recordsOf(random, inputsOfRun);
    const play = async (some: readonly Placed[]) => tamper(await runBridge(some, randomOf(seed, -index - 1)));
    const run = await play(records);
    const stall = await heldFor(run, () => play(records));
    total.inputs += records.length;
    total.runs += 1;
    total.deadLetters += run.deadLetters.length;
    total.applied += run.delivered.reduce((sum, { batch }) => sum + batch.records.length, 0);
    total.late += run.delivered.reduce(
      (sum, { batch }) => sum + batch.records.filter(({ late }) => late !== undefined).length,
      0,
    );
    total.stall = Math.max(total.stall, stall);
    const problem =
      judgeRun(records, run) ?? (stall > MAX_STALL ? `the event loop was held for ${Math.round(stall)} ms` : undefined);
    if (problem !== undefined) return report(await described(seed, index, inputsOfRun, problem, records, play));
    memory.measure(total.runs <= Math.max(3, runs * WARM_UP));
  }
  return report(memory.problem);
}

/** What is slow once may have met the garbage collector, the compiler or another process. */
async function heldFor(run: BridgeRun, again: () => Promise<BridgeRun>): Promise<number> {
  let { stall } = run;
  for (let more = 3; more > 0 && stall > MAX_STALL; more -= 1) stall = Math.min(stall, (await again()).stall);
  return stall;
}

async function described(
  seed: number,
  index: number,
  inputsOfRun: number,
  problem: string,
  records: readonly Placed[],
  play: (some: readonly Placed[]) => Promise<BridgeRun>,
): Promise<string> {
  let least = records;
  // A run that is only slow is as slow in other words.
  let tries = judgeRun(records, await play(records)) === undefined ? BUDGET : 0;
  for (
    let part = Math.ceil(records.length / 2);
    part >= 1 && tries < BUDGET;
    part = part === 1 ? 0 : Math.ceil(part / 2)
  ) {
    for (let at = 0; at < least.length && tries < BUDGET; tries += 1) {
      const fewer = least.toSpliced(at, part);
      if (judgeRun(fewer, await play(fewer)) === undefined) at += part;
      else least = fewer;
    }
  }
  const shown = least.slice(0, 10).map((record) => `    partition ${record.partition}, ${shownRecord(record)}`);
  return [
    `run ${index} of seed ${seed}: ${problem}`,
    `  again:    npm run fuzz -- --only bridge --seed ${seed} --from ${index} --inputs ${inputsOfRun}`,
    `  smallest: ${least.length} of its ${records.length} records${least.length > 10 ? ', the first ten:' : ':'}`,
    ...shown,
  ].join('\n');
}
