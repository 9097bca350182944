import assert from 'node:assert/strict';
import { createSecretKey, webcrypto } from 'node:crypto';
import { describe, it } from 'node:test';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { noise } from '../../support/noise.ts';
import { EncryptionCodec } from '../../../src/engine/temporal/encryption-codec.ts';
import { NO_ENCRYPTION, type EncryptionKey, type KeyProvider } from '../../../src/engine/temporal/key-provider.ts';
import { dataConverterOf } from '../../../src/engine/temporal/payload-codec.ts';
import { stored } from '../../../src/engine/workflow/mark.ts';

const PayloadMessage = proto.temporal.api.common.v1.Payload;
const SETTING = 'KEYS_FILE="/keys.json"';
const RAW = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');

const keyOf = (id: string, bytes: Uint8Array = RAW): EncryptionKey => ({ id, key: createSecretKey(bytes) });
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value)!;
const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString();

/** The first is the current one. */
function keysOf(...keys: EncryptionKey[]): KeyProvider {
  return {
    current: async () => keys[0]!,
    byId: async (id) => keys.find((key) => key.id === id),
  };
}

const codec = new EncryptionCodec(keysOf(keyOf('2026-11')), SETTING);

async function through(codecs: readonly { decode(p: Payload[]): Promise<Payload[]> }[], payload: Payload) {
  let payloads = [payload];
  for (const one of codecs.toReversed()) payloads = await one.decode(payloads);
  return payloads[0]!;
}

