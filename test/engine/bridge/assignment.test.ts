/** What a generation of the consumer group changes in a bridge, and what it leaves alone. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GroupMember, JoinOptions } from '../../../src/engine/kafka/port.ts';
import { SETTINGS, World } from './world.ts';

const GROUP = SETTINGS.groupId;

describe('a generation of the group', () => {
  it('that leaves its partition to a bridge does not touch it: what is on its way is committed, and nothing is sent again', async (t) => {
    const world = new World(t);
    world.autoAcknowledge = false;
    world.start('a');
    world.produce('money', 10, { user: 1 });
    world.produce('money', 30_000, { user: 2 });
    await world.until('both are signalled', () => world.signals.length === 2);
    const [fences, { read }] = [world.kafka.fences.length, { ...world.counts }];
    world.kafka.rebalance(GROUP);
    world.kafka.rebalance(GROUP);
    world.produce('money', 30_001, { user: 3 });
    await world.until('the next is signalled', () => world.signals.length === 3);
    for (const signal of world.signals) signal.acknowledge();
    await world.until('all are committed', async () => (await world.committed())[2] === 3);
    assert.deepEqual(world.signalledMoney.sort(), [0, 1, 2]);
    assert.equal(world.counts.read, read + 1);
    assert.equal(world.kafka.fences.length, fences);
  });

  it('with one bridge more moves its share, and only that is taken and read again', async (t) => {
    const world = new World(t, 12);
    const first = [world.start('a'), world.start('b')];
    await world.until('both have six', () => first.every((bridge) => bridge.describe().length === 6));
    let ts = 1_000;
    const traffic = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second += 1) {
        for (let partition = 0; partition < 12; partition += 1) {
          for (const input of ['user', 'session', 'money'] as const) {
            world.produce(input, ts + partition, { partition, user: partition });
          }
        }
        ts += 1_000;
        await world.pass(1_000);
      }
    };
    await traffic(60);
    const [fences, { read }] = [world.kafka.fences.length, { ...world.counts }];
    const third = world.start('c');
    await world.until('it has its share', () => third.describe().length === 4);
    assert.equal(world.kafka.fences.length - fences, 4);
    assert.equal(new Set(world.kafka.fences.slice(fences)).size, 4);
    // 20 s stand for the watermark, of three inputs each; the place that is read again is up to a second old.
    const again = world.counts.read - read;
    assert.ok(again <= 4 * 3 * 22, `${again} records of 4 partitions were read again`);
    await traffic(40);
    const offsets = Array.from({ length: 60 }, (_, offset) => offset);
    for (let partition = 0; partition < 12; partition += 1) {
      const seen = world.signals
        .filter(({ batch }) => batch.partition === partition)
        .flatMap(({ batch }) => batch.records.flatMap(({ event, offset }) => (event.type === 'money' ? [offset] : [])));
      assert.deepEqual(
        [...new Set(seen)].filter((offset) => offset < 60).sort((a, b) => a - b),
        offsets,
      );
    }
  });

  it('after one that was missed is another matter: somebody else may have read on, so all begins at the committed offsets', async (t) => {
    const world = new World(t);
    world.autoAcknowledge = false;
    const a = world.start('a');
    world.produce('money', 10);
    await world.until('a has signalled', () => world.signals.length === 1);
    world.start('b');
    world.kafka.rebalance(GROUP, ['a']);
    await world.until('b has signalled', () => world.signals.some(({ bridge }) => bridge === 'b'));
    world.signals.find(({ bridge }) => bridge === 'b')!.acknowledge();
    await world.until('b has committed', async () => (await world.committed())[2] === 1);
    world.kafka.rebalance(GROUP);
    await world.until('a has it again', () => a.describe().length === 1);
    world.produce('money', 30_000);
    await world.until('a goes on', () => world.signals.length === 3);
    assert.deepEqual(
      world.signals.map(({ bridge }) => bridge),
      ['a', 'b', 'a'],
    );
    for (const signal of world.signals) signal.acknowledge();
    await world.until('all is committed', async () => (await world.committed())[2] === 2);
  });

  it('that takes what failed away in an outage of Temporal leaves no problem behind', async (t) => {
    const world = new World(t, 2);
    world.autoAcknowledge = false;
    const a = world.start('a');
    world.produce('money', 10, { partition: 1 });
    await world.until('a has signalled', () => world.signals.length === 1);
    const failThoseOfA = (): void => {
      for (const signal of world.signals.filter(({ bridge, answered }) => bridge === 'a' && !answered)) {
        signal.fail(Object.assign(new Error('Temporal is away'), { code: 14 }));
      }
    };
    await world.until('it says so', () => {
      failThoseOfA();
      return /signals do not go through/.test(a.notReady ?? '');
    });
    world.start('b');
    await world.until('b has it', () => world.signals.some(({ bridge }) => bridge === 'b'));
    failThoseOfA();
    for (const signal of world.signals) if (signal.bridge === 'b') signal.acknowledge();
    await world.pass(60_000);
    assert.deepEqual([a.partitions, a.notReady], [[0], undefined]);
  });

  it('comes from a port that knows no cooperative members as well: all is begun anew', async (t) => {
    const world = new World(t);
    const real = world.kafka.port('a');
    const joinGroup = (options: JoinOptions): GroupMember => {
      const member = real.joinGroup({ ...options, cooperative: false });
      return {
        start: ({ onAssigned, ...handlers }) =>
          member.start({
            ...handlers,
            onAssigned: (partitions) => (onAssigned as (of: readonly number[]) => Promise<void>)(partitions),
          }),
        pause: (topic, partition) => member.pause(topic, partition),
        resume: (topic, partition) => member.resume(topic, partition),
        seek: (topic, partition, offset) => member.seek(topic, partition, offset),
        stop: () => member.stop(),
      };
    };
    const a = world.start('a', {}, { kafka: { ...real, joinGroup } });
    world.produce('money', 10);
    await world.until('it is committed', async () => (await world.committed())[2] === 1);
    world.kafka.rebalance(GROUP);
    await world.until('it has its partition again', () => world.kafka.fences.length === 2 && a.notReady === undefined);
  });

  it('that takes a partition away which waits takes its wait away too', async (t) => {
    const world = new World(t, 2);
    const a = world.start('a');
    await world.until('it has both', () => a.describe().length === 2);
    world.kafka.setLeaderless('user', 1, true);
    await world.until('the second waits', () => a.partitionsWaiting.some(({ partition }) => partition === 1));
    const b = world.start('b');
    await world.until('they share', () => a.partitions.length === 1 && b.partitions.length === 1);
    const [bridge, other] = a.partitions[0] === 0 ? [a, b] : [b, a];
    await world.until('the other waits', () => other.partitionsWaiting.length > 0);
    await world.pass(10_000);
    assert.deepEqual(bridge.partitionsWaiting, []);
    assert.equal(bridge.notReady, undefined);
  });
});
