/** What a producer may put into a batch, through the fetch decoder of the patched library: no broker needed. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { codecs } from '../../../../src/engine/kafka/kafkajs/compression.ts';
import {
  fetchDecoder,
  lastOffsetOf,
  MAX_BATCH_RECORDS,
  recordDecoder,
  refusalOf,
} from '../../../../src/engine/kafka/kafkajs/records.ts';

const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder') as Parameters<typeof fetchDecoder>[0];
const originalRecord = require('kafkajs/src/protocol/recordBatch/record/v0/decoder') as Parameters<
  typeof recordDecoder
>[0];

/** Zig-zag varint. */
function varint(value: number): number[] {
  const bytes = [];
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}
const text = (value: string | null): Buffer =>
  value === null
    ? Buffer.from(varint(-1))
    : Buffer.concat([Buffer.from(varint(Buffer.byteLength(value))), Buffer.from(value)]);

function record(
  delta: number,
  headers: readonly (readonly [string, string | null])[] = [],
  value: string | null = null,
): Buffer {
  const fields = [
    Buffer.from([0, 0, ...varint(delta)]),
    text(null),
    text(value),
    Buffer.from(varint(headers.length)),
    ...headers.flatMap(([name, content]) => [text(name), text(content)]),
  ];
  const body = Buffer.concat(fields);
  return Buffer.concat([Buffer.from(varint(body.length)), body]);
}

/** A batch from the protocol's description; `attributes` 1 is gzip. */
function batch(first: number, count: number, records: Buffer, attributes = 0): Buffer {
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(BigInt(first), 0);
  head.writeInt32BE(49 + records.length, 8);
  head.writeInt8(2, 16);
  head.writeInt16BE(attributes, 21);
  head.writeInt32BE(count - 1, 23);
  head.writeBigInt64BE(1_700_000_000_000n, 27);
  head.writeBigInt64BE(1_700_000_000_000n, 35);
  head.writeInt32BE(count, 57);
  return Buffer.concat([head, records]);
}

interface Seen {
  readonly offset: string;
  readonly headers: Record<string, unknown>;
}

/** The modules that the patched library uses are its own copies: the same decoders are put together here. */
async function decode(...batches: Buffer[]): Promise<readonly Seen[]> {
  const patched = recordDecoder(originalRecord);
  const bytes = Buffer.concat(batches);
  const size = Buffer.alloc(4);
  size.writeInt32BE(bytes.length);
  const decodeBatch = async (decoder: InstanceType<typeof Decoder>) => {
    const { buffer, offset } = decoder;
    const length = 12 + buffer.readInt32BE(offset + 8);
    decoder.offset += length;
    const raw = buffer.subarray(offset + 61, offset + length);
    const content = new Decoder(
      buffer.readInt16BE(offset + 21) === 1 ? await codecs().gzip.decompress(raw) : raw,
    ) as InstanceType<typeof Decoder> & { readVarIntBytes(): Buffer };
    const context = {
      firstOffset: String(buffer.readBigInt64BE(offset)),
      firstTimestamp: '1700000000000',
      magicByte: 2,
    };
    return {
      records: Array.from({ length: buffer.readInt32BE(offset + 57) }, () =>
        patched(new Decoder(content.readVarIntBytes()), context),
      ),
    };
  };
  const old = async () => assert.fail('not an old format');
  return (await fetchDecoder(Decoder, decodeBatch, old)(new Decoder(Buffer.concat([size, bytes])))) as readonly Seen[];
}

const offsets = (records: readonly Seen[]) => records.map(({ offset }) => Number(offset));

