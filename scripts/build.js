/**
 * Builds what is published: dist/ from the TypeScript sources, and the workflow bundle of production workers.
 * `--package FOLDER`: the whole package as its users have it, in an empty folder, without types, which other commands check.
 */
import { cpSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const { values } = parseArgs({ options: { package: { type: 'string' } } });
const folder = values.package === undefined ? ROOT : resolve(values.package);
const dist = join(folder, 'dist');

rmSync(dist, { recursive: true, force: true });
const compiled = spawnSync(
  process.execPath,
  [
    require.resolve('typescript/bin/tsc'),
    ...['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', dist],
    ...(values.package === undefined ? [] : ['--noCheck', '--declaration', 'false']),
  ],
  { stdio: 'inherit' },
);
if (compiled.status !== 0) process.exit(1);
if (values.package !== undefined) {
  for (const name of ['bin', 'package.json', 'docker-compose.yml']) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
}

const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn: console.warn, error: console.error };
// Read at run time beside the code; what is CommonJS the compiler leaves out.
cpSync(join(ROOT, 'schemas'), join(dist, 'schemas'), { recursive: true });
const failures = join('src', 'engine', 'temporal', 'encoded-failures.cjs');
cpSync(join(ROOT, failures), join(dist, failures));
const { bundleWorkflows } = await import(
  pathToFileURL(join(dist, 'src', 'engine', 'worker', 'workflow-version.js')).href
);
writeFileSync(
  join(dist, 'workflows.json'),
  JSON.stringify(await bundleWorkflows(join(dist, 'workflows', 'index.js'), quiet)),
);
