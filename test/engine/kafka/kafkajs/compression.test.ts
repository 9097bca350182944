/** Vectors of Kafka's own compressors (a broker, version 4.1.1) and of the reference libraries, against what they hold. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CodedError } from '../../../../src/engine/errors.ts';
import { codecs, MAX_BATCH_BYTES, type CodecName } from '../../../../src/engine/kafka/kafkajs/compression.ts';
import { library } from '../../../../src/engine/kafka/kafkajs/library.ts';

/** Two records: length, attributes, timestamp and offset deltas, key `k`, value, one header. */
const RECORDS =
  '\x3c\0\0\0\x02k\x26' +
  '1: NzkxOQ==NzkxOQ==' +
  '\x02\x02h\x02x' +
  '\x4c\0\0\x02\x02k\x36' +
  '2: MTU4Mzg=MTU4Mzg=MTU4Mzg=' +
  '\x02\x02h\x02x';
const BROKER: Record<CodecName, string> = {
  gzip: 'H4sIAAAAAAAA/7NhYGBgylYztFLwq8qu8A+0tYXRTEwZTBU+QFmmbDMjKwXfkFAT36p0W3QarAwAXFDxo0YAAAA=',
  snappy: 'glNOQVBQWQAAAAABAAAAAQAAADdGRDwAAAACayYxOiBOemt4T1E9PREIWAICaAJ4TAAAAgJrNjI6IE1UVTRNemc9PggAEAICaAJ4',
  lz4: 'BCJNGGBAgjcAAAD0AzwAAAACayYxOiBOemt4T1E9PQgA/AgCAmgCeEwAAAICazYyOiBNVFU0TXpnPQgAUAICaAJ4AAAAAA==',
  zstd: 'KLUv/QBYvAEA5AI8AAAAAmsmMTogTnpreE9RPT0CAmgCeEwAAAICazYyOiBNVFU0TXpnPQICaAJ4AgABakaUMAEAAA==',
};

