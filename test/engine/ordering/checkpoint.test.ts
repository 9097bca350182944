import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_EXCEPT, shortName } from '../../../src/engine/ordering/ahead.ts';
import { decodeMetadata, encodeMetadata, sameCheckpoint } from '../../../src/engine/ordering/checkpoint.ts';

describe('the metadata of a committed offset', () => {
  it('comes back as it was written', () => {
    for (const metadata of [
      { maxTs: 1_769_853_600_000, watermark: 1_769_853_580_000, deadLettersBelow: 12 },
      { maxTs: 0, watermark: -5, deadLettersBelow: 0 },
      { maxTs: -Infinity, watermark: -Infinity, deadLettersBelow: 3 },
      { maxTs: 5, watermark: 4, deadLettersBelow: 3, last: { offset: 2, print: -2_147_483_648 } },
    ]) {
      assert.deepEqual(decodeMetadata(encodeMetadata(metadata)), metadata);
    }
  });

  it('is short text', () => {
    const text = encodeMetadata({
      maxTs: -62_167_219_200_000,
      watermark: 253_402_300_799_999,
      deadLettersBelow: 2 ** 53,
    });
    assert.ok(text.length < 150);
    assert.equal(
      encodeMetadata({ maxTs: 5, watermark: -Infinity, deadLettersBelow: 7 }),
      '{"v":1,"maxTs":5,"watermark":null,"deadLettersBelow":7}',
    );
  });

  it('is far below the 4,096 bytes that brokers take by default, with everything at its longest', () => {
    const name = `${'A'.repeat(22)}~${Number.MAX_SAFE_INTEGER}`;
    const longest = {
      maxTs: -8_640_000_000_000_000,
      watermark: -8_640_000_000_000_000,
      deadLettersBelow: Number.MAX_SAFE_INTEGER,
    };
    const last = { offset: Number.MAX_SAFE_INTEGER, print: -(2 ** 31) };
    const text = encodeMetadata({ ...longest, logs: { names: [name, name, name], partitions: 2 ** 31 - 1 }, last });
    assert.ok(Buffer.byteLength(text) < 400, text);
    const users = Array.from({ length: MAX_EXCEPT }, (_, user) => shortName(String(user)));
    const offsets = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] as const;
    const most = encodeMetadata({
      ...longest,
      logs: { names: [name, name, name], partitions: 2 ** 31 - 1 },
      last,
      ahead: { next: offsets, watermark: longest.watermark, except: users },
    });
    assert.ok(Buffer.byteLength(most) < 1_600, most);
    assert.deepEqual(decodeMetadata(text)?.logs?.names, [name, name, name]);
  });

  it('of anyone else is nothing', () => {
    for (const text of [
      '',
      'x',
      'null',
      '[]',
      '5',
      '"v"',
      '{}',
      '{"v":2,"maxTs":1,"watermark":1,"deadLettersBelow":1}',
      '{"v":1}',
      '{"v":1,"deadLettersBelow":"7"}',
    ]) {
      assert.equal(decodeMetadata(text), undefined, text);
    }
  });

  it('with a mark that is none knows no mark', () => {
    for (const last of ['5', '[1]', '[1,2,3]', '[1,"2"]', '[1.5,2]', 'null', '{"offset":1,"print":2}']) {
      assert.deepEqual(
        decodeMetadata(`{"v":1,"maxTs":1,"watermark":1,"deadLettersBelow":2,"last":${last}}`),
        { maxTs: 1, watermark: 1, deadLettersBelow: 2 },
        last,
      );
    }
  });

  it('with times that are no numbers knows no times', () => {
    assert.deepEqual(decodeMetadata('{"v":1,"maxTs":"a","deadLettersBelow":2}'), {
      maxTs: -Infinity,
      watermark: -Infinity,
      deadLettersBelow: 2,
    });
  });
});

describe('checkpoints', () => {
  it('are the same when all their parts are', () => {
    const one = { next: [1, 2, 3], maxTs: [-Infinity, 5, 6], watermark: 4 } as const;
    assert.equal(sameCheckpoint(one, { next: [1, 2, 3], maxTs: [-Infinity, 5, 6], watermark: 4 }), true);
    assert.equal(sameCheckpoint(one, { ...one, next: [1, 2, 4] }), false);
    assert.equal(sameCheckpoint(one, { ...one, maxTs: [0, 5, 6] }), false);
    assert.equal(sameCheckpoint(one, { ...one, watermark: 5 }), false);
  });
});
