/** Makes broken builds in copies of the code and runs there what must catch them. */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrokenBuild, Edit } from './builds.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = [
  'src',
  'workflows',
  'activities',
  'test',
  'verification',
  'examples',
  'bin',
  'schemas',
  'package.json',
  'tsconfig.json',
];

/** ms; what hangs has not said what is wrong. */
const HUNG_AFTER = 300_000;
/** ms for what has failed to stop what it has started. */
const END_WITHIN = 500;
const FAILED = { simulation: /^seed \d+ failed:$/m, test: /^ *not ok .*$/m };

export interface SimulationSize {
  readonly seeds: number;
  readonly jobs: number;
}

export interface Caught {
  readonly caught: boolean;
  /** What it said, from the end. */
  readonly output: string;
  readonly seconds: number;
}

/** The folder of the broken build; the caller removes it. Throws when the code to break is not there. */
export async function makeBrokenBuild({ name, edits }: Pick<BrokenBuild, 'name' | 'edits'>): Promise<string> {
  const folder = await copyOfTheCode(name);
  for (const edit of edits) await apply(folder, name, edit);
  return folder;
}

async function copyOfTheCode(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `broken-${name}-`));
  for (const item of COPIED) await cp(join(ROOT, item), join(folder, item), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Resolves to what puts the text back. */
async function apply(folder: string, name: string, { file, find, replace }: Edit): Promise<() => Promise<void>> {
  const path = join(folder, file);
  const text = await readFile(path, 'utf8');
  const places = text.split(find).length - 1;
  if (places !== 1) {
    throw new Error(
      `broken build "${name}": the text to change is ${places} times in ${file}: adapt verification/broken/builds.ts`,
    );
  }
  await writeFile(
    path,
    text.replace(find, () => replace),
  );
  return () => writeFile(path, text);
}

/**
 * A copy of the code in which one build after the other is made and run. It is one folder for all of them, so that what
 * is compiled for one, which is all but the edited files, is compiled for those after it too.
 */
export class Workbench {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(): Promise<Workbench> {
    return new Workbench(await copyOfTheCode('builds'));
  }

  /**
   * One build at a time. `seeds`: of the simulation, at most; `jobs`: its processes. Caught means: it failed, and said so in
   * its own words, not by a crash.
   */
  async run({ name, edits, narrow, app, caughtBy }: BrokenBuild, { seeds, jobs }: SimulationSize): Promise<Caught> {
    const undo: (() => Promise<void>)[] = [];
    const began = performance.now();
    try {
      for (const edit of edits) undo.push(await apply(this.#folder, name, edit));
      const { failed, output } = await (caughtBy === 'simulate'
        ? run(this.#folder, FAILED.simulation, [
            ...['verification/simulation/main.ts', '--impatient'],
            ...['--seeds', String(seeds), '--jobs', String(jobs)],
            ...(narrow === undefined ? [] : ['--narrow', narrow]),
            ...(app === undefined ? [] : ['--app', app]),
          ])
        : run(this.#folder, FAILED.test, ['--test-reporter=tap', caughtBy.test]));
      return { caught: failed, output, seconds: Math.round((performance.now() - began) / 1_000) };
    } finally {
      // Backwards: two edits may be of one file.
      for (const restore of undo.reverse()) await restore();
    }
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Failed is what has said so in its own words, not by a crash, and not by hanging. A test is ended soon after its first
 * failure: the others of its file may hang. The simulation ends by itself, and says then what was wrong.
 */
function run(
  cwd: string,
  failure: RegExp,
  arguments_: readonly string[],
): Promise<{ failed: boolean; output: string }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', ...arguments_], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, with the servers that it starts
  });
  let output = '';
  let failing = false;
  const timers: NodeJS.Timeout[] = [];
  const endAfter = (ms: number): void => {
    timers.push(setTimeout(() => void process.kill(-child.pid!, 'SIGKILL'), ms));
  };
  endAfter(HUNG_AFTER);
  const read = (data: Buffer): void => {
    output += data.toString();
    if (failing || !failure.test(output)) return;
    failing = true;
    endAfter(END_WITHIN);
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => timers.forEach(clearTimeout));
    child.on('close', () => resolve({ failed: failing, output }));
  });
}