describe('the encryption of payloads', () => {
  it("writes what the code of Temporal's samples decrypts", async () => {
    const [payload] = await codec.encode([payloadOf({ amount: '0.10' })]);
    assert.deepEqual(
      Object.fromEntries(Object.entries(payload!.metadata!).map(([name, value]) => [name, text(value)])),
      { encoding: 'binary/encrypted', 'encryption-key-id': '2026-11' },
    );
    const key = await webcrypto.subtle.importKey('raw', RAW, 'AES-GCM', true, ['decrypt']);
    const bytes = payload!.data!;
    const plain = await webcrypto.subtle.decrypt({ name: 'AES-GCM', iv: bytes.slice(0, 12) }, key, bytes.slice(12));
    const inner = PayloadMessage.decode(new Uint8Array(plain));
    assert.equal(text(inner.metadata!['encoding']), 'json/plain');
    assert.equal(text(inner.data), '{"amount":"0.10"}');
  });

  it("reads what the code of Temporal's samples encrypts", async () => {
    const key = await webcrypto.subtle.importKey('raw', RAW, 'AES-GCM', true, ['encrypt']);
    const iv = webcrypto.getRandomValues(new Uint8Array(12));
    const inner = PayloadMessage.encode(payloadOf({ amount: '0.10' })).finish();
    const body = new Uint8Array(await webcrypto.subtle.encrypt({ name: 'AES-GCM', iv, tagLength: 128 }, key, inner));
    const [plain] = await codec.decode([
      {
        metadata: { encoding: Buffer.from('binary/encrypted'), 'encryption-key-id': Buffer.from('2026-11') },
        data: Buffer.concat([iv, body]),
      },
    ]);
    assert.deepEqual(defaultPayloadConverter.fromPayload(plain!), { amount: '0.10' });
  });

  it('reads a payload that was written once', async () => {
    // By OpenSSL's AES-256-GCM in another language: iv 00..0b, the payload {encoding: json/plain} "1".
    const data = Buffer.from(VECTOR, 'hex');
    const metadata = { encoding: Buffer.from('binary/encrypted'), 'encryption-key-id': Buffer.from('2026-11') };
    const [plain] = await codec.decode([{ metadata, data }]);
    assert.equal(text(plain!.metadata!['encoding']), 'json/plain');
    assert.equal(text(plain!.data), '1');
  });

  it('takes an iv of its own for each payload', async () => {
    const payloads = await codec.encode([payloadOf('a'), payloadOf('a')]);
    assert.notEqual(text(payloads[0]!.data!.subarray(0, 12)), text(payloads[1]!.data!.subarray(0, 12)));
  });

  it('says which key is missing, and where it belongs', async () => {
    const [payload] = await new EncryptionCodec(keysOf(keyOf('2025-01')), SETTING).encode([payloadOf(1)]);
    await assert.rejects(codec.decode([payload!]), {
      code: 'UNDECIPHERABLE',
      message:
        'a payload is encrypted with the key "2025-01", which is not in the keyring of KEYS_FILE="/keys.json". Nothing is lost: it is read once the key is there',
    });
    const without = dataConverterOf({ keys: undefined, setting: 'KEYS_FILE' });
    await assert.rejects(through(without.payloadCodecs!, payload!), {
      code: 'UNDECIPHERABLE',
      message:
        'a payload is encrypted with the key "2025-01", and there is no keyring: set KEYS_FILE. Nothing is lost: it is read once the key is there',
    });
  });

  it('notices every changed byte, and another key under the same id', async () => {
    const [payload] = await codec.encode([payloadOf('abc')]);
    for (let at = 0; at < payload!.data!.length; at += 1) {
      const data = Buffer.from(payload!.data!);
      data[at]! ^= 1;
      await assert.rejects(codec.decode([{ ...payload!, data }]), /does not fit its key "2026-11"/, `byte ${at}`);
    }
    for (const length of [0, 1, 12, 27, payload!.data!.length - 1]) {
      const data = payload!.data!.subarray(0, length);
      await assert.rejects(codec.decode([{ ...payload!, data }]), { code: 'UNDECIPHERABLE' }, `${length} bytes`);
    }
    await assert.rejects(codec.decode([{ metadata: payload!.metadata! }]), { code: 'UNDECIPHERABLE' });
    const other = new EncryptionCodec(keysOf(keyOf('2026-11', Buffer.alloc(32, 7))), SETTING);
    await assert.rejects(other.decode([payload!]), { code: 'UNDECIPHERABLE' });
  });

  it('leaves payloads that are not encrypted as they are', async () => {
    const payloads = [payloadOf({ a: 1 }), {}, { metadata: { encoding: Buffer.from('binary/avro') } }];
    assert.deepEqual(await codec.decode(payloads), payloads);
  });

  it('reads what was encrypted with an older key, and writes with the new one', async () => {
    const [old] = await codec.encode([payloadOf('old')]);
    const rotated = new EncryptionCodec(keysOf(keyOf('2026-12', Buffer.alloc(32, 1)), keyOf('2026-11')), SETTING);
    const [young] = await rotated.encode([payloadOf('young')]);
    assert.equal(text(young!.metadata!['encryption-key-id']), '2026-12');
    const plain = await rotated.decode([old!, young!]);
    assert.deepEqual(
      plain.map((one) => defaultPayloadConverter.fromPayload(one)),
      ['old', 'young'],
    );
  });

  it('comes after Avro and compression, and costs less than 128 bytes', async () => {
    const { payloadCodecs: codecs, failureConverterPath } = dataConverterOf({
      keys: keysOf(keyOf('k'.repeat(100))),
      setting: SETTING,
    });
    assert.match(failureConverterPath!, /encoded-failures\.cjs$/);
    const large = { text: noise(300_000).toString('base64') };
    for (const value of [{ userId: 'u-1' }, large, stored('Start', { userId: 'u-1' })]) {
      let payloads = [payloadOf(value)];
      for (const one of codecs!.slice(0, -1)) payloads = await one.encode(payloads);
      const [before] = payloads;
      const [after] = await codecs!.at(-1)!.encode(payloads);
      const overhead = PayloadMessage.encode(after!).finish().length - PayloadMessage.encode(before!).finish().length;
      assert.ok(overhead < 128 + 100, `${overhead} bytes, 100 of them the id of the key`);
      const plain = await through(codecs!, after!);
      assert.deepEqual(
        defaultPayloadConverter.fromPayload(plain),
        'userId' in value ? { userId: 'u-1' } : JSON.parse(JSON.stringify(value)),
      );
    }
  });

  it('is not there without keys', () => {
    assert.deepEqual(Object.keys(dataConverterOf(NO_ENCRYPTION)), ['payloadCodecs']);
    assert.equal(dataConverterOf(NO_ENCRYPTION).payloadCodecs!.length, 3);
  });
});

const VECTOR =
  '000102030405060708090a0b4d14dc13a08ba174e928f9eca3e3121eecb8a8449c1a36122a66d4006946c73d8172ca7026dc59ffda57ef';
