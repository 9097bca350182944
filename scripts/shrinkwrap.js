/**
 * `node scripts/shrinkwrap.js write|remove`: around `npm pack`. What is published has the versions that were tested: the lockfile
 * without what is for development only, under the name that installers of a package follow.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const [what] = process.argv.slice(2);

if (what === 'write') {
  const lock = JSON.parse(readFileSync(file('package-lock.json'), 'utf8'));
  const { devDependencies: _, ...root } = lock.packages[''];
  const shipped = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  writeFileSync(
    file('npm-shrinkwrap.json'),
    `${JSON.stringify({ ...lock, packages: { '': root, ...Object.fromEntries(shipped) } }, null, 2)}\n`,
  );
} else if (what === 'remove') {
  rmSync(file('npm-shrinkwrap.json'), { force: true });
} else {
  console.error(`usage: node scripts/shrinkwrap.js write|remove, not "${what ?? ''}"`);
  process.exit(2);
}
