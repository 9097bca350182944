/**
 * AES-256-GCM, in the format of Temporal's samples: metadata `encoding: binary/encrypted` and `encryption-key-id`, data of a random
 * iv of 12 bytes, the encrypted payload as a protobuf message, and the tag of 16 bytes. A payload that cannot be decrypted fails what
 * reads it, and is never dropped: its key may come.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { CodedError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { EncryptionKey, KeyProvider } from './key-provider.ts';
import { encodingOf, unreadable } from './payloads.ts';

const ENCRYPTED = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

export class EncryptionCodec implements PayloadCodec {
  readonly #keys: KeyProvider;
  readonly #setting: string;

  /** `setting`: what names the keys, for people. */
  constructor(keys: KeyProvider, setting: string) {
    this.#keys = keys;
    this.#setting = setting;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    if (payloads.length === 0) return payloads;
    const key = await this.#keys.current();
    return payloads.map((payload) => encrypted(payload, key));
  }

  decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(
      payloads.map(async (payload) => {
        if (encodingOf(payload) !== ENCRYPTED) return payload;
        const id = keyIdOf(payload);
        if (id === undefined) return withoutKeyId();
        const key = await this.#keys.byId(id);
        if (key === undefined) throw unknownKey(id, `which is not in the keyring of ${this.#setting}`);
        return decrypted(payload, key);
      }),
    );
  }
}

/** Where there are no keys: throws CodedError UNDECIPHERABLE for an encrypted payload; undefined for any other. */
export function refuseEncrypted(payload: Payload, encoding: string, setting: string): Payload | undefined {
  if (encoding !== ENCRYPTED) return undefined;
  const id = keyIdOf(payload);
  if (id === undefined) return withoutKeyId();
  throw unknownKey(id, `and there is no keyring: set ${setting}`);
}

function encrypted(payload: Payload, { id, key }: EncryptionKey): Payload {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
  const body = cipher.update(PayloadMessage.encode(payload).finish());
  return {
    metadata: { encoding: Buffer.from(ENCRYPTED), [KEY_ID]: Buffer.from(id) },
    data: Buffer.concat([iv, body, cipher.final(), cipher.getAuthTag()]),
  };
}

function decrypted({ data }: Payload, { id, key }: EncryptionKey): Payload {
  const bytes = Buffer.from(data?.buffer ?? new ArrayBuffer(0), data?.byteOffset, data?.byteLength);
  try {
    const end = bytes.length - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(end));
    const plain = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, end)), decipher.final()]);
    return PayloadMessage.decode(plain);
  } catch (error) {
    throw new CodedError(
      'UNDECIPHERABLE',
      `a payload does not fit its key "${printable(id)}": it was changed after it was encrypted, or the keyring has another key under that id`,
      { cause: error },
    );
  }
}

/** Nobody who encrypts leaves it out. */
function withoutKeyId(): Payload {
  return unreadable(`${ENCRYPTED} without ${KEY_ID}`);
}

function keyIdOf({ metadata }: Payload): string | undefined {
  const id = metadata?.[KEY_ID];
  return id && id.length > 0 ? Buffer.from(id).toString() : undefined;
}

function unknownKey(id: string, why: string): CodedError {
  return new CodedError(
    'UNDECIPHERABLE',
    `a payload is encrypted with the key "${printable(id).slice(0, 100)}", ${why}. Nothing is lost: it is read once the key is there`,
  );
}
