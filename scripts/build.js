/** Builds what is published: dist/ from the TypeScript sources, and the workflow bundle of production workers. */
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');
const require = createRequire(import.meta.url);

rmSync(DIST, { recursive: true, force: true });
const compiled = spawnSync(
  process.execPath,
  [require.resolve('typescript/bin/tsc'), '-p', join(ROOT, 'tsconfig.build.json')],
  { stdio: 'inherit' },
);
if (compiled.status !== 0) process.exit(1);

const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn: console.warn, error: console.error };
// Read at run time beside the code.
cpSync(join(ROOT, 'schemas'), join(DIST, 'schemas'), { recursive: true });
const { bundleWorkflows } = await import(
  pathToFileURL(join(DIST, 'src', 'engine', 'worker', 'workflow-version.js')).href
);
writeFileSync(
  join(DIST, 'workflows.json'),
  JSON.stringify(await bundleWorkflows(join(DIST, 'workflows', 'index.js'), quiet)),
);
