/** The site of docs/: its navigation, and it builds where VitePress is installed. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../src/dev/processes.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

test('the navigation names pages that there are, each once; others come under "More"', () => {
  const config = readFileSync(`${ROOT}site/.vitepress/config.js`, 'utf8');
  const pages = [...config.matchAll(/page\('[^']+', '([\w-]+)'\)/g)].map(([, name]) => `${name}.md`);
  assert.match(config, /'start\.md': 'index\.md'/);
  const there = readdirSync(`${ROOT}docs`);
  assert.ok(pages.length > 25);
  assert.equal(new Set(pages).size, pages.length);
  for (const name of pages) assert.ok(there.includes(name), name);
  assert.match(config, /text: 'More', items: others\(\)/);
});

test('it builds', { timeout: 300_000 }, async (t) => {
  if (!existsSync(`${ROOT}site/node_modules/vitepress`)) {
    return t.skip('VitePress is not installed: npm ci --prefix site');
  }
  const { code, stdout, stderr } = await runProgram('npm', ['run', '--silent', 'docs:build'], { cwd: ROOT });
  assert.equal(code, 0, stdout + stderr);
  const start = readFileSync(`${ROOT}site/.vitepress/dist/index.html`, 'utf8');
  assert.match(start, /First steps/);
  assert.ok(existsSync(`${ROOT}site/.vitepress/dist/disaster-recovery.html`));
});
