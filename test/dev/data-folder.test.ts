import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { openDataFolder, removeLeftBehind } from '../../src/dev/data-folder.ts';

const DEAD_PID = 2 ** 30;

test('without a name a fresh folder is made, and removed at the end', async () => {
  const one = await openDataFolder();
  const two = await openDataFolder();
  assert.notEqual(one.path, two.path);
  assert.equal(one.kept, false);
  await writeFile(join(one.path, 'file'), '');
  await one.release();
  await two.release();
  await assert.rejects(stat(one.path), { code: 'ENOENT' });
});

test('a named folder is made, kept, and used by one at a time', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'data-test-'));
  t.after(() => rm(parent, { recursive: true, force: true }));
  const path = join(parent, 'a', 'b');
  const first = await openDataFolder(path);
  assert.equal(first.kept, true);
  await assert.rejects(openDataFolder(path), {
    code: 'CONFIG',
    message: /Another process is using the data folder ".*b"/,
  });
  await writeFile(join(path, 'file'), '');
  await first.release();
  const second = await openDataFolder(path);
  await second.release();
  assert.deepEqual(await readdir(path), ['file']);
});

test('a folder that cannot be used is wrong configuration', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'data-test-'));
  t.after(() => rm(parent, { recursive: true, force: true }));
  await writeFile(join(parent, 'file'), '');
  await assert.rejects(openDataFolder(join(parent, 'file')), { code: 'CONFIG', message: /cannot be used/ });
});

test('what a killed process left behind is removed, what a living one uses is not', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'data-test-'));
  t.after(() => rm(parent, { recursive: true, force: true }));
  for (const name of [`money-enrichment-${DEAD_PID}-abc`, `money-enrichment-${process.pid}-abc`, 'other']) {
    await mkdir(join(parent, name));
  }
  await removeLeftBehind(parent);
  assert.deepEqual((await readdir(parent)).sort(), [`money-enrichment-${process.pid}-abc`, 'other']);
});
