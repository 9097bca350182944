/**
 * What stands between the JSON of workflows and clients and what Temporal keeps.
 *
 * - What outlives a deployment (starts and signals) is Avro, with the fingerprint of the schema that
 *   wrote it. Avro needs Node, so it is done here, outside of the workflow's sandbox, for values that name their type.
 * - Large payloads are packed and compressed, so that the state of a very busy workflow fits through continue-as-new (2 MB a payload).
 * - With keys, all of it is encrypted at last, and the messages of failures too.
 *
 * Without keys all else stays plain, so that the UI and the `temporal` command show it; query answers always are. What cannot be read and is
 * nobody's (a hand-made signal) is handed on as {@link UNREADABLE}: the workflow drops it. What a newer version wrote fails, and
 * with it the task.
 */
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { CodedError } from '../errors.ts';
import { stateFormat, type StoredFormat } from '../stored/format.ts';
import { pack, unpack } from '../stored/packed.ts';
import { TYPE_MARK } from '../workflow/mark.ts';
import { EncryptionCodec, refuseEncrypted } from './encryption-codec.ts';
import { NO_ENCRYPTION, type Encryption } from './key-provider.ts';
import { encodingOf, JSON_PLAIN, readableJson, unreadable } from './payloads.ts';

/** bytes; Temporal warns of payloads at 256 KB. */
const THRESHOLD = 200_000;
/** bytes of a payload after decompression; far above what this product makes. */
const MAX_BYTES = 64_000_000;
const GZIP = 'binary/gzip';
const AVRO = 'binary/avro';
const PACKED = 'binary/avro-packed';
/** What the SDK itself can read. */
const PLAIN: ReadonlySet<string> = new Set([JSON_PLAIN, 'binary/null', 'binary/plain']);
const MARKED = Buffer.from(`{"${TYPE_MARK}":"`);

const compress = promisify(gzip);
const decompress = promisify(gunzip);
const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

class GzipCodec implements PayloadCodec {
  encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(
      payloads.map(async (payload) => {
        if ((payload.data?.length ?? 0) < THRESHOLD) return payload;
        const data = await compress(PayloadMessage.encode(payload).finish(), { level: 1 });
        return { metadata: { encoding: Buffer.from(GZIP) }, data };
      }),
    );
  }

  decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(
      payloads.map(async (payload) => {
        if (encodingOf(payload) !== GZIP) return payload;
        try {
          return PayloadMessage.decode(
            await decompress(payload.data ?? Buffer.alloc(0), { maxOutputLength: MAX_BYTES }),
          );
        } catch {
          return unreadable('binary/gzip that cannot be decompressed');
        }
      }),
    );
  }
}

class PackedCodec implements PayloadCodec {
  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      const { data, metadata } = payload;
      if (!data || data.length < THRESHOLD || encodingOf(payload) !== AVRO) return payload;
      return {
        metadata: { ...metadata, encoding: Buffer.from(PACKED) },
        data: pack(Buffer.from(data.buffer, data.byteOffset, data.length)),
      };
    });
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      if (encodingOf(payload) !== PACKED) return payload;
      try {
        return {
          metadata: { ...payload.metadata, encoding: Buffer.from(AVRO) },
          data: unpack(Buffer.from(payload.data ?? []), MAX_BYTES),
        };
      } catch {
        return unreadable(`${PACKED} that cannot be unpacked`);
      }
    });
  }
}

class AvroCodec implements PayloadCodec {
  readonly #format: () => StoredFormat;
  readonly #setting: string;

  /** `setting`: what would name the keys of encrypted payloads. */
  constructor(format: () => StoredFormat, setting: string) {
    this.#format = format;
    this.#setting = setting;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      const { data } = payload;
      if (!data || encodingOf(payload) !== JSON_PLAIN || !MARKED.equals(data.subarray(0, MARKED.length))) {
        return payload;
      }
      const { [TYPE_MARK]: name, ...value } = JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>;
      return {
        metadata: { encoding: Buffer.from(AVRO), messageType: Buffer.from(String(name)) },
        data: this.#format().encode(String(name), value),
      };
    });
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      const encoding = encodingOf(payload);
      if (encoding !== AVRO) return readable(payload, encoding, this.#setting);
      try {
        const { value } = this.#format().decode(payload.data ?? Buffer.alloc(0));
        return { metadata: { encoding: Buffer.from(JSON_PLAIN) }, data: Buffer.from(JSON.stringify(value)) };
      } catch (error) {
        if (error instanceof CodedError && error.code === 'DIVERGENCE') return unreadable(error.message);
        throw error;
      }
    });
  }
}

/** The SDK fails a workflow's task, for ever, for a payload of an encoding that it does not know, or that is no JSON. */
function readable(payload: Payload, encoding: string, setting: string): Payload {
  if (encoding === '' && (payload.data === null || payload.data === undefined)) return payload;
  if (encoding.startsWith(AVRO)) {
    throw new CodedError(
      'NEWER_STATE',
      `stored as ${encoding}, which this version does not know: a newer version wrote it. Run that one or a newer one; nothing is lost meanwhile`,
    );
  }
  if (!PLAIN.has(encoding)) {
    return refuseEncrypted(payload, encoding, setting) ?? unreadable('an encoding that is not known');
  }
  return encoding === JSON_PLAIN ? readableJson(payload) : payload;
}

/** `require`d by the SDK, which has no other way: so it is no TypeScript and no ES module. */
const ENCODED_FAILURES = fileURLToPath(new URL('encoded-failures.cjs', import.meta.url));

/**
 * For every Temporal client and worker: the only place where they get it. `format`: of the workflows of another version, which have
 * its schemas in mind; today's when absent.
 */
export function dataConverterOf(encryption: Encryption, format: () => StoredFormat = stateFormat): DataConverter {
  const { keys, setting } = encryption;
  const payloadCodecs = [new AvroCodec(format, setting), new PackedCodec(), new GzipCodec()];
  return keys === undefined
    ? { payloadCodecs }
    : { payloadCodecs: [...payloadCodecs, new EncryptionCodec(keys, setting)], failureConverterPath: ENCODED_FAILURES };
}

/** Without keys. */
export const dataConverter: DataConverter = dataConverterOf(NO_ENCRYPTION);
