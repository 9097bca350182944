/**
 * Checks the specification of the publish protocol with spin: that it holds, and that the checker finds what is broken
 * on purpose. `--if-available`: says so and succeeds where spin or a C compiler is missing.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SPECIFICATION = fileURLToPath(new URL('../verification/publish-protocol.pml', import.meta.url));
const SAFETY = { compile: ['-DSAFETY', '-DNOCLAIM'], run: ['-E'] };
/** Acceptance cycles under weak fairness. */
const PROGRESS = { compile: [], run: ['-a', '-f'] };
const VIOLATIONS = {
  NO_FENCE: SAFETY,
  NO_LEDGER: SAFETY,
  TWO_TRANSACTIONS: SAFETY,
  EARLY_ACK: SAFETY,
  REUSE_PRODUCER: SAFETY,
  GAP_AT_ONCE: SAFETY,
  NO_RETAKE: PROGRESS,
};

const cc = ['cc', 'gcc', 'clang'].find((name) => runs(name, '--version'));
if (!runs('spin', '-V') || cc === undefined) {
  const optional = process.argv.includes('--if-available');
  console.error(
    `${optional ? 'skipped' : 'failed'}: the model checker needs spin and a C compiler (Debian: apt-get install spin gcc)`,
  );
  process.exit(optional ? 0 : 1);
}

const folder = mkdtempSync(join(tmpdir(), 'publish-protocol-'));
let wrong = 0;
try {
  report('no assertion can fail', check([], SAFETY), false);
  report('everything is acknowledged in the end', check([], PROGRESS), false);
  for (const [name, kind] of Object.entries(VIOLATIONS)) report(`broken: ${name}`, check([`-D${name}`], kind), true);
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(wrong === 0 ? 0 : 1);

/** What the checker found. Throws when it did not come to an end. */
function check(defines, { compile, run }) {
  must('spin', [...defines, '-a', SPECIFICATION]);
  must(cc, ['-O2', '-w', ...compile, '-o', 'pan', 'pan.c']);
  const output = must('./pan', [...run, '-m500000', '-w24']);
  const errors = /errors: (\d+)/.exec(output)?.[1];
  if (
    errors === undefined ||
    /max search depth too small|out of memory|Search not completed/.test(errors === '0' ? output : '')
  ) {
    throw new Error(`the checker did not finish:\n${output}`);
  }
  return {
    violation: /pan:\d+: (assertion violated .*|acceptance cycle) \(at depth/.exec(output)?.[1],
    errors: Number(errors),
    states: /(\d[\d.e+]*) states, stored/.exec(output)?.[1],
  };
}

function report(what, { violation, errors, states }, expected) {
  const right = expected ? violation !== undefined : errors === 0;
  if (!right) wrong += 1;
  const found = violation ?? (errors === 0 ? 'no violation' : `${errors} errors`);
  console.log(`${right ? 'right' : 'WRONG'}  ${what}: ${found}, ${Number(states).toLocaleString('en')} states`);
}

function must(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) {
    throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `exit code ${status}`}\n${stdout}${stderr}`);
  }
  return stdout;
}

function runs(command, argument) {
  return spawnSync(command, [argument], { stdio: 'ignore' }).status === 0;
}
