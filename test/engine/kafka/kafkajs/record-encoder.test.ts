/** The bytes of a record are those of kafkajs' own encoder, for all that it can encode; and as the format says for what it cannot. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeRecord, type RecordFields } from '../../../../src/engine/kafka/kafkajs/record-encoder.ts';

// Its own copy, which nobody has patched.
const kafkajs = createRequire(import.meta.url)('kafkajs/src/protocol/recordBatch/record/v0') as (
  fields: RecordFields,
) => { readonly buffer: Buffer };

const bytes = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
);
const header = fc.oneof(bytes, fc.array(bytes, { minLength: 1, maxLength: 3 }));

describe('an encoded record', () => {
  it("has the bytes of kafkajs' encoder", () => {
    fc.assert(
      fc.property(
        fc.record({
          offsetDelta: fc.nat(1_000_000),
          timestampDelta: fc.oneof(fc.integer({ min: -5_000, max: 5_000 }), fc.integer({ min: -4e12, max: 4e12 })),
          key: fc.option(bytes),
          value: fc.option(bytes),
          headers: fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 40 }), header, {
            maxKeys: 8,
            noNullPrototype: true,
          }),
        }),
        (fields) => {
          const encoded = encodeRecord(fields);
          assert.equal(encoded.offset, encoded.buffer.length);
          assert.deepEqual(encoded.buffer, kafkajs(fields).buffer);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('may have a header without a value: its length is -1', () => {
    const { buffer } = encodeRecord({ key: null, value: 'v', headers: { h: null } });
    // Length 10, attributes, two deltas, key -1, value of 1, one header: name of 1, value -1.
    assert.deepEqual([...buffer], [20, 0, 0, 0, 1, 2, 118, 2, 2, 104, 1]);
  });
});
