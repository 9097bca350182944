/** What of the configuration says how payloads in Temporal are encrypted. */
import { messageOf } from '../../engine/errors.ts';
import { silentLogger, type Logger } from '../../engine/log.ts';
import { systemClock } from '../../engine/clock.ts';
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';
import type { Encryption } from '../../engine/temporal/key-provider.ts';
import { openKeyring, type Keyring } from '../../engine/temporal/keyring.ts';

export interface EncryptionConfig {
  /** The keyring; undefined: payloads are not encrypted. */
  readonly encryptionKeysFile?: string;
}

export const KEYS_FILE = 'ENRICHMENT_ENCRYPTION_KEYS_FILE';

export function readEncryption(read: EnvironmentReader): EncryptionConfig {
  const file = read.text(KEYS_FILE, '');
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
  { encryptionKeysFile: file }: EncryptionConfig,
  logger: Logger,
): Encryption & { readonly keys: Keyring | undefined } {
  if (file === undefined) return { keys: undefined, setting: KEYS_FILE };
  return {
    keys: openKeyring({ file, setting: KEYS_FILE, clock: systemClock, logger }),
    setting: `${KEYS_FILE}="${file}"`,
  };
}