const TEXT = Array.from({ length: 60 }, (_, i) => `${i}: money moves, and moves again; `).join('');
/** Other shapes of the same: what librdkafka and others may write. */
const SHAPES: readonly (readonly [string, CodecName, string])[] = [
  [
    'bare snappy',
    'snappy',
    '7g9IMDogbW9uZXkgbW92ZXMsIGFuZAkLICBhZ2FpbjsgMX4hAAAyfiEAADN+IQAANH4hAAA1fiEAADZ+IQAAN34hAAA4fiEAADl+IQAAMYZLAYJMAQAxgk0BADGCTgEAMYJPAQAxglABADGCUQEAMYJSAQAxglMBADGCVAEAMoJUAQAyglQBADKCVAEAMoJUAQAyglQBADKCVAEAMoJUAQAyglQBADKCVAEAMoJUAQAzglQBADOCVAEAM4JUAQAzglQBADOCVAEAM4JUAQAzglQBADOCVAEAM4JUAQAzglQBADSCVAEANIJUAQA0glQBADSCVAEANIJUAQA0glQBADSCVAEANIJUAQA0glQBADSCVAEANYJUAQA1glQBADWCVAEANYJUAQA1glQBADWCVAEANYJUAQA1glQBADWCVAEANYJUAQ==',
  ],
  [
    'lz4 without checksums, blocks on their own',
    'lz4',
    'BCJNGGBAgksBAADyBDA6IG1vbmV5IG1vdmVzLCBhbmQLAJ8gYWdhaW47IDEhAA0fMiEADR8zIQANHzQhAA0fNSEADR82IQANHzchAA0fOCEADR85IQANHzFLAQ8PTAEOHzFNAQ4fMU4BDh8xTwEOHzFQAQ4fMVEBDh8xUgEOHzFTAQ4fMVQBDh8yVAEOHzJUAQ4fMlQBDh8yVAEOHzJUAQ4fMlQBDh8yVAEOHzJUAQ4fMlQBDh8yVAEOHzNUAQ4fM1QBDh8zVAEOHzNUAQ4fM1QBDh8zVAEOHzNUAQ4fM1QBDh8zVAEOHzNUAQ4fNFQBDh80VAEOHzRUAQ4fNFQBDh80VAEOHzRUAQ4fNFQBDh80VAEOHzRUAQ4fNFQBDh81VAEOHzVUAQ4fNVQBDh81VAEOHzVUAQ4fNVQBDh81VAEOHzVUAQ4fNVQBDh81VAEJUGFpbjsgAAAAAA==',
  ],
  [
    'lz4 with all checksums, a content size and linked blocks',
    'lz4',
    'BCJNGHxA7gcAAAAAAABlSwEAAPIEMDogbW9uZXkgbW92ZXMsIGFuZAsAnyBhZ2FpbjsgMSEADR8yIQANHzMhAA0fNCEADR81IQANHzYhAA0fNyEADR84IQANHzkhAA0fMUsBDw9MAQ4fMU0BDh8xTgEOHzFPAQ4fMVABDh8xUQEOHzFSAQ4fMVMBDh8xVAEOHzJUAQ4fMlQBDh8yVAEOHzJUAQ4fMlQBDh8yVAEOHzJUAQ4fMlQBDh8yVAEOHzJUAQ4fM1QBDh8zVAEOHzNUAQ4fM1QBDh8zVAEOHzNUAQ4fM1QBDh8zVAEOHzNUAQ4fM1QBDh80VAEOHzRUAQ4fNFQBDh80VAEOHzRUAQ4fNFQBDh80VAEOHzRUAQ4fNFQBDh80VAEOHzVUAQ4fNVQBDh81VAEOHzVUAQ4fNVQBDh81VAEOHzVUAQ4fNVQBDh81VAEOHzVUAQlQYWluOyD+2eQmAAAAAOL8INw=',
  ],
  [
    'zstd with content size and checksum',
    'zstd',
    'KLUv/WTuBm0FAHKFEBagpzkAyVE3b1X925r931pKKbkd/lcg////v23btt22bduSJEmS27ZtIwsADuMuVwNkKIVSBFSqOBhEOpUwKJ0SkDwgoJOC0gGjjHdko4x3ZKOMd2SjjHdko4x3ZKOMd2SjjHdko4x3ZKOMd2SjjHdko4x3ZKOMd2SjjHdkjHKl8awysipGodp4Ux2ZFKNEbTyojuyJUbTEEWe4wA9nuMQPZxAXxOLT2A8D6BEwRQ==',
  ],
  [
    'zstd as a stream',
    'zstd',
    'KLUv/QBYbQUAcoUQFqCnOQDJUTdvVf3bmv3fWkopuR3+VyD///+/bdu23bZt25IkSZLbtm0jCwAO4y5XA2QohVIEVKo4GEQ6lTAonRKQPCCgk4LSAaOMd2SjjHdko4x3ZKOMd2SjjHdko4x3ZKOMd2SjjHdko4x3ZKOMd2SjjHdko4x3ZKOMd2SMcqXxrDKyKkah2nhTHZkUo0RtPKiO7IlRtMQRZ7jAD2e4xA9nEBfE4tPYDwM=',
  ],
];
/** A mebibyte of zeros. */
const ZSTD_ZEROS = 'KLUv/QBYVAAAEAAAAQD7/znAAgIAEAACABAAAgAQAAIAEAACABAAAgAQAAIAEAABAAA=';
const MEBIBYTE = 1024 * 1024;

const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64');
const NAMES = Object.keys(BROKER) as CodecName[];

async function failure(of: Promise<Buffer>): Promise<string> {
  const error: unknown = await of.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof CodedError, `${String(error)}`);
  assert.equal(error.code, 'KAFKA');
  assert.equal((error as { retriable?: boolean }).retriable, false);
  return error.message;
}

