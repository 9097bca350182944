import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { printOf } from '../../../src/engine/ordering/record-mark.ts';

const RECORD = {
  timestamp: 1_700_000_000_123,
  key: Buffer.from('00000000-0000-4000-8000-000000000001'),
  value: Buffer.from('{"type":"PaymentEvent","amount":1.50}'),
};

describe('the print of a record', () => {
  it('is part of what is committed: it stays what it was', () => {
    assert.equal(printOf(RECORD), 361_161_539);
    assert.equal(printOf({ timestamp: -1, key: null, value: null }), -810_207_034);
  });

  it('is another one for another time, key or value', () => {
    const others = [
      { ...RECORD, timestamp: RECORD.timestamp + 1 },
      { ...RECORD, timestamp: RECORD.timestamp + 2 ** 32 },
      { ...RECORD, key: null },
      { ...RECORD, key: Buffer.alloc(0) },
      { ...RECORD, value: null },
      { ...RECORD, value: Buffer.from('{"type":"PaymentEvent","amount":1.51}') },
      { ...RECORD, value: Buffer.from('{"type":"PaymentEvent","amount":1.50} ') },
      { ...RECORD, key: RECORD.value, value: RECORD.key },
    ];
    assert.equal(new Set([RECORD, ...others].map(printOf)).size, others.length + 1);
  });

  it('is the same wherever the bytes lie', () => {
    const shifted = Buffer.concat([Buffer.from('xyz'), RECORD.value]).subarray(3);
    assert.equal(printOf({ ...RECORD, value: shifted }), printOf(RECORD));
  });

  it('hardly ever repeats: of 100,000 records that differ in one number no more than a handful share one', () => {
    const prints = new Set(
      Array.from({ length: 100_000 }, (_, n) =>
        printOf({ ...RECORD, value: Buffer.from(`{"type":"PaymentEvent","amount":${n}}`) }),
      ),
    );
    assert.ok(prints.size > 99_990, String(prints.size));
  });

  it('looks at a bounded part of a value of any size, and at its length', () => {
    const large = Buffer.alloc(5_000_000, 7);
    const began = performance.now();
    for (let times = 0; times < 1_000; times += 1) printOf({ ...RECORD, value: large });
    assert.ok(performance.now() - began < 2_000);
    assert.notEqual(printOf({ ...RECORD, value: large }), printOf({ ...RECORD, value: large.subarray(1) }));
  });

  it('takes times that are no milliseconds', () => {
    for (const timestamp of [0, -5, 1.7e18, 2 ** 63]) {
      assert.ok(Number.isSafeInteger(printOf({ ...RECORD, timestamp })));
    }
  });
});
