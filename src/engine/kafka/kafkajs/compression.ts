/**
 * Reading what producers of the input topics may have compressed: all four codecs of Kafka, none above
 * {@link MAX_BATCH_BYTES}, so that a small batch that blows up cannot take the process with it. kafkajs has gzip only, and
 * without a bound. What this product writes compressed is gzip: every broker and every reader has it.
 */
import { promisify } from 'node:util';
import { gunzip, gzip, gzipSync } from 'node:zlib';
import { CodedError, messageOf } from '../../errors.ts';
import { TooLarge } from './decompressed.ts';
import { decompressLz4 } from './lz4.ts';
import { decompressSnappy } from './snappy.ts';
import { decompressZstd } from './zstd.ts';

/** bytes of the records of one batch, decompressed */
export const MAX_BATCH_BYTES = 64 * 1024 * 1024;

/** What kafkajs asks of a codec. */
export interface Codec {
  /** Throws CodedError KAFKA. */
  decompress(bytes: Buffer): Promise<Buffer>;
  /** Throws CodedError KAFKA for all but gzip. */
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
}

export type CodecName = 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** Codecs that accept at most `limit` bytes of decompressed data. */
export function codecs(limit = MAX_BATCH_BYTES): Readonly<Record<CodecName, Codec>> {
  return {
    gzip: { ...codec('gzip', limit, decompressGzip), compress: ({ buffer }) => compressGzip(buffer) },
    snappy: codec('snappy', limit, decompressSnappy),
    lz4: codec('lz4', limit, decompressLz4),
    zstd: codec('zstd', limit, decompressZstd),
  };
}

function codec(
  name: CodecName,
  limit: number,
  decompress: (bytes: Buffer, limit: number) => Buffer | Promise<Buffer>,
): Codec {
  return {
    async decompress(bytes) {
      try {
        return await decompress(bytes, limit);
      } catch (error) {
        const what = `a batch of records compressed with ${name} (${bytes.length} bytes)`;
        throw hopeless(
          error instanceof TooLarge
            ? `${what} is above ${limit} bytes when decompressed: have its producer write smaller batches (batch.size, linger.ms)`
            : `${what} cannot be decompressed: ${messageOf(error)}`,
          error,
        );
      }
    },
    async compress() {
      throw hopeless(`records are not written compressed, ${name} was asked for`);
    },
  };
}

/** bytes: below, compressing takes less than a thread costs, and blocks nobody for long. */
const SMALL = 1024 * 1024;

export async function compressGzip(bytes: Buffer): Promise<Buffer> {
  return bytes.length <= SMALL ? gzipSync(bytes) : promisify(gzip)(bytes);
}

async function decompressGzip(bytes: Buffer, maxOutputLength: number): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength });
  } catch (error) {
    throw (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE' ? new TooLarge() : error;
  }
}

/** `retriable: false` keeps kafkajs from fetching the same batch for another minute. */
function hopeless(message: string, cause?: unknown): CodedError {
  return Object.assign(new CodedError('KAFKA', message, { cause }), { retriable: false });
}
