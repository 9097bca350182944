/**
 * The tests of a part, stage by stage, as build.ts has built them: what Stryker runs for each mutant. Exit code 1 with the first stage
 * that fails. The first run is without a mutant: how long each stage takes then says when one hangs.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Arguments of Node. */
export type Stage = readonly string[];

/** ms, and so many times what is usual, for a machine that does something else too. */
const PATIENCE = { least: 10_000, times: 4 };

const built = import.meta.dirname;
const stages = JSON.parse(readFileSync(join(built, 'stages.json'), 'utf8')) as Stage[];
const usualFile = join(built, 'usual.json');
const hasMutant = process.env['__STRYKER_ACTIVE_MUTANT__'] !== undefined;
const usual = hasMutant ? (JSON.parse(readFileSync(usualFile, 'utf8')) as number[]) : [];
const took: number[] = [];

for (const [n, stage] of stages.entries()) {
  const began = performance.now();
  const { status, signal } = spawnSync(
    process.execPath,
    [`--test-reporter=${join(built, 'first-failure.mjs')}`, ...stage],
    {
      stdio: 'inherit',
      killSignal: 'SIGKILL',
      ...(hasMutant && { timeout: Math.ceil(Math.max(PATIENCE.least, PATIENCE.times * usual[n]!)) }),
    },
  );
  if (status !== 0) {
    console.log(`stage ${n + 1} ${signal === 'SIGKILL' ? 'hangs' : 'fails'}`);
    process.exit(1);
  }
  took.push(performance.now() - began);
}
if (!hasMutant) writeFileSync(usualFile, JSON.stringify(took));
