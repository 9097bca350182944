/**
 * `node scripts/slim.js FOLDER`: takes out of an installed `node_modules` what an image never uses: Temporal's native core for other
 * platforms and its sources, and the compiler of workflows, which are built already. Says how much that was.
 */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const [folder] = process.argv.slice(2);
if (folder === undefined || !existsSync(join(folder, '@temporalio/core-bridge/releases'))) {
  console.error(
    `usage: node scripts/slim.js FOLDER, where FOLDER is a node_modules with @temporalio/core-bridge, not "${folder ?? ''}"`,
  );
  process.exit(2);
}

const CPU = { x64: 'x86_64', arm64: 'aarch64' }[process.arch];
const SYSTEM = { linux: 'unknown-linux-gnu', darwin: 'apple-darwin', win32: 'pc-windows-msvc' }[process.platform];
const releases = join(folder, '@temporalio/core-bridge/releases');
const own = `${CPU}-${SYSTEM}`;
if (!existsSync(join(releases, own))) {
  console.error(`${releases} has no "${own}": Temporal's core does not run on this platform`);
  process.exit(1);
}

const unused = [
  ...readdirSync(releases)
    .filter((name) => name !== own)
    .map((name) => join(releases, name)),
  ...['sdk-core', 'src', 'bridge-macros'].map((name) => join(folder, '@temporalio/core-bridge', name)),
  join(folder, '@swc'),
  join(folder, 'swc-loader'),
  // npm prune leaves it empty.
  join(folder, '@esbuild'),
];
const bytes = unused.reduce((sum, path) => sum + sizeOf(path), 0);
for (const path of unused) rmSync(path, { recursive: true, force: true });
console.log(`took out ${Math.round(bytes / 1_000_000)} MB; the core that is left is ${own}`);

function sizeOf(path) {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return 0;
  if (!status.isDirectory()) return status.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
