import assert from 'node:assert/strict';
import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { cacheFolder, cached, lock } from '../../src/dev/cache.ts';
import { isAlive } from '../../src/dev/processes.ts';

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cache-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A pid that no process has: larger than any system gives out. */
const DEAD_PID = 2 ** 30;

test('the cache is where MONEY_ENRICHMENT_CACHE says, or in the cache folder of the user', () => {
  assert.equal(cacheFolder({ MONEY_ENRICHMENT_CACHE: '/x/y', XDG_CACHE_HOME: '/z' }, 'linux', '/home/a'), '/x/y');
  assert.equal(cacheFolder({ XDG_CACHE_HOME: '/z' }, 'linux', '/home/a'), '/z/money-enrichment');
  assert.equal(cacheFolder({}, 'linux', '/home/a'), '/home/a/.cache/money-enrichment');
  assert.equal(cacheFolder({}, 'darwin', '/Users/a'), '/Users/a/Library/Caches/money-enrichment');
});

test('an entry is filled once, and found afterwards', async (t) => {
  const folder = await folderFor(t);
  let fills = 0;
  const fill = async (into: string): Promise<void> => {
    fills++;
    await writeFile(join(into, 'file'), 'content');
  };
  const first = await cached('thing-1', fill, { folder });
  const second = await cached('thing-1', fill, { folder });
  assert.equal(first, join(folder, 'thing-1'));
  assert.equal(second, first);
  assert.equal(fills, 1);
  assert.equal(await readFile(join(first, 'file'), 'utf8'), 'content');
  assert.deepEqual(await readdir(folder), ['thing-1']);
});

test('a fill that fails leaves no trace, and the next one is tried', async (t) => {
  const folder = await folderFor(t);
  const failing = cached(
    'thing-1',
    async (into) => {
      await writeFile(join(into, 'half'), '');
      throw new Error('no network');
    },
    { folder },
  );
  await assert.rejects(failing, /no network/);
  assert.deepEqual(await readdir(folder), []);
  await cached('thing-1', async () => undefined, { folder });
  assert.deepEqual(await readdir(folder), ['thing-1']);
});

test('two who want the same entry at once fill it once; the second is told to wait', async (t) => {
  const folder = await folderFor(t);
  let fills = 0;
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (go = resolve));
  const fill = async (): Promise<void> => {
    fills++;
    await gate;
  };
  const first = cached('thing-1', fill, { folder });
  while (fills === 0) await new Promise(setImmediate);
  await new Promise<void>((resolve, reject) => {
    cached('thing-1', fill, { folder, onWait: go }).then(() => resolve(), reject);
  });
  await first;
  assert.equal(fills, 1);
});

test('waiting for a lock ends with the signal, and leaves the lock to its holder', async (t) => {
  const file = join(await folderFor(t), 'lock');
  const unlock = await lock(file);
  const abort = new AbortController();
  const waiting = lock(file, { signal: abort.signal, onWait: () => abort.abort(new Error('stop')) });
  await assert.rejects(waiting);
  assert.match(await readFile(file, 'utf8'), new RegExp(`^${process.pid} `));
  await unlock();
  assert.deepEqual(await readdir(join(file, '..')), []);
});

test('the lock of a dead process is taken over', async (t) => {
  const file = join(await folderFor(t), 'lock');
  await writeFile(file, `${DEAD_PID} x`);
  const unlock = await lock(file);
  assert.match(await readFile(file, 'utf8'), new RegExp(`^${process.pid} `));
  await unlock();
});

test('a release takes away nothing but its own lock', async (t) => {
  const file = join(await folderFor(t), 'lock');
  const unlock = await lock(file);
  await writeFile(file, `${process.pid} of somebody else`);
  await unlock();
  assert.equal(await readFile(file, 'utf8'), `${process.pid} of somebody else`);
});

test('an existing entry needs no lock', async (t) => {
  const folder = await folderFor(t);
  await mkdir(join(folder, 'thing-1'));
  await writeFile(join(folder, 'thing-1.lock'), `${process.pid} held`);
  await cached('thing-1', () => Promise.reject(new Error('not to be filled')), { folder });
});

test('isAlive tells running processes from dead ones', () => {
  assert.equal(isAlive(process.pid), true);
  assert.equal(isAlive(DEAD_PID), false);
});
