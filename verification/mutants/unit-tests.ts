import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The unit tests of a folder, without those below it. */
export function unitTestsIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.test.ts') && !/\.(int|e2e)\.test\.ts$/.test(name))
    .map((name) => `${folder}/${name}`)
    .sort();
}
