/** A few seconds of `npm run fuzz` for the decoder and the bridge; and that either notices what is wrong. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEAD_LETTER_REASONS } from '../../src/engine/ordering/rejection.ts';
import { decodeRecord } from '../../src/money/codec/decode.ts';
import { fuzzDecoder } from './fuzz-decoder.ts';
import type { Decode } from './judge-decoder.ts';
import { stopwatch } from './stopwatch.ts';

describe('hostile records', () => {
  it('60,000 of them are used or dead letters as the model says, none throws, stalls or leaks', async (t) => {
    const { failure, verdicts, ...figures } = await fuzzDecoder({ seed: 11, inputs: 60_000 });
    assert.equal(failure, undefined);
    // Teeth: every reason was met, and often.
    for (const verdict of ['used', ...DEAD_LETTER_REASONS]) {
      assert.ok((verdicts[verdict] ?? 0) > 200, `${verdict}: ${verdicts[verdict]}`);
    }
    t.diagnostic(JSON.stringify({ ...figures, verdicts }));
  });

  /** Decoders that are wrong in a small way, and what is said of them. */
  const broken: Record<string, readonly [decode: Decode, failure: RegExp]> = {
    'throws at a prototype name': [
      (input, record, limits) => {
        if (record.value?.includes('"__proto__"')) throw new Error('no such class');
        return decodeRecord(input, record, limits);
      },
      /it threw Error: no such class/,
    ],
    'takes money for a binary float': [
      (input, record, limits) => {
        const result = decodeRecord(input, record, limits);
        if (!result.ok || result.event.type !== 'money') return result;
        return {
          ...result,
          event: {
            ...result.event,
            money: { ...result.event.money, amount: String(Number(result.event.money.amount)) },
          },
        };
      },
      /expected .*"amount":"12\.50".*got .*"amount":"12\.5"/,
    ],
    'takes a value at the limit for one above it': [
      (input, record, limits) => decodeRecord(input, record, { ...limits, maxRecordBytes: limits.maxRecordBytes - 1 }),
      /expected .*, got .*too-large/,
    ],
    'does not look at the key': [
      (input, record, limits) => {
        const result = decodeRecord(input, record, limits);
        return result.ok || result.reason !== 'key-mismatch' ? result : { ...result, reason: 'future' };
      },
      /expected key-mismatch, got future/,
    ],
    'quotes a person': [
      (input, record, limits) => {
        const result = decodeRecord(input, record, limits);
        return result.ok || record.value === null ? result : { ...result, detail: record.value.toString('latin1') };
      },
      /its detail is/,
    ],
    'changes what it reads': [
      (input, record, limits) => {
        const result = decodeRecord(input, record, limits);
        record.value?.fill(0);
        return result;
      },
      /it changed the bytes of the record/,
    ],
    'is slow where brackets are many': [
      (input, record, limits) => {
        for (const worked = stopwatch(); record.value?.includes('[[[[[[[[') && worked() < 110;);
        return decodeRecord(input, record, limits);
      },
      /it took 1\d\d ms/,
    ],
  };
  for (const [name, [decode, expected]] of Object.entries(broken)) {
    it(`a decoder that ${name} is caught, with the way to repeat it and a smaller record`, async () => {
      const { failure = '' } = await fuzzDecoder({ seed: 12, inputs: 20_000, decode });
      assert.match(failure, expected);
      const again = /npm run fuzz -- --only decoder --seed 12 --from (\d+) --inputs 1\n/.exec(failure);
      assert.ok(again, failure);
      assert.match(failure, /\n {2}smallest: /);
      const repeated = await fuzzDecoder({ seed: 12, inputs: 1, from: Number(again[1]), decode });
      assert.match(repeated.failure ?? '', expected);
    });
  }
});
