import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import { createAvroDecoders } from '../../../src/engine/schema-registry/avro-decoders.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { varint, wire } from '../values/avro/given.ts';

const SCHEMA = JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] });

/** A registry of odd ids, and what it was asked. From a million on they are made up; others it may not know yet. */
function given() {
  const asked: number[] = [];
  const state = { away: false, now: 0, underWay: 0, most: 0, lagsUntil: 0 };
  const registry = {
    async schema(id: number) {
      asked.push(id);
      state.underWay += 1;
      state.most = Math.max(state.most, state.underWay);
      await new Promise((resolve) => setImmediate(resolve));
      state.underWay -= 1;
      if (state.away) throw new CodedError('UNREACHABLE', 'away');
      if (id >= 1_000_000) return { unusable: 'the schema registry does not know it (404)', unknown: true as const };
      if (state.now < state.lagsUntil) return { unusable: 'not yet', unknown: true as const };
      return id % 2 === 1 ? { text: SCHEMA } : { unusable: 'the schema registry does not know it (404)' };
    },
  };
  const clock = { elapsed: () => state.now, sleep: async (ms: number) => void (state.now += ms) };
  return { decoders: createAvroDecoders(registry, clock), asked, state };
}

const value = (id: number) => wire(varint(5), id);

describe('decoders of Avro values', () => {
  test('ask once for each id, and know it then at once', async () => {
    const { decoders, asked } = given();
    const first = decoders.decoderFor([value(1), value(3), value(1)]);
    assert.ok(first instanceof Promise);
    const raw = (await first).decode(value(3));
    assert.equal('malformed' in raw ? raw.malformed : raw.field('a'), 5);
    assert.deepEqual(asked.toSorted(), [1, 3]);
    assert.ok(!(decoders.decoderFor([value(3), value(1)]) instanceof Promise));
    assert.deepEqual(asked.length, 2);
  });

  test('ask nothing for values that are not in the wire format', () => {
    const { decoders, asked } = given();
    const decoder = decoders.decoderFor([Buffer.from('{}'), Buffer.alloc(0), Buffer.alloc(4)]);
    assert.ok(!(decoder instanceof Promise));
    assert.ok('malformed' in decoder.decode(Buffer.from('{}')));
    assert.deepEqual(asked, []);
  });

  test('ask for an id once though several batches wait for it', async () => {
    const { decoders, asked } = given();
    await Promise.all([decoders.decoderFor([value(1)]), decoders.decoderFor([value(1)])]);
    assert.deepEqual(asked, [1]);
  });

  test('name the id that is not known, and ask for it again after half a minute', async () => {
    const { decoders, asked, state } = given();
    const decoder = await decoders.decoderFor([value(2)]);
    assert.deepEqual(decoder.decode(value(2)), {
      malformed: 'value: schema 2 cannot be used: the schema registry does not know it (404)',
    });
    state.now = 29_999;
    assert.ok(!(decoders.decoderFor([value(2)]) instanceof Promise));
    state.now = 30_000;
    assert.ok(decoders.decoderFor([value(2)]) instanceof Promise);
    assert.deepEqual(asked, [2, 2]);
  });

  test('say of a schema that is none what is wrong with it', async () => {
    const decoders = createAvroDecoders({ schema: async () => ({ text: '"int"' }) }, new ManualClock());
    const decoder = await decoders.decoderFor([value(1)]);
    assert.deepEqual(decoder.decode(value(1)), {
      malformed: 'value: schema 1 cannot be used: expected a record, or a union of records',
    });
  });

  test('reject when nobody answers, remember nothing of it, and work later', async () => {
    const { decoders, state } = given();
    state.away = true;
    await assert.rejects(async () => decoders.decoderFor([value(1), value(2), value(3)]), { code: 'UNREACHABLE' });
    state.away = false;
    const decoder = await decoders.decoderFor([value(1)]);
    assert.ok(!('malformed' in decoder.decode(value(1))));
  });

  test('ask a few at a time, and keep a bounded number, but give every batch all of its own', async () => {
    const { decoders, asked, state } = given();
    const values = Array.from({ length: 3_000 }, (_, n) => value(2 * n + 1));
    const decoder = await decoders.decoderFor(values);
    assert.equal(values.filter((one) => 'malformed' in decoder.decode(one)).length, 0);
    assert.ok(state.most <= 8, `${state.most} at a time`);
    assert.equal(asked.length, 3_000);
    // Those of the beginning or of the end were forgotten; about a thousand are left.
    await decoders.decoderFor(values);
    assert.ok(asked.length >= 5_000 && asked.length <= 6_000, String(asked.length));
  });

  test('wait for an id that a follower of the registry does not know yet, also soon after one that is made up', async () => {
    const { decoders, state } = given();
    for (let madeUp = 1_000_000; madeUp < 1_000_004; madeUp += 1) {
      const from = state.now;
      assert.ok('malformed' in (await decoders.decoderFor([value(madeUp)])).decode(value(madeUp)));
      assert.equal(state.now - from, 3_000);
    }
    state.lagsUntil = state.now + 1_000;
    assert.ok(!('malformed' in (await decoders.decoderFor([value(7)])).decode(value(7))));
  });

  test('wait five times in vain, and then once in half a minute, however many made-up ids come', async () => {
    const { decoders, state } = given();
    let waited = 0;
    for (let n = 0; state.now < 600_000; n += 1) {
      const from = state.now;
      await decoders.decoderFor([value(1_000_000 + n)]);
      waited += state.now - from;
      state.now += 1_000;
    }
    // Ten minutes: the five, and one for each half minute.
    assert.ok(waited >= 20 * 3_000 && waited <= 25 * 3_000, `${waited} ms`);
  });

  test('that wait side by side, of several partitions, have waited once', async () => {
    const { decoders, state } = given();
    const waits = [1, 2, 3, 4, 5, 6].map((n) => decoders.decoderFor([value(1_000_000 + n)]));
    await Promise.all(waits);
    const from = state.now;
    await decoders.decoderFor([value(1_000_100)]);
    assert.equal(state.now - from, 3_000);
  });
});
