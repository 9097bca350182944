/** `npm run docs:build`: the site of `docs/` into `site/.vitepress/dist`, by VitePress. It needs `npm ci --prefix site` once, and no network after that. */
import { cpSync, existsSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const site = fileURLToPath(new URL('../site/', import.meta.url));
const vitepress = `${site}node_modules/vitepress/bin/vitepress.js`;
if (!existsSync(vitepress)) {
  console.error('VitePress is not installed: run "npm ci --prefix site" first');
  process.exit(1);
}
rmSync(`${site}pages`, { recursive: true, force: true });
cpSync(fileURLToPath(new URL('../docs', import.meta.url)), `${site}pages`, { recursive: true });
const { status } = spawnSync(process.execPath, [vitepress, 'build', site], { stdio: 'inherit' });
process.exit(status ?? 1);
