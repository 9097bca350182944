/** Makes a broken build in a folder of its own and runs what must catch it there. */
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
  'bin',
  'schemas',
  'package.json',
  'tsconfig.json',
];

/** ms; a test of something that is waited for may wait for ever where that is broken. */
const TEST_TIMEOUT = 60_000;

export interface Caught {
  readonly caught: boolean;
  /** What it said, from the end. */
  readonly output: string;
  readonly seconds: number;
}

/** The folder of the broken build; the caller removes it. Throws when the code to break is not there. */
export async function makeBrokenBuild({ name, edits }: Pick<BrokenBuild, 'name' | 'edits'>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `broken-${name}-`));
  for (const item of COPIED) await cp(join(ROOT, item), join(folder, item), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const edit of edits) await apply(folder, name, edit);
  return folder;
}

async function apply(folder: string, name: string, { file, find, replace }: Edit): Promise<void> {
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
}

/** `seeds`: of the simulation, at most. Caught means: it failed, and said so in its own words, not by a crash. */
export async function runBrokenBuild(build: BrokenBuild, seeds: number): Promise<Caught> {
  const folder = await makeBrokenBuild(build);
  const began = performance.now();
  try {
    const arguments_ =
      build.caughtBy === 'simulate'
        ? [
            '--import',
            'tsx',
            'verification/simulation/main.ts',
            '--seeds',
            String(seeds),
            ...(build.narrow === undefined ? [] : ['--narrow', build.narrow]),
          ]
        : ['--import', 'tsx', '--test', `--test-timeout=${TEST_TIMEOUT}`, build.caughtBy.test];
    const { code, output } = await node(folder, arguments_);
    const verdict = build.caughtBy === 'simulate' ? /^seed \d+ failed:$/m : /^# (fail|cancelled) [1-9]/m;
    return {
      caught: code === 1 && verdict.test(output),
      output,
      seconds: Math.round((performance.now() - began) / 1_000),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function node(cwd: string, arguments_: readonly string[]): Promise<{ code: number | null; output: string }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, arguments_, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve({ code, output }));
  });
}
