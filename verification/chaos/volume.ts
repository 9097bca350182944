/**
 * A small file system for the broker, which can be filled to its last byte; where mounting is permitted. One that a run
 * left mounted, because it was killed, is removed by the next.
 */
import { mkdtemp, open, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, runProgram } from '../../src/dev/processes.ts';

export interface Volume {
  readonly path: string;
  /** Why it cannot be filled; undefined when it can. */
  readonly unfillable: string | undefined;
  /** Leaves no room. */
  fill(): Promise<void>;
  empty(): Promise<void>;
  /** Unmounts and removes it. */
  release(): Promise<void>;
}

const PREFIX = 'chaos-disk-';
const MEGABYTE = 1_048_576;

export async function createVolume(megabytes: number): Promise<Volume> {
  await removeLeftBehind();
  const path = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const filler = join(path, 'filler');
  const { code, stderr } = await runProgram('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'chaos', path]);
  const mounted = code === 0;
  return {
    path,
    unfillable: mounted
      ? undefined
      : `a small file system cannot be mounted here (${stderr.trim() || `mount ended with ${code}`})`,
    async fill() {
      const block = Buffer.alloc(MEGABYTE);
      const file = await open(filler, 'w');
      try {
        for (let size = MEGABYTE; size >= 1; size = Math.floor(size / 16)) {
          // Whatever is freed meanwhile is taken again by the smaller blocks.
          while ((await statfs(path)).bfree > 0 && (await file.write(block, 0, size)).bytesWritten === size);
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        await file.close();
      }
    },
    empty: () => rm(filler, { force: true }),
    async release() {
      if (mounted) await unmount(path);
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function unmount(path: string): Promise<void> {
  const { code, stderr } = await runProgram('umount', [path]);
  if (code !== 0) throw new Error(`${path} cannot be unmounted: ${stderr.trim()}`);
}

async function removeLeftBehind(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const path = join(tmpdir(), name);
    await runProgram('umount', [path]); // it may not have been mounted
    await rm(path, { recursive: true, force: true });
  }
}
