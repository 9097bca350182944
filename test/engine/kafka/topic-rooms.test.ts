import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import type { FittingBatch } from '../../../src/engine/kafka/fitting.ts';
import { RefusedBatch, TopicRooms } from '../../../src/engine/kafka/topic-rooms.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const batch = (bytes: number): FittingBatch => ({ records: [{ key: null, value: 'v' }], compressed: false, bytes });

function world(settings?: Record<string, string>) {
  const clock = new ManualClock();
  const broker = { settings, limit: Infinity, asked: 0, answer: 'MESSAGE_TOO_LARGE' };
  const rooms = new TopicRooms({ topicSettings: async () => ((broker.asked += 1), broker.settings) }, clock);
  const send = (bytes: number) => {
    const refuse = bytes > broker.limit;
    const transaction = {
      send: async () => {
        if (refuse) throw Object.assign(new CodedError('KAFKA', 'no'), { type: broker.answer });
        return 7;
      },
    };
    return rooms.send(transaction, 't', 0, [batch(bytes)]);
  };
  return { clock, broker, rooms, send, refused: (bytes: number) => assert.rejects(send(bytes), RefusedBatch) };
}

describe('What a topic takes', () => {
  it('is what its settings say', async () => {
    const { rooms } = world({ 'max.message.bytes': '100000', 'compression.type': 'producer' });
    assert.deepEqual(await rooms.of('t'), { together: 100_000, most: 100_000, compressible: true });
  });

  it('is more than goes together', async () => {
    assert.deepEqual(await world({ 'max.message.bytes': '8000000' }).rooms.of('t'), {
      together: 700_000,
      most: 8_000_000,
      compressible: true,
    });
  });

  it('is not compressed where the topic is not', async () => {
    assert.equal((await world({ 'compression.type': 'uncompressed' }).rooms.of('t')).compressible, false);
  });

  it('changes while the process runs, both ways', async () => {
    const { clock, rooms, broker } = world({ 'max.message.bytes': '100000' });
    await rooms.of('t');
    for (const limit of [5_000, 300_000]) {
      broker.settings = { 'max.message.bytes': String(limit) };
      clock.advance(31_000);
      await rooms.of('t');
      await new Promise(setImmediate);
      assert.equal((await rooms.of('t')).most, limit);
    }
  });

  it('is learned from a refusal where the settings cannot be seen: half, and half again', async () => {
    const small = world();
    assert.deepEqual(await small.rooms.of('t'), { together: 700_000, most: Infinity, compressible: true });
    small.broker.limit = 100_000;
    await small.refused(600_000);
    assert.deepEqual(await small.rooms.of('t'), { together: 300_000, most: 599_999, compressible: true });
    await small.refused(300_000);
    await small.refused(150_000);
    assert.deepEqual(await small.rooms.of('t'), { together: 75_000, most: 149_999, compressible: true });
    assert.equal(await small.send(75_000), 7);
    assert.equal((await small.rooms.of('t')).together, 75_000);
  });

  it('is asked for again at once after a refusal', async () => {
    const { rooms, refused, broker } = world({ 'max.message.bytes': '1000000' });
    await rooms.of('t');
    broker.limit = 50_000;
    broker.settings = { 'max.message.bytes': '50000' };
    await refused(600_000);
    assert.equal((await rooms.of('t')).most, 50_000);
    broker.settings = { 'max.message.bytes': '1000000' };
    broker.limit = 1_000_000;
    await refused(2_000_000);
    assert.deepEqual(await rooms.of('t'), { together: 700_000, most: 1_000_000, compressible: true });
  });

  it('that was learned is doubled again after ten minutes', async () => {
    const { rooms, refused, broker, clock } = world();
    broker.limit = 100_000;
    await refused(160_000);
    assert.equal((await rooms.of('t')).together, 80_000);
    clock.advance(601_000);
    assert.deepEqual(await rooms.of('t'), { together: 160_000, most: Infinity, compressible: true });
  });

  it('is not made smaller by a refusal of what is smaller than what was taken', async () => {
    const { rooms, refused, broker, send } = world();
    await send(400_000);
    broker.limit = 0;
    await refused(200);
    assert.deepEqual(await rooms.of('t'), { together: 700_000, most: Infinity, compressible: true });
  });

  it('is not made smaller by a refusal for the content', async () => {
    const { rooms, send, broker } = world();
    broker.limit = 0;
    broker.answer = 'INVALID_RECORD';
    await assert.rejects(send(200), (error: unknown) => error instanceof RefusedBatch && error.why === 'content');
    assert.equal((await rooms.of('t')).most, Infinity);
  });

  it('is unknown while the broker does not answer the question', async () => {
    const rooms = new TopicRooms(
      {
        topicSettings: async () => {
          throw new CodedError('UNREACHABLE', 'no answer');
        },
      },
      new ManualClock(),
    );
    assert.equal((await rooms.of('t')).most, Infinity);
  });
});
