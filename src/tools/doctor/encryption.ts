/** Whether payloads in Temporal are encrypted, with what, and who else on this machine may read the keys. */
import { statSync } from 'node:fs';
import { printable } from '../../engine/printable.ts';
import { KeyModule } from '../../engine/temporal/key-module.ts';
import { encryptionOf, KEYS_FILE, type EncryptionConfig } from '../../money/config/encryption.ts';
import { messageOf } from '../../engine/errors.ts';
import { silentLogger } from '../../engine/log.ts';
import { failed, ok, warning, type Finding } from './finding.ts';

const READABLE_FOR_OTHERS = 0o004;

/** The file was read with the configuration: it can be used. */
export async function checkEncryption(config: EncryptionConfig): Promise<Finding[]> {
  const { encryptionKeysFile: file } = config;
  const { keys, setting } = encryptionOf(config, silentLogger());
  if (keys instanceof KeyModule) {
    return keys.current().then(
      ({ id }) => [ok('encryption', `payloads are encrypted with key "${printable(id)}" of ${setting}`)],
      (error: unknown) => [failed('encryption', messageOf(error))],
    );
  }
  if (file === undefined || keys === undefined) {
    return [ok('encryption', 'off: whoever may read the namespace of Temporal, or its database, reads the payloads')];
  }
  const [current, ...others] = keys.ids;
  const decrypt = others.length === 0 ? '' : `, and decrypted with ${others.map((id) => `"${id}"`).join(', ')} as well`;
  const found = `payloads are encrypted with key "${current}"${decrypt}`;
  if ((statSync(file).mode & READABLE_FOR_OTHERS) === 0) return [ok('encryption', found)];
  return [warning('encryption', `${found}; everybody on this machine may read ${KEYS_FILE}="${file}": chmod o-r it`)];
}
