/** What is broken of one partition holds up that partition, and is named; its records are neither lost nor skipped. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Assignment } from '../../../src/engine/bridge/assignment.ts';
import { TopicRooms } from '../../../src/engine/kafka/topic-rooms.ts';
import type { TransactionalProducer } from '../../../src/engine/kafka/port.ts';
import { silentLogger } from '../../../src/engine/log.ts';
import { KafkaInMemory } from '../../../src/library/testing/kafka/kafka-in-memory.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SETTINGS, World } from './world.ts';

const ALL = [0, 1, 2, 3];
const OTHERS = [0, 1, 3];
const BROKEN = 2;

/** One money event of each of the partitions, of a user of its own. */
function moneyIn(world: World, partitions: readonly number[], ts: number): void {
  for (const partition of partitions) world.produce('money', ts + partition, { partition, user: partition });
}

async function committedMoney(world: World): Promise<(number | null)[]> {
  return Promise.all(ALL.map(async (partition) => (await world.committed(partition))[2]!));
}

const offsetsOf = (world: World, partition: number) =>
  world.signals
    .filter(({ batch }) => batch.partition === partition)
    .flatMap(({ batch }) => batch.records.map(({ offset }) => offset));

describe('a partition without a leader', () => {
  for (const topic of SETTINGS.inputTopics) {
    it(`of ${topic}: the others are read, signalled and committed, nobody joins anew, and it goes on when the leader is back`, async (t) => {
      const world = new World(t, 4);
      const bridge = world.start('a');
      await world.until('it has all', () => bridge.describe().length === 4);
      world.kafka.setLeaderless(topic, BROKEN, true);
      for (let n = 0; n < 20; n += 1) {
        moneyIn(world, topic === 'money' ? OTHERS : ALL, 1_000 * n);
        await world.pass(1_000);
      }
      await world.until(
        'the others are committed',
        async () => (await committedMoney(world)).filter((offset) => offset === 20).length === 3,
      );
      assert.deepEqual(offsetsOf(world, BROKEN), []);
      assert.equal(world.kafka.joins, 1);
      assert.deepEqual(
        bridge.partitionsWaiting.map(({ partition, reason }) => [partition, reason]),
        [[BROKEN, 'ends']],
      );
      assert.match(
        bridge.notReady ?? '',
        new RegExp(
          `^partition 2 waits, for \\d+ s: the ends of its logs cannot be read: ${topic} has no leader for it that answers; check the brokers that lead it$`,
        ),
      );
      assert.equal(world.warnings(/^partition 2 waits, the others go on/).length, 1);
      world.kafka.setLeaderless(topic, BROKEN, false);
      if (topic === 'money') moneyIn(world, [BROKEN], 30_000);
      await world.until(
        'it goes on',
        async () => (await committedMoney(world))[BROKEN] === (topic === 'money' ? 1 : 20),
      );
      assert.equal(bridge.notReady, undefined);
    });
  }

  it('when the bridge starts: the others are taken, and it as soon as it can be', async (t) => {
    const world = new World(t, 4);
    world.kafka.setLeaderless('user', BROKEN, true);
    moneyIn(world, ALL, 0);
    const bridge = world.start('a');
    await world.until('the others are committed', async () =>
      OTHERS.every((partition) => world.signals.some(({ batch }) => batch.partition === partition)),
    );
    await world.until('it is named', () => /^partition 2 waits/.test(bridge.notReady ?? ''));
    assert.deepEqual(
      bridge.partitionsWaiting.map(({ partition, reason }) => [partition, reason]),
      [[BROKEN, 'taking']],
    );
    assert.deepEqual(bridge.partitions, ALL);
    world.kafka.setLeaderless('user', BROKEN, false);
    await world.until('it goes on', async () => (await committedMoney(world))[BROKEN] === 1);
    assert.equal(world.kafka.joins, 1);
  });
});

