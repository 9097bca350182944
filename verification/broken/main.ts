/** `npm run broken -- [--seeds N] [NAME ...]`: every broken build must be caught; exits with 1 if one is not. */
import { availableParallelism } from 'node:os';
import { BROKEN_BUILDS } from './builds.ts';
import { Workbench } from './run.ts';
import { commandLine } from '../../test/support/command-line.ts';

const USAGE = 'npm run broken -- [--seeds N] [NAME ...]';
const { values, positionals } = commandLine(USAGE, {
  options: { seeds: { type: 'string', default: '2000' } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !BROKEN_BUILDS.some((build) => build.name === name));
if (unknown.length > 0) {
  console.error(
    `broken: no broken build named ${unknown.join(', ')}; there are ${BROKEN_BUILDS.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}
const chosen = BROKEN_BUILDS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
let missed = 0;
console.log(
  `${'build'.padEnd(40)} ${'caught by'.padEnd(46)} ${'after'.padStart(12)}  what it breaks, and the first that was found wrong`,
);
const size = { seeds: Number(values.seeds), jobs: availableParallelism() };
const bench = await Workbench.open();
for (const build of chosen) {
  const { name, breaks, caughtBy } = build;
  const { caught, output, seconds } = await bench.run(build, size);
  if (!caught) missed += 1;
  const by = !caught ? 'NOT CAUGHT' : caughtBy === 'simulate' ? 'the simulation' : caughtBy.test;
  console.log(`${name.padEnd(40)} ${by.padEnd(46)} ${(seedsOf(output) ?? `${seconds} s`).padStart(12)}  ${breaks}`);
  console.log(`    ${caught ? evidence(output) : output.slice(-2_000)}`);
}
await bench.close();
console.log(`${chosen.length - missed} passed, ${missed} failed`);
process.exitCode = missed > 0 ? 1 : 0;

/** How many the simulation tried until one was wrong; undefined for a test. */
function seedsOf(output: string): string | undefined {
  const passed = /^(\d+) passed, 1 failed$/m.exec(output);
  return /^seed \d+ failed:$/m.test(output) && passed !== null ? `${Number(passed[1]) + 1} seeds` : undefined;
}

/** The first line of what was found wrong. */
function evidence(output: string): string {
  const seed = /^seed (\d+) failed:\n\s*(.{0,100})/m.exec(output);
  if (seed !== null) return `seed ${seed[1]}: ${seed[2]}`;
  return (/^ *not ok .*$/m.exec(output)?.[0].trim() ?? output.trim().split('\n').at(-1)!).slice(0, 120);
}
