/** What of the configuration says how payloads in Temporal are encrypted: with the keys of a file, or of a module that gets them. */
import { messageOf } from '../../engine/errors.ts';
import { silentLogger, type Logger } from '../../engine/log.ts';
import { systemClock } from '../../engine/clock.ts';
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';
import { KeyModule } from '../../engine/temporal/key-module.ts';
import type { Encryption } from '../../engine/temporal/key-provider.ts';
import { openKeyring, type Keyring } from '../../engine/temporal/keyring.ts';

/** Neither: payloads are not encrypted. */
export interface EncryptionConfig {
  /** The keyring. */
  readonly encryptionKeysFile?: string;
  /** Path or package of a module whose default export makes a KeyProvider. */
  readonly encryptionKeyProvider?: string;
}

export const KEYS_FILE = 'ENRICHMENT_ENCRYPTION_KEYS_FILE';
const KEY_PROVIDER = 'ENRICHMENT_ENCRYPTION_KEY_PROVIDER';

export function readEncryption(read: EnvironmentReader): EncryptionConfig {
  const [file, provider] = [read.text(KEYS_FILE, ''), read.text(KEY_PROVIDER, '')];
  if (file !== '' && provider !== '') {
    read.add(`${KEYS_FILE} and ${KEY_PROVIDER} are both set: expected one of them`);
    return {};
  }
  if (provider !== '') return { encryptionKeyProvider: provider };
  if (file === '') return {};
  try {
    openKeyring({ file, setting: KEYS_FILE, clock: systemClock, logger: silentLogger() });
  } catch (error) {
    read.add(messageOf(error));
  }
  return { encryptionKeysFile: file };
}

/** For every client and worker of Temporal. Throws CodedError CONFIG when the keyring cannot be used any more. */
export function encryptionOf(
  { encryptionKeysFile: file, encryptionKeyProvider: module }: EncryptionConfig,
  logger: Logger,
): Encryption & { readonly keys: Keyring | KeyModule | undefined } {
  if (module !== undefined) {
    const setting = `${KEY_PROVIDER}="${module}"`;
    const keys = new KeyModule({ module, setting, clock: systemClock, logger });
    return { keys, setting, ready: () => keys.ready() };
  }
  if (file === undefined) return { keys: undefined, setting: KEYS_FILE };
  return {
    keys: openKeyring({ file, setting: KEYS_FILE, clock: systemClock, logger }),
    setting: `${KEYS_FILE}="${file}"`,
  };
}
