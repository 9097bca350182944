/** `npm run broken -- [--seeds N] [NAME ...]`: every broken build must be caught; exits with 1 if one is not. */
import { parseArgs } from 'node:util';
import { BROKEN_BUILDS } from './builds.ts';
import { runBrokenBuild } from './run.ts';

const { values, positionals } = parseArgs({ options: { seeds: { type: 'string', default: '2000' } }, allowPositionals: true });
const unknown = positionals.filter((name) => !BROKEN_BUILDS.some((build) => build.name === name));
if (unknown.length > 0) {
  console.error(`broken: no broken build named ${unknown.join(', ')}; there are ${BROKEN_BUILDS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const chosen = BROKEN_BUILDS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
let missed = 0;
for (const build of chosen) {
  const { caught, output, seconds } = await runBrokenBuild(build, Number(values.seeds));
  if (!caught) missed += 1;
  console.log(`${caught ? 'caught    ' : 'NOT CAUGHT'} ${build.name.padEnd(36)} ${String(seconds).padStart(4)} s  ${caught ? evidence(output) : output.slice(-2_000)}`);
}
console.log(`${chosen.length - missed} passed, ${missed} failed`);
process.exitCode = missed > 0 ? 1 : 0;

/** The first line of what was found wrong. */
function evidence(output: string): string {
  const seed = /^seed (\d+) failed:\n\s*(.{0,100})/m.exec(output);
  if (seed !== null) return `seed ${seed[1]}: ${seed[2]}`;
  return (/^not ok .*$/m.exec(output)?.[0] ?? '').slice(0, 120);
}
