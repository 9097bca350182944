/** Another commit of this repository, built as it was published then. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

export interface OlderBuild {
  /** Program and arguments in front of `bridge` or `worker`. */
  readonly command: readonly [string, ...string[]];
  /** What workers of a later build need to go on with its pinned runs (ENRICHMENT_OLDER_WORKFLOWS). */
  readonly workflows: string;
  remove(): Promise<void>;
}

/** `commit`: any name that git knows. Some two minutes. Throws what git, npm or its own build say. */
export async function buildOlder(commit: string): Promise<OlderBuild> {
  const folder = await mkdtemp(join(tmpdir(), 'older-build-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await run('bash', ['-c', 'set -o pipefail; git archive "$1" | tar -x -C "$2"', 'bash', commit, folder], {
      cwd: ROOT,
    });
    await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
    await run('npm', ['run', '--silent', 'build'], { cwd: folder });
    // Where the sources are, they are run, and not what was built of them.
    await rm(join(folder, 'src'), { recursive: true });
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    command: [process.execPath, join(folder, 'bin/money-enrichment.js')],
    workflows: join(folder, 'dist/workflows.json'),
    remove,
  };
}