describe('a commit that fails', () => {
  for (const when of ['before', 'after'] as const) {
    it(`${when} it is decided: only its partition is taken anew, and nothing of it is lost or skipped`, async (t) => {
      const world = new World(t, 4);
      const bridge = world.start('a');
      await world.until('it has all', () => bridge.describe().length === 4);
      await world.pass(3_000);
      let failures = 3;
      world.kafka.intercept = ({ api, transactionalId }, at) => {
        if (api === 'commit' && transactionalId === 'app-bridge-2' && at === when && failures > 0) {
          failures -= 1;
          throw new Error('the coordinator moved');
        }
      };
      for (let n = 0; n < 10; n += 1) {
        moneyIn(world, ALL, 1_000 * n);
        await world.pass(1_000);
      }
      await world.until('all is committed', async () => (await committedMoney(world)).every((offset) => offset === 10));
      assert.equal(failures, 0);
      assert.equal(world.kafka.joins, 1);
      await world.until('it is taken again', () => bridge.notReady === undefined && bridge.describe().length === 4);
      assert.deepEqual(
        ALL.map((partition) => world.kafka.fences.filter((id) => id === `app-bridge-${partition}`).length),
        [1, 1, 4, 1],
      );
      // Signalled again is harmless; not at all would be a loss.
      assert.deepEqual(
        [...new Set(offsetsOf(world, BROKEN))].sort((a, b) => a - b),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      );
      for (const partition of OTHERS) assert.deepEqual(offsetsOf(world, partition), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });
  }
});

describe('a bridge that lost its partitions and does not know it', () => {
  it('does not fence the one that has them now: no ping-pong', async (t) => {
    const world = new World(t, 4);
    const a = world.start('a');
    await world.until('a has all', () => a.describe().length === 4);
    const b = world.start('b');
    world.kafka.rebalance(SETTINGS.groupId, ['a']);
    await world.until('b has all', () => b.describe().length === 4);
    const before = world.kafka.fences.length;
    for (let n = 0; n < 20; n += 1) {
      moneyIn(world, ALL, 1_000 * n);
      await world.pass(1_000);
    }
    await world.until('all is committed', async () => (await committedMoney(world)).every((offset) => offset === 20));
    // a joins again when its heartbeat is refused, so the four are shared once more.
    assert.ok(world.kafka.fences.length - before <= 4 + 4, `${world.kafka.fences.length - before} times taken`);
  });
});

describe('the end of a membership', () => {
  it('closes the producers of all triples at once', async () => {
    const partitions = Array.from({ length: 50 }, (_, partition) => partition);
    const kafka = new KafkaInMemory();
    for (const topic of [...SETTINGS.inputTopics, 'dead']) kafka.createTopic(topic, partitions.length);
    const real = kafka.port('a');
    let closing = 0;
    let most = 0;
    let closeAll: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (closeAll = resolve));
    const port = {
      ...real,
      fence: async (id: string): Promise<TransactionalProducer> => {
        const producer = await real.fence(id);
        return {
          begin: () => producer.begin(),
          close: async () => {
            closing += 1;
            most = Math.max(most, closing);
            // Nobody's ends before everybody's has begun.
            if (closing === partitions.length) closeAll();
            await gate;
          },
        };
      },
    };
    const clock = new ManualClock();
    const assignment = new Assignment(SETTINGS, {
      kafka: port,
      clock,
      logger: silentLogger(),
      signaller: { workflowIdOf: (key) => key, signal: async () => undefined, history: async () => null },
      observer: {
        read() {},
        deadLettersCut() {},
        deadLettersWritten() {},
        late() {},
        signalled() {},
        signalFailed() {},
        committed() {},
        splitKey() {},
      },
      rooms: new TopicRooms(port, clock),
      member: { pause() {}, resume() {}, seek() {} },
      onFailure: (error) => assert.fail(error as Error),
    });
    assignment.assign(partitions);
    await assignment.attempted(1_000);
    await assignment.end();
    assert.equal(most, partitions.length);
  });
});

describe('unread records that were deleted', () => {
  it('do not stall their partition: it goes on at the first record there is, and the gap is said and counted', async (t) => {
    const world = new World(t);
    for (let n = 0; n < 5; n += 1) world.produce('user', n);
    const first = world.start('a');
    await world.until('they are committed', async () => (await world.committed())[0] === 5);
    first.stop();
    await world.until('it is away', () => world.hasStopped('a'));
    world.produce('user', 10);
    world.produce('user', 11);
    // The log holds nothing now, and nothing more comes.
    world.kafka.deleteBefore('user', 0, 7);
    const second = world.start('b');
    for (let n = 0; n < 30; n += 1) {
      world.produce('money', 1_000 * n, { user: 2 });
      await world.pass(1_000);
    }
    await world.until('the money goes on', async () => (await world.committed())[2]! >= 29);
    assert.equal((await world.committed())[0], 7);
    assert.equal(world.counts.lost, 2);
    assert.deepEqual(world.warnings(/went from the topic/), [
      'user, partition 0: the records from offset 5 to before 7 went from the topic before they were read, and are not processed: raise its retention',
    ]);
    assert.equal(second.notReady, undefined);
  });

  it('behind where a bridge reads just now do not stall it either', async (t) => {
    const world = new World(t);
    world.kafka.setLeaderless('session', 0, true);
    world.start('a');
    for (let n = 0; n < 4; n += 1) world.produce('session', n);
    await world.pass(3_000);
    world.kafka.deleteBefore('session', 0, 3);
    world.kafka.setLeaderless('session', 0, false);
    world.produce('money', 10);
    await world.until('both are committed', async () => {
      const [, session, money] = await world.committed();
      return session === 4 && money === 1;
    });
    assert.equal(world.counts.lost, 0, 'nothing was committed: what is there first is the beginning');
  });
});

describe('a log that was cut below what was read of it', () => {
  it('holds up its partition until a person has decided, and no other', async (t) => {
    const world = new World(t, 4);
    const bridge = world.start('a');
    for (let n = 0; n < 5; n += 1) moneyIn(world, ALL, 1_000 * n);
    await world.until('all is committed', async () => (await committedMoney(world)).every((offset) => offset === 5));
    world.kafka.truncate('money', BROKEN, 3);
    await world.pass(60_000);
    moneyIn(world, ALL, 60_000);
    await world.until('the others go on', async () =>
      OTHERS.every((partition) => offsetsOf(world, partition).includes(5)),
    );
    await world.pass(10_000);
    assert.deepEqual(offsetsOf(world, BROKEN), [0, 1, 2, 3, 4]);
    assert.deepEqual(
      bridge.partitionsWaiting.map(({ partition, reason }) => [partition, reason]),
      [[BROKEN, 'log']],
    );
    assert.match(
      bridge.notReady ?? '',
      /^partition 2 waits, for \d+ s: money, partition 2 .*(was read up to offset 5|read up to 5)/,
    );
    assert.equal(world.kafka.joins, 1);
  });
});
