/**
 * `npm run simulate -- --seeds N --from S [--jobs J] [--trace] [--impatient] [--narrow KIND,KIND] [--app orders]`: N seeds from S on, in J processes. Exits
 * with 1 at the first seed that is not right, and prints the command that repeats it. `--narrow`: of the kinds of faults that
 * touch something of their own (scenario.ts) only these, also those that are switched off. `--impatient`: what is missing is
 * missed sooner, for a build that is known to be broken. `--app orders`: `examples/orders` in place of money.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { runOrders } from './orders/run.ts';
import { PATIENCE, runSeed as runMoney, type SeedResult } from './run.ts';
import { Report } from './report.ts';
import { commandLine } from '../../test/support/command-line.ts';

export interface Part {
  readonly first: number;
  readonly step: number;
  readonly until: number;
}

const USAGE =
  'npm run simulate -- [--seeds N] [--from S] [--jobs J] [--trace] [--impatient] [--narrow KIND,KIND] [--app money|orders]';
const { values } = commandLine(USAGE, {
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    trace: { type: 'boolean', default: false },
    narrow: { type: 'string' },
    impatient: { type: 'boolean', default: false },
    app: { type: 'string', default: 'money' },
    part: { type: 'string' },
  },
});

const options = {
  narrow: values.narrow?.split(','),
  patience: values.impatient ? PATIENCE.short : PATIENCE.usual,
};
const runSeed = { money: runMoney, orders: runOrders }[values.app];
if (runSeed === undefined) {
  console.error(`simulate: --app ${values.app}: expected money or orders`);
  process.exit(2);
}
if (values.part !== undefined) await runPart(JSON.parse(values.part) as Part);
else process.exitCode = await runAll();

async function runPart({ first, step, until }: Part): Promise<void> {
  for (let seed = first; seed < until; seed += step) process.send!(await runSeed!(seed, options));
  process.disconnect();
}

async function runAll(): Promise<number> {
  const [seeds, from, jobs] = [number(values.seeds, 'seeds'), number(values.from, 'from'), number(values.jobs, 'jobs')];
  const report = new Report(seeds, values.app === 'money' ? '' : ` --app ${values.app}`);
  if (values.trace || seeds === 1) {
    const result = await runSeed!(from, { ...options, trace: true });
    if (values.trace || result.failure !== undefined) console.log(result.trace);
    report.add(result);
  } else if (jobs === 1) {
    for (let seed = from; seed < from + seeds && !report.failed; seed += 1) {
      report.add(await runSeed!(seed, options));
    }
  } else {
    await Promise.all(
      Array.from({ length: jobs }, (_, job) => forked({ first: from + job, step: jobs, until: from + seeds }, report)),
    );
  }
  report.print();
  return report.failed ? 1 : 0;
}

/** Ends with its part, or when any part has failed. */
function forked(part: Part, report: Report): Promise<void> {
  const child = fork(
    fileURLToPath(import.meta.url),
    [
      ...['--part', JSON.stringify(part)],
      ...(values.narrow === undefined ? [] : ['--narrow', values.narrow]),
      ...(values.impatient ? ['--impatient'] : []),
      ...['--app', values.app],
    ],
    { execArgv: ['--import', 'tsx'] },
  );
  const stop = (): void => void child.kill();
  report.onFailure(stop);
  return new Promise((resolve, reject) => {
    child.on('message', (result) => report.add(result as SeedResult));
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (code === 0 || report.failed) resolve();
      else reject(new Error(`a simulation process ended with ${signal ?? code}`));
    });
  });
}

function number(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    console.error(`simulate: --${name} ${text}: expected a whole number from 1 on`);
    process.exit(2);
  }
  return value;
}
