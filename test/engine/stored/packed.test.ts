import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { pack, unpack } from '../../../src/engine/stored/packed.ts';

const UUID = '01234567-89ab-4cde-8f01-23456789abcd';
/** A string of Avro: its length in zigzag, and its bytes. */
const avroUuid = `H${UUID}`;

describe('packed bytes', () => {
  it('are, by hand: a UUID is 16 bytes and a head', () => {
    assert.equal(pack(Buffer.from(`ab${avroUuid}c`)).toString('hex'), `096162${UUID.replaceAll('-', '')}0463`);
  });

  it('are, by hand: 33 digits are 17 bytes, a head and a count', () => {
    assert.equal(pack(Buffer.from('1'.repeat(33))).toString('hex'), `0221${'11'.repeat(16)}1000`);
  });

  it('leave what only looks like a UUID or is a short number', () => {
    for (const text of [avroUuid.toUpperCase(), avroUuid.slice(0, 36), UUID, '1'.repeat(31)]) {
      const bytes = Buffer.from(text);
      assert.equal(pack(bytes).length, bytes.length + (bytes.length < 32 ? 1 : 2), text);
    }
  });

  it('come back as they were, whatever they are', () => {
    const piece = fc.oneof(
      fc.constant(avroUuid),
      fc.constant('H'),
      fc.constant(UUID),
      fc.string(),
      fc.integer({ min: 1, max: 9 }).map((n) => '7'.repeat(n * 12)),
      fc.constant('x'.repeat(5_000)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const bytes = Buffer.from(pieces.join(''));
        const packed = pack(bytes);
        assert.ok(packed.length <= bytes.length + 5);
        assert.deepEqual(unpack(packed, bytes.length), bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('are refused when they are none, cut, or larger than the limit', () => {
    const packed = pack(Buffer.from(`ab${avroUuid}${'5'.repeat(100)}`));
    for (let length = 0; length < packed.length; length += 1) {
      assert.throws(() => unpack(packed.subarray(0, length), 1_000), RangeError);
    }
    assert.throws(() => unpack(Buffer.concat([packed, Buffer.alloc(1)]), 1_000), RangeError);
    assert.throws(() => unpack(packed, 138), RangeError);
    assert.equal(unpack(packed, 139).length, 139);
    assert.throws(() => unpack(Buffer.from([3]), 1_000), RangeError);
  });
});
