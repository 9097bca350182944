/**
 * Keys in a file: `{"current": "2026-11", "keys": {"2026-11": "<base64 of 32 bytes>", ...}}`. The file is looked at again, at most
 * once a second and only when keys are asked for, so that a new key is used without a restart. What cannot be used is told, and the
 * keys that were read before stay.
 */
import { createSecretKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Clock } from '../clock.ts';
import { CodedError, messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { printable } from '../printable.ts';
import type { EncryptionKey, KeyProvider } from './key-provider.ts';

/** ms between two looks at the file. */
const LOOK_EVERY = 1_000;
const KEY_BYTES = 32;
const ID = /^[A-Za-z0-9._:/-]{1,100}$/;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

interface Keys {
  readonly current: EncryptionKey;
  readonly byId: ReadonlyMap<string, EncryptionKey>;
}

export interface KeyringOptions {
  readonly file: string;
  /** What names the file, for people. */
  readonly setting: string;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly logger: Logger;
}

/** Reads the file. Throws CodedError CONFIG when it cannot be used. */
export function openKeyring(options: KeyringOptions): Keyring {
  return new Keyring(options, readKeys(options), markOf(options.file));
}

export class Keyring implements KeyProvider {
  readonly #options: KeyringOptions;
  #keys: Keys;
  /** Of the file as it was last looked at. */
  #mark: string;
  #lookedAt: number;
  #problem: string | null = null;

  constructor(options: KeyringOptions, keys: Keys, mark: string) {
    this.#options = options;
    this.#keys = keys;
    this.#mark = mark;
    this.#lookedAt = options.clock.elapsed();
  }

  /** Why the file cannot be used as it is now; null when it can. Keys that were read before are used meanwhile. */
  get problem(): string | null {
    this.#look();
    return this.#problem;
  }

  /** Of all keys, the current one first. */
  get ids(): readonly string[] {
    this.#look();
    const { current, byId } = this.#keys;
    return [current.id, ...[...byId.keys()].filter((id) => id !== current.id)];
  }

  current(): Promise<EncryptionKey> {
    this.#look();
    return Promise.resolve(this.#keys.current);
  }

  byId(id: string): Promise<EncryptionKey | undefined> {
    this.#look();
    // Another process may have seen a new key a moment before this one.
    if (!this.#keys.byId.has(id)) this.#readIfChanged();
    return Promise.resolve(this.#keys.byId.get(id));
  }

  #look(): void {
    if (this.#options.clock.elapsed() - this.#lookedAt >= LOOK_EVERY) this.#readIfChanged();
  }

  #readIfChanged(): void {
    const { file, clock, logger } = this.#options;
    this.#lookedAt = clock.elapsed();
    const mark = markOf(file);
    if (mark === this.#mark) return;
    this.#mark = mark;
    try {
      this.#keys = readKeys(this.#options);
      this.#problem = null;
      logger.info(
        { currentKey: this.#keys.current.id, keys: this.#keys.byId.size },
        'the keyring changed: new payloads are encrypted with its current key',
      );
    } catch (error) {
      this.#problem = messageOf(error);
      logger.error(
        { currentKey: this.#keys.current.id },
        `${this.#problem}; the keys that were read before stay in use`,
      );
    }
  }
}

/** Changes with the file, also when another one is put into its place. */
function markOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? '' : `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}

function readKeys({ file, setting }: KeyringOptions): Keys {
  const problem = (what: string, cause?: unknown): CodedError =>
    new CodedError('CONFIG', `${setting}="${printable(file)}": ${what}`, { cause });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw problem(`cannot be read (${messageOf(error)})`, error);
  }
  const keys = keysIn(text);
  if (typeof keys === 'string') throw problem(keys);
  return keys;
}

/** A text says what is wrong, and quotes no key. */
function keysIn(text: string): Keys | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return `expected JSON such as ${EXAMPLE}, and it is none`;
  }
  const { current, keys } = (isObject(json) ? json : {}) as { current?: unknown; keys?: unknown };
  if (typeof current !== 'string' || !isObject(keys)) return `expected an object such as ${EXAMPLE}`;
  const byId = new Map<string, EncryptionKey>();
  for (const [id, value] of Object.entries(keys)) {
    if (!ID.test(id)) {
      return `the key id "${printable(id).slice(0, 100)}": expected up to 100 letters, digits, ".", "_", ":", "/" and "-"`;
    }
    const bytes = typeof value === 'string' && BASE64.test(value) ? Buffer.from(value, 'base64') : undefined;
    if (bytes?.length !== KEY_BYTES) {
      return `the key "${id}": expected 32 bytes in base64, such as "openssl rand -base64 32" makes`;
    }
    byId.set(id, { id, key: createSecretKey(bytes) });
  }
  const used = byId.get(current);
  return used === undefined
    ? `"current" is "${printable(current).slice(0, 100)}": expected the id of one of its keys`
    : { current: used, byId };
}

const EXAMPLE = '{"current":"2026-11","keys":{"2026-11":"<base64 of 32 bytes>"}}';

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
