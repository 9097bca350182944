/**
 * Where a running stack keeps its data: a folder of the caller's, used by one process at a time and kept, or a fresh
 * one that is removed at the end. A fresh one left by a process that was killed is removed by the next start.
 */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CodedError } from '../engine/errors.ts';
import { lock } from './cache.ts';
import { isAlive } from './processes.ts';

const PREFIX = 'money-enrichment-';

export interface DataFolder {
  readonly path: string;
  readonly kept: boolean;
  /** Removes a fresh folder; releases a kept one. */
  release(): Promise<void>;
}

/** Errors: CONFIG when the folder cannot be used, or another process is using it. */
export async function openDataFolder(named?: string): Promise<DataFolder> {
  if (named === undefined) {
    await removeLeftBehind(tmpdir());
    const path = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
    return { path, kept: false, release: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
  }
  const path = resolve(named);
  try {
    await mkdir(path, { recursive: true });
    const release = await lock(join(path, 'in-use.lock'), {
      onWait: () => {
        throw new CodedError(
          'CONFIG',
          `Another process is using the data folder "${named}". Stop it, or choose another folder.`,
        );
      },
    });
    return { path, kept: true, release };
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError(
      'CONFIG',
      `The data folder "${named}" cannot be used: ${(error as Error).message}. Choose another folder.`,
      {
        cause: error,
      },
    );
  }
}

/** Removes fresh folders whose process is gone; others' folders that may not be removed stay. */
export async function removeLeftBehind(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(parent, name), { recursive: true, force: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPERM' && error.code !== 'EACCES') throw error;
    });
  }
}
