/**
 * Keys that a module of somebody's own gets, from a service that keeps keys as a rule. Its default export makes a {@link KeyProvider}.
 * Keys that were once got are remembered: what was read stays readable while the service is away, and what is written is encrypted.
 */
import { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '../clock.ts';
import { CodedError, messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { EncryptionKey, KeyProvider } from './key-provider.ts';

/** ms after which the current key is asked for again, beside the work. */
const ASK_EVERY = 60_000;
const KEY_BYTES = 32;

export interface KeyModuleOptions {
  /** A path, from where the process runs, when it begins with `.` or `/`; else the name of a package. */
  readonly module: string;
  /** What names the module, for people. */
  readonly setting: string;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly logger: Logger;
}

export class KeyModule implements KeyProvider {
  readonly #options: KeyModuleOptions;
  readonly #known = new Map<string, EncryptionKey>();
  readonly #asking = new Map<string | null, Promise<EncryptionKey | undefined>>();
  #provider: Promise<KeyProvider> | undefined;
  #current: EncryptionKey | undefined;
  #askedAt = 0;
  #problem: string | null = null;

  constructor(options: KeyModuleOptions) {
    this.#options = options;
  }

  /** Why the current key could not be had when it was last asked for; null when it could. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Rejects with CodedError CONFIG when the module cannot be used. Asks for no key: who only reads may not be allowed the current one. */
  async ready(): Promise<void> {
    await this.#load();
  }

  async current(): Promise<EncryptionKey> {
    if (this.#current === undefined) return (await this.#ask(null))!;
    if (this.#options.clock.elapsed() - this.#askedAt >= ASK_EVERY) {
      this.#ask(null).catch((error: unknown) => this.#options.logger.error(messageOf(error)));
    }
    return this.#current;
  }

  async byId(id: string): Promise<EncryptionKey | undefined> {
    return this.#known.get(id) ?? (await this.#ask(id));
  }

  /** Null: for the current key. One request at a time for each. */
  #ask(id: string | null): Promise<EncryptionKey | undefined> {
    const under = this.#asking.get(id);
    if (under !== undefined) return under;
    const asked = this.#answer(id).finally(() => this.#asking.delete(id));
    this.#asking.set(id, asked);
    return asked;
  }

  async #answer(id: string | null): Promise<EncryptionKey | undefined> {
    if (id === null) this.#askedAt = this.#options.clock.elapsed();
    const what = id === null ? 'current()' : 'byId()';
    try {
      const provider = await this.#load();
      const key: unknown = await (id === null ? provider.current() : provider.byId(id));
      if (id !== null && (key === undefined || key === null)) return undefined;
      if (!isKey(key) || (id !== null && key.id !== id)) {
        throw new Error(`expected {id, key}, the id as asked for, key a secret KeyObject of ${KEY_BYTES} bytes`);
      }
      this.#known.set(key.id, key);
      if (id === null) [this.#current, this.#problem] = [key, null];
      return key;
    } catch (error) {
      const told =
        error instanceof CodedError ? error : this.#error('UNREACHABLE', `${what}: ${messageOf(error)}`, error);
      if (id === null) this.#problem = told.message;
      throw told;
    }
  }

  /** What failed is tried again with the next key that is asked for. */
  #load(): Promise<KeyProvider> {
    const loaded = (this.#provider ??= this.#make());
    loaded.catch(() => (this.#provider = undefined));
    return loaded;
  }

  async #make(): Promise<KeyProvider> {
    const { module } = this.#options;
    const file = /^\.{0,2}\//.test(module) ? resolve(module) : undefined;
    if (file !== undefined && !existsSync(file)) throw this.#error('CONFIG', `there is no file ${file}`);
    const { default: make } = await this.#tried('it cannot be loaded', async () => {
      return (await import(file === undefined ? module : pathToFileURL(file).href)) as { readonly default?: unknown };
    });
    const expected = 'expected a default export that is a function and makes a KeyProvider';
    if (typeof make !== 'function') throw this.#error('CONFIG', `${expected}, and it is ${typeof make}`);
    const made = await this.#tried('its default export failed', async () => (await make()) as Partial<KeyProvider>);
    const missing = (['current', 'byId'] as const).filter((name) => typeof made?.[name] !== 'function');
    if (missing.length > 0) {
      throw this.#error('CONFIG', `${expected}, and what it makes has no function ${missing.join(' and ')}`);
    }
    return made as KeyProvider;
  }

  async #tried<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      throw this.#error('CONFIG', `${what} (${messageOf(error)})`, error);
    }
  }

  #error(code: 'CONFIG' | 'UNREACHABLE', what: string, cause?: unknown): CodedError {
    return new CodedError(code, `${this.#options.setting}: ${what}`, { cause });
  }
}

function isKey(given: unknown): given is EncryptionKey {
  const { id, key } = (given ?? {}) as Partial<EncryptionKey>;
  return typeof id === 'string' && id !== '' && key instanceof KeyObject && key.symmetricKeySize === KEY_BYTES;
}
