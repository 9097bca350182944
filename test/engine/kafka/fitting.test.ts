import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { batchesOf } from '../../../src/engine/kafka/fitting.ts';
import type { Room } from '../../../src/engine/kafka/fitting.ts';
import { library } from '../../../src/engine/kafka/kafkajs/library.ts';
import type { OutRecord } from '../../../src/engine/kafka/port.ts';
import { noise } from '../../support/noise.ts';

const ROOM: Room = { together: 10_000, most: 10_000, compressible: true };
const value = (bytes: number): OutRecord => ({
  key: 'k',
  value: Buffer.alloc(bytes, 'x'),
  headers: { reason: 'malformed' },
});
const incompressible = (bytes: number): OutRecord => ({ key: null, value: noise(bytes) });

/** As kafkajs writes it. */
async function written(records: readonly OutRecord[], compression: 0 | 1): Promise<Buffer> {
  library();
  const require = createRequire(import.meta.url);
  const record = require('kafkajs/src/protocol/recordBatch/record/v0') as (fields: object) => unknown;
  const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
    RecordBatch(options: object): Promise<{ buffer: Buffer }>;
  };
  const encoded = records.map(({ key, value: body, headers }, offsetDelta) =>
    record({ offsetDelta, timestampDelta: 60_000, key, value: body, headers: headers ?? {} }),
  );
  return (await RecordBatch({ compression, transactional: true, records: encoded })).buffer;
}

describe('Batches that fit their topic', () => {
  it('of many small records are as many as the limit demands, in order', async () => {
    const records = Array.from({ length: 50 }, (_, n) => ({ ...value(1_000), key: String(n) }));
    const batches = await batchesOf(records, ROOM);
    assert.deepEqual(
      batches.flatMap((batch) => batch.records),
      records,
    );
    assert.ok(batches.every(({ bytes, compressed }) => bytes <= 10_000 && !compressed));
    assert.equal(batches.length, 6);
  });

  it('hold 1,000 records at most', async () => {
    const batches = await batchesOf(
      Array.from({ length: 2_500 }, () => value(1)),
      { ...ROOM, together: 700_000, most: Infinity },
    );
    assert.deepEqual(
      batches.map(({ records }) => records.length),
      [1_000, 1_000, 500],
    );
  });

  it('compress a record that would not fit, and no other', async () => {
    const batches = await batchesOf([value(10), value(50_000), value(10)], ROOM);
    assert.deepEqual(
      batches.map(({ records, compressed }) => [records.length, compressed]),
      [
        [1, false],
        [1, true],
        [1, false],
      ],
    );
    assert.ok(batches.every(({ bytes }) => bytes <= 10_000));
  });

  it('compress nothing for a topic that is written uncompressed', async () => {
    const [batch] = await batchesOf([value(50_000)], { ...ROOM, compressible: false });
    assert.deepEqual([batch!.compressed, batch!.bytes > 10_000], [false, true]);
  });

  it('have more bytes than the limit for a record that nothing makes fit', async () => {
    const [first, second] = await batchesOf([incompressible(50_000), value(5)], ROOM);
    assert.ok(first!.bytes > ROOM.most && first!.records.length === 1);
    assert.ok(second!.bytes <= ROOM.most);
  });

  it('are never said to be smaller than kafkajs writes them', async () => {
    const headers = { a: '1', söme: Buffer.from('ö'), many: ['1', '2', null], none: null };
    for (const records of [
      [value(0)],
      [{ ...value(1_000), headers }],
      Array.from({ length: 300 }, () => value(20)),
      [incompressible(9_000)],
      [value(200_000)],
    ]) {
      for (const { records: together, compressed, bytes } of await batchesOf(records, ROOM)) {
        const { length } = await written(together, compressed ? 1 : 0);
        assert.ok(length <= bytes, `${length} bytes are written, ${bytes} were expected`);
      }
    }
  });
});

describe('A header without a value', () => {
  it('is written as such: kafkajs alone throws', async () => {
    const [plain, compressed] = await Promise.all([
      written([{ ...value(1), headers: { h: null } }], 0),
      written([{ ...value(1), headers: { h: null } }], 1),
    ]);
    // Of the record: one header, its name has one byte, and the length of no value is -1.
    const encoded = Buffer.from([2, 2, 'h'.charCodeAt(0), 1]);
    assert.ok(plain.subarray(-4).equals(encoded));
    assert.ok(gunzipSync(compressed.subarray(61)).subarray(-4).equals(encoded));
  });
});
