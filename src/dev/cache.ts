/**
 * The cache of fetched programs, outside the repository.
 *
 * An entry is a folder that appears whole or not at all: it is filled under another name and renamed. The lock only
 * saves two processes from fetching the same thing at once; nothing breaks if both do.
 */
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './processes.ts';

/** ms; a lock is touched that often while it is held, and is stale after STALE_MS without. */
const TOUCH_MS = 5_000;
const STALE_MS = 60_000;
const POLL_MS = 200;

/** $MONEY_ENRICHMENT_CACHE, or `money-enrichment` in the user's cache folder. */
export function cacheFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home = homedir(),
): string {
  const named = env['MONEY_ENRICHMENT_CACHE'];
  if (named) return named;
  if (env['XDG_CACHE_HOME']) return join(env['XDG_CACHE_HOME'], 'money-enrichment');
  return platform === 'darwin'
    ? join(home, 'Library', 'Caches', 'money-enrichment')
    : join(home, '.cache', 'money-enrichment');
}

export interface CacheOptions {
  readonly folder?: string;
  readonly signal?: AbortSignal | undefined;
  /** Told once, when another process is seen to be filling the entry. */
  readonly onWait?: () => void;
}

/**
 * The folder of entry `name`, filled by `fill(emptyFolder)` if it is not there yet. Errors: those of `fill`, after which
 * no trace of the attempt is left; the signal's reason while waiting for another process.
 */
export async function cached(
  name: string,
  fill: (folder: string) => Promise<void>,
  options: CacheOptions = {},
): Promise<string> {
  const entry = join(options.folder ?? cacheFolder(), name);
  if (await exists(entry)) return entry;
  await mkdir(dirname(entry), { recursive: true });
  const unlock = await lock(`${entry}.lock`, options);
  const work = `${entry}.${randomUUID()}.part`;
  try {
    if (await exists(entry)) return entry;
    await mkdir(work);
    await fill(work);
    await rename(work, entry).catch(async (error: unknown) => {
      if (!(await exists(entry))) throw error;
    });
    return entry;
  } finally {
    await rm(work, { recursive: true, force: true });
    await unlock();
  }
}

/** Takes the lock file, waiting for its holder; one left by a dead process is taken over. Returns the release. */
export async function lock(file: string, options: CacheOptions = {}): Promise<() => Promise<void>> {
  const token = `${process.pid} ${randomUUID()}`;
  for (let waited = false; ;) {
    options.signal?.throwIfAborted();
    if (await create(file, token)) break;
    if (await isStale(file)) {
      await rm(file, { force: true });
      continue;
    }
    if (!waited) options.onWait?.();
    waited = true;
    await sleep(POLL_MS, undefined, options.signal ? { signal: options.signal } : {});
  }
  const touch = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), TOUCH_MS);
  touch.unref();
  return async () => {
    clearInterval(touch);
    if ((await contents(file)) === token) await rm(file, { force: true });
  };
}

async function create(file: string, token: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(token);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(file: string): Promise<boolean> {
  const [text, age] = await Promise.all([contents(file), ageOf(file)]);
  if (text === undefined || age === undefined) return false; // released meanwhile
  if (age > STALE_MS) return true;
  const pid = Number.parseInt(text, 10);
  return Number.isNaN(pid) ? age > POLL_MS * 5 : !isAlive(pid); // empty: its maker is about to write it
}

async function contents(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}

async function ageOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    (found) => Date.now() - found.mtimeMs,
    () => undefined,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
