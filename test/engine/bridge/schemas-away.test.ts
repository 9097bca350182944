/** The bridge while what its values mean cannot be asked: nothing is a dead letter, nothing is overtaken, the others go on. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonDecoder, type DecoderSource, type ValueDecoder } from '../../../src/engine/values/value.ts';
import { CodedError } from '../../../src/engine/errors.ts';
import { uuid, World } from './world.ts';
import { decoding } from '../../../src/money/bridge/settings.ts';

/** JSON values, of which those that carry a country `??` need an answer first. */
class Decoders implements DecoderSource {
  away = true;
  asked = 0;
  broken = false;

  decoderFor(values: readonly Buffer[]): ValueDecoder | Promise<ValueDecoder> {
    if (!values.some((value) => value.includes('"userId":"00000000-0000-4000-8000-000000000007"'))) return jsonDecoder;
    this.asked += 1;
    if (this.broken) return Promise.reject(new TypeError('a mistake'));
    return this.away
      ? Promise.reject(new CodedError('UNREACHABLE', 'the registry is away'))
      : Promise.resolve(jsonDecoder);
  }
}
const ASKING = { user: 7 };

describe('a bridge that waits for schemas', () => {
  it('says so, goes on by itself, and applies in the order that it would have had', async (t) => {
    const world = new World(t);
    const decoders = new Decoders();
    const bridge = world.start('a', {}, { decoders });
    await world.until('it has joined', () => bridge.notReady === undefined);
    world.produce('session', 10, ASKING);
    for (const ts of [20, 30]) world.produce('money', ts, { user: 1 });
    await world.until('it says so', () => bridge.notReady !== undefined);
    assert.equal(bridge.notReady, '1 of its partitions wait: the registry is away');
    assert.equal(bridge.notLive, undefined);
    // Behind the one that waits: a batch of its own, which needs nothing.
    world.produce('session', 25, { user: 1 });
    await world.pass(60_000);
    assert.equal(world.signals.length, 0, 'money is not applied before a session that was there first');
    assert.equal(world.counts.deadLetters, 0);
    assert.deepEqual(await world.committed(), [0, 0, 0]);
    assert.ok(decoders.asked >= 10 && decoders.asked <= 30, `asked ${decoders.asked} times in a minute`);

    decoders.away = false;
    await world.until('everything is signalled', () => world.counts.signalled === 4);
    const order = world.signals.flatMap(({ userId, batch }) =>
      batch.records.map(({ event, offset, late }) => [userId, event.type, offset, late]),
    );
    assert.deepEqual(
      order.filter(([userId]) => userId === uuid(1)),
      [
        [uuid(1), 'money', 0, undefined],
        [uuid(1), 'session', 1, undefined],
        [uuid(1), 'money', 1, undefined],
      ],
    );
    assert.deepEqual(
      order.filter(([userId]) => userId === uuid(7)),
      [[uuid(7), 'session', 0, undefined]],
    );
    assert.equal(bridge.notReady, undefined);
    await world.until('it is committed', async () => (await world.committed()).join() === '0,2,2');
    // And the partition is read on.
    world.produce('session', 100_000, { user: 1 });
    await world.until('the next one too', () => world.counts.signalled === 5);
  });

  it('holds up no other partition', async (t) => {
    const world = new World(t, 2);
    const decoders = new Decoders();
    world.start('a', {}, { decoders });
    world.produce('money', 10, { ...ASKING, partition: 0 });
    world.produce('money', 10, { user: 1, partition: 1 });
    await world.until('the other is signalled', () => world.counts.signalled === 1);
    assert.deepEqual(
      world.signals.map(({ userId }) => userId),
      [uuid(1)],
    );
    await world.until('and committed', async () => (await world.committed(1))[2] === 1);
    assert.equal((await world.committed(0))[2], 0);
    decoders.away = false;
    await world.until('then this one', () => world.counts.signalled === 2);
  });

  it('can be stopped, and the next one begins where it was', async (t) => {
    const world = new World(t);
    const decoders = new Decoders();
    const bridge = world.start('a', {}, { decoders });
    world.produce('money', 10, ASKING);
    await world.until('it waits', () => bridge.notReady === '1 of its partitions wait: the registry is away');
    bridge.stop();
    await world.until('it has stopped', () => world.hasStopped('a'));
    decoders.away = false;
    world.start('b', {}, { decoders });
    await world.until('the next one signals', () => world.counts.signalled === 1);
    assert.deepEqual(
      world.signals.map((signal) => signal.bridge),
      ['b'],
    );
  });

  it('joins anew, and says why, when it is no outage but a mistake', async (t) => {
    const world = new World(t);
    const decoders = new Decoders();
    decoders.broken = true;
    const bridge = world.start('a', {}, { decoders });
    world.produce('money', 10, ASKING);
    await world.until('it says why', () => bridge.notReady === 'a mistake');
    decoders.broken = decoders.away = false;
    await world.until('it works again', () => world.counts.signalled === 1);
  });

  it('asks nothing for a value that is too large', async (t) => {
    const world = new World(t);
    const decoders = new Decoders();
    world.start('a', decoding({ maxRecordBytes: 20, maxFutureSkew: 3_600_000 }), { decoders });
    world.produce('money', 10, ASKING);
    await world.until('it is a dead letter', () => world.counts.deadLetters === 1);
    assert.equal(decoders.asked, 0);
  });
});
