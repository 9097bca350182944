/** Where the keys of encrypted payloads come from: a file (keyring.ts), or a module that asks a service which keeps keys (key-module.ts). */
import type { KeyObject } from 'node:crypto';

export interface EncryptionKey {
  /** Stands in the metadata of each payload, readable for everybody. */
  readonly id: string;
  /** Secret, of 32 bytes. */
  readonly key: KeyObject;
}

/** Asked for each payload: what is slow to ask is to be remembered. What it rejects with fails a task, which is tried again. */
export interface KeyProvider {
  /** What new payloads are encrypted with. */
  current(): Promise<EncryptionKey>;
  /** Undefined: there is none of this id. */
  byId(id: string): Promise<EncryptionKey | undefined>;
}

/** Whether and with what payloads are encrypted. */
export interface Encryption {
  /** Undefined: nothing is encrypted. */
  readonly keys: KeyProvider | undefined;
  /** What names the keys, for people: a variable, or a variable and the file that it names. */
  readonly setting: string;
  /** Before they are used: rejects with CodedError CONFIG where the keys can never be had. */
  readonly ready?: () => Promise<void>;
}

export const NO_ENCRYPTION: Encryption = { keys: undefined, setting: 'a keyring' };
