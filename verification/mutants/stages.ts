/** The tests of a part, stage by stage: what Stryker runs for each mutant. Exit code 1 with the first stage that fails. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PARTS } from './parts.ts';
import { ROOT } from './unit-tests.ts';

const { stages, seeds } = PARTS[process.argv[2]!]!;

function passes(...args: readonly string[]): boolean {
  return spawnSync(process.execPath, ['--import', 'tsx', ...args], { cwd: ROOT, stdio: 'inherit' }).status === 0;
}

/** In one process, which costs each file its own start otherwise. */
function all(files: readonly string[]): string {
  return files.map((file) => `await import(${JSON.stringify(pathToFileURL(join(ROOT, file)))});`).join('\n');
}

for (const files of stages) {
  if (!passes('--input-type=module', '--eval', all(files))) process.exit(1);
}
if (seeds > 0 && !passes('verification/simulation/main.ts', '--seeds', String(seeds), '--jobs', '1')) process.exit(1);