describe('the decoder of fetched records', () => {
  it('reads batches one after the other, and leaves out what is cut off', async () => {
    const [one, two] = [batch(5, 2, Buffer.concat([record(0), record(1)])), batch(7, 1, record(0))];
    assert.deepEqual(offsets(await decode(one, two)), [5, 6, 7]);
    for (let length = 0; length < two.length; length += 1) {
      const records = await decode(one, two.subarray(0, length));
      assert.deepEqual(offsets(records), [5, 6]);
      assert.equal(refusalOf(records), undefined);
    }
  });

  it('an empty batch, as compaction leaves it, before a large one that is cut off moves the position past it', async () => {
    const empty = batch(10, 0, Buffer.alloc(0));
    // Its last offset stays when all of its records have gone: 10 to 19.
    empty.writeInt32BE(9, 23);
    const large = batch(20, 1, record(0, [], 'x'.repeat(1_000)));
    const records = await decode(empty, large.subarray(0, large.length - 1));
    assert.deepEqual(offsets(records), []);
    assert.equal(lastOffsetOf(records), 19n);
    assert.equal(lastOffsetOf(await decode(large.subarray(0, large.length - 1))), undefined);
  });

  it('gives several headers of one name as an array, and takes any name for a name', async () => {
    const headers = [
      ['a', '1'],
      ['__proto__', 'p'],
      ['constructor', 'c'],
      ['a', null],
      ['toString', 't'],
      ['', 'e'],
      ['a', '3'],
      ['__proto__', 'q'],
    ] as const;
    const [seen] = await decode(batch(0, 1, record(0, headers)));
    const shown = Object.entries(seen!.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map((one) => one && String(one)) : String(value),
    ]);
    assert.deepEqual(shown.sort(), [
      ['', 'e'],
      ['__proto__', ['p', 'q']],
      ['a', ['1', null, '3']],
      ['constructor', 'c'],
      ['toString', 't'],
    ]);
    assert.equal(Object.getPrototypeOf(seen!.headers), Object.prototype);
  });

  it('is not held up by many headers: 100,000 of them, of one name or of as many', async () => {
    for (const name of [() => 'h', (n: number) => `h${n}`]) {
      const bytes = batch(
        0,
        1,
        record(
          0,
          Array.from({ length: 100_000 }, (_, n) => [name(n), ''] as const),
        ),
      );
      const started = performance.now();
      const [seen] = await decode(bytes);
      assert.ok(performance.now() - started < 1_500, `${performance.now() - started} ms`);
      assert.equal(Object.values(seen!.headers).flat().length, 100_000);
    }
  });

  it('reads a batch of 200,000 records, which overflows the stack of the original', async () => {
    const records = await decode(
      batch(0, 200_000, Buffer.concat(Array.from({ length: 200_000 }, (_, n) => record(n)))),
    );
    assert.equal(records.length, 200_000);
    assert.equal(records.at(-1)!.offset, '199999');
  });

  it('refuses a batch by itself: what lies before it is read, and the reason and its offset are said', async () => {
    const good = batch(5, 2, Buffer.concat([record(0), record(1)]));
    const bomb = batch(7, 1, gzipSync(Buffer.alloc(65 * 1024 * 1024)), 1);
    const broken = batch(7, 1, Buffer.from('no gzip'), 1);
    const many = batch(7, MAX_BATCH_RECORDS + 1, Buffer.alloc(0));
    for (const [bad, reason] of [
      [bomb, /is above 67108864 bytes/],
      [broken, /cannot be decompressed/],
      [many, /250001 records, expected at most 250000/],
    ] as const) {
      for (const before of [[good], []]) {
        const records = await decode(...before, bad, batch(8, 1, record(0)));
        assert.deepEqual(offsets(records), before.length === 0 ? [] : [5, 6]);
        assert.equal(refusalOf(records)?.offset, 7);
        assert.match(refusalOf(records)!.reason, reason);
      }
    }
  });

  it('bounds what one fetch of a partition holds, and always takes a batch', async () => {
    const big = Array.from({ length: 10 }, (_, n) => batch(n, 1, gzipSync(record(0, [], 'x'.repeat(3_000_000))), 1));
    assert.deepEqual(offsets(await decode(...big)), [0, 1]);
    const small = Array.from({ length: 10 }, (_, n) =>
      batch(15_000 * n, 15_000, Buffer.concat(Array.from({ length: 15_000 }, (_, delta) => record(delta)))),
    );
    assert.equal((await decode(...small)).length, 30_000);
  });
});
