/**
 * `build.ts PART SEEDS quick|all`: bundles the tests of a part, once, after Stryker has put all its mutants into the sources, of which an environment
 * variable chooses one. Each mutant would read and compile hundreds of files otherwise.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PARTS } from './parts.ts';
import type { Stage } from './stages.ts';
import { ROOT } from './unit-tests.ts';

interface Esbuild {
  build(options: object): Promise<unknown>;
}
interface Setup {
  onLoad(filter: { filter: RegExp }, load: (file: { path: string }) => object): void;
}

const esbuild = createRequire(import.meta.resolve('tsx'))('esbuild') as Esbuild;
const BUILT = join(ROOT, '.cache/mutants');
/** A test that loads sources by itself finds them beside it, and runs as it is. */
const bundles = (file: string): boolean => !readFileSync(join(ROOT, file), 'utf8').includes('import.meta.resolve');

const { stages, slow = [] } = PARTS[process.argv[2]!]!;
const seeds = process.argv[3]!;
const run: Stage[] = [];
mkdirSync(BUILT, { recursive: true });
for (const files of stages) await add(files);
if (Number(seeds) > 0) run.push([await bundle(['verification/simulation/main.ts']), '--seeds', seeds, '--jobs', '1']);
if (process.argv[4] === 'all') await add(slow);
writeFileSync(join(BUILT, 'stages.json'), JSON.stringify(run));
for (const name of ['stages', 'first-failure']) {
  await esbuild.build({
    entryPoints: [fileURLToPath(new URL(`${name}.ts`, import.meta.url))],
    outfile: join(BUILT, `${name}.mjs`),
    platform: 'node',
    format: 'esm',
  });
}

async function add(files: readonly string[]): Promise<void> {
  const bundled = files.filter(bundles);
  if (bundled.length > 0) run.push([await bundle(bundled)]);
  for (const file of files) if (!bundles(file)) run.push(['--import', 'tsx', file]);
}

/** One module that imports all of these. What a file reads, it reads from where its source is. */
async function bundle(files: readonly string[]): Promise<string> {
  const outfile = join(BUILT, `${run.length}.mjs`);
  await esbuild.build({
    stdin: { contents: files.map((file) => `import ${JSON.stringify(`./${file}`)};`).join('\n'), resolveDir: ROOT },
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    plugins: [
      {
        name: 'own-url',
        setup: ({ onLoad }: Setup) =>
          onLoad({ filter: /\.ts$/ }, ({ path }) => ({
            loader: 'ts',
            contents: readFileSync(path, 'utf8').replaceAll(
              'import.meta.url',
              JSON.stringify(pathToFileURL(path).href),
            ),
          })),
      },
    ],
  });
  return outfile;
}