describe('decompression of batches', () => {
  for (const name of NAMES) {
    it(`reads what a broker has compressed with ${name}`, async () => {
      assert.equal((await codecs()[name].decompress(bytes(BROKER[name]))).toString('latin1'), RECORDS);
    });

    it(`accepts ${name} up to the limit, and no byte more`, async () => {
      const { length } = RECORDS;
      assert.equal((await codecs(length)[name].decompress(bytes(BROKER[name]))).length, length);
      const message = await failure(codecs(length - 1)[name].decompress(bytes(BROKER[name])));
      assert.match(
        message,
        new RegExp(
          `^a batch of records compressed with ${name} \\(\\d+ bytes\\) is above ${length - 1} bytes when decompressed: `,
        ),
      );
    });

    it(`refuses ${name} that ends anywhere before its end`, async () => {
      const whole = bytes(BROKER[name]);
      for (let length = 1; length < whole.length; length += 1) {
        if (name === 'snappy' && length === 16) continue; // the framing of nothing
        assert.match(
          await failure(codecs()[name].decompress(whole.subarray(0, length))),
          /cannot be decompressed: ./,
          `${length} bytes`,
        );
      }
    });

    it(`comes to an end with ${name}, whatever byte is changed`, async () => {
      const { length } = bytes(BROKER[name]);
      for (let at = 0; at < length; at += 1) {
        for (const value of [0x00, 0x7f, 0x80, 0xfc, 0xff]) {
          const changed = bytes(BROKER[name]);
          changed[at] = value;
          const read = await codecs(10_000)
            [name].decompress(changed)
            .catch((error: unknown) => error);
          assert.ok(read instanceof Buffer || read instanceof CodedError, `byte ${at}: ${String(read)}`);
        }
      }
    });

    if (name !== 'gzip') {
      it(`compresses nothing with ${name}`, async () => {
        await assert.rejects(codecs()[name].compress({ buffer: Buffer.from('x') }), { code: 'KAFKA' });
      });
    }
  }

  for (const [shape, name, base64] of SHAPES) {
    it(`reads ${shape}`, async () => {
      assert.equal((await codecs()[name].decompress(bytes(base64))).toString(), TEXT);
    });
  }

  it('reads several frames and blocks one after the other', async () => {
    const [lz4, zstd] = [bytes(BROKER.lz4), bytes(BROKER.zstd)];
    const snappy = bytes(BROKER.snappy);
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    assert.equal((await codecs().lz4.decompress(Buffer.concat([lz4, lz4]))).toString('latin1'), RECORDS + RECORDS);
    assert.equal(
      (await codecs().zstd.decompress(Buffer.concat([zstd, skippable, zstd]))).toString('latin1'),
      RECORDS + RECORDS,
    );
    const blocks = Buffer.concat([snappy, snappy.subarray(16)]);
    assert.equal((await codecs().snappy.decompress(blocks)).toString('latin1'), RECORDS + RECORDS);
    await failure(codecs(2 * RECORDS.length - 1).snappy.decompress(blocks));
  });

  it('stops a small batch that blows up', async () => {
    const zeros = Buffer.alloc(MEBIBYTE);
    assert.ok((await codecs(MEBIBYTE).zstd.decompress(bytes(ZSTD_ZEROS))).equals(zeros));
    assert.match(await failure(codecs(MEBIBYTE - 1).zstd.decompress(bytes(ZSTD_ZEROS))), /is above 1048575 bytes/);
    assert.ok((await codecs(MEBIBYTE).gzip.decompress(gzipSync(zeros))).equals(zeros));
    assert.match(await failure(codecs(MEBIBYTE - 1).gzip.decompress(gzipSync(zeros))), /is above 1048575 bytes/);
    // Says that it has 64 MiB and a byte.
    assert.match(
      await failure(codecs().snappy.decompress(Buffer.from([0x81, 0x80, 0x80, 0x20]))),
      /is above 67108864 bytes/,
    );
    assert.equal(MAX_BATCH_BYTES, 64 * MEBIBYTE);
    // One literal, then a match of 15 + 255 * 257 + 4 bytes.
    const block = Buffer.from([0x1f, 0x00, 0x01, 0x00, ...new Array<number>(257).fill(255), 0, 0x00]);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(block.length);
    const lz4 = Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0]), size, block, Buffer.alloc(4)]);
    const length = 1 + 15 + 255 * 257 + 4;
    assert.ok((await codecs(length).lz4.decompress(lz4)).equals(Buffer.alloc(length)));
    assert.match(await failure(codecs(length - 1).lz4.decompress(lz4)), /is above \d+ bytes/);
  });

  it('does not allocate the window that a frame asks for', async () => {
    // Window descriptor: exponent 31 - 10.
    assert.match(
      await failure(codecs().zstd.decompress(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 1, 0, 0]))),
      /a window of 2147483648 bytes/,
    );
  });

  it('comes to an end with a snappy literal of negative length', async () => {
    const message = await failure(codecs().snappy.decompress(Buffer.from([5, 0xfc, 0xfa, 0xff, 0xff, 0xff, 0, 0, 0])));
    assert.match(message, /a literal of 4294967291 bytes does not fit/);
  });

  it('compresses with gzip what it reads again, small or large', async () => {
    for (const size of [0, 100, 3_000_000]) {
      const data = Buffer.alloc(size, 'abc');
      const compressed = await codecs().gzip.compress({ buffer: data });
      assert.ok(size < 100 || compressed.length < size);
      assert.ok((await codecs().gzip.decompress(compressed)).equals(data));
    }
  });

  it('is what kafkajs uses', async () => {
    const { CompressionCodecs, CompressionTypes } = library();
    for (const [name, type] of [
      ['gzip', CompressionTypes.GZIP],
      ['snappy', CompressionTypes.Snappy],
      ['lz4', CompressionTypes.LZ4],
      ['zstd', CompressionTypes.ZSTD],
    ] as const) {
      const codec = CompressionCodecs[type]() as { decompress(bytes: Buffer): Promise<Buffer> };
      assert.equal((await codec.decompress(bytes(BROKER[name]))).toString('latin1'), RECORDS);
    }
  });
});
