/** The bridge on Kafka in memory: what it signals and commits, and what remains of it through failures and rebalances. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { uuid, World } from './world.ts';

describe('the bridge', () => {
  it('signals what the watermark has passed, by user, in the order of application', async (t) => {
    const world = new World(t);
    world.start('a');
    world.produce('money', 30, { user: 1 });
    world.produce('money', 20, { user: 2 });
    world.produce('session', 30, { user: 1 });
    world.produce('user', 25, { user: 1, timestamp: 40 });
    world.produce('money', 10, { user: 1, timestamp: 50 });
    await world.until('everything is signalled', () => world.counts.signalled === 5);
    const of = (user: number) =>
      world.signals
        .filter(({ userId }) => userId === uuid(user))
        .flatMap(({ batch }) => batch.records.map(({ event, offset, late }) => [event.type, offset, late]));
    assert.deepEqual(of(1), [
      ['money', 2, undefined],
      ['address', 0, undefined],
      ['session', 0, undefined],
      ['money', 0, undefined],
    ]);
    assert.deepEqual(of(2), [['money', 1, undefined]]);
    const [first] = world.signals;
    assert.deepEqual([first!.batch.partition, first!.batch.rules.dedupTtl], [0, 60_000]);
  });

  it('commits when all is acknowledged, and nothing before', async (t) => {
    const world = new World(t);
    world.autoAcknowledge = false;
    world.start('a');
    world.produce('money', 10);
    await world.until('the money is signalled', () => world.signals.length === 1);
    await world.pass(10_000);
    assert.deepEqual(await world.committed(), [0, 0, 0]);
    world.signals[0]!.acknowledge();
    await world.until('the offset is committed', async () => (await world.committed())[2] === 1);
  });

  it('does not commit past what is not acknowledged, though later records are', async (t) => {
    const world = new World(t);
    world.autoAcknowledge = false;
    world.start('a');
    world.produce('money', 10, { user: 1 });
    world.produce('money', 11, { user: 2 });
    await world.until('both are signalled', () => world.signals.length === 2);
    world.signals.find(({ userId }) => userId === uuid(2))!.acknowledge();
    await world.pass(10_000);
    assert.deepEqual(await world.committed(), [0, 0, 0]);
    world.signals.find(({ userId }) => userId === uuid(1))!.acknowledge();
    await world.until('the offset is committed', async () => (await world.committed())[2] === 2);
  });

  it('sends a signal again until it goes through: the same signal', async (t) => {
    const world = new World(t);
    world.autoAcknowledge = false;
    world.start('a');
    world.produce('money', 10);
    for (let attempt = 0; attempt < 4; attempt += 1) {
      await world.until(`attempt ${attempt}`, () => world.signals.length === attempt + 1);
      assert.deepEqual(world.signals[attempt]!.batch, world.signals[0]!.batch);
      if (attempt < 3) world.signals[attempt]!.fail();
    }
    world.signals[3]!.acknowledge();
    await world.until('the offset is committed', async () => (await world.committed())[2] === 1);
    assert.deepEqual([world.counts.failed, world.counts.signalled], [3, 1]);
  });

  it('has one unacknowledged signal for a user, and goes on for others', async (t) => {
    const world = new World(t);
    world.autoAcknowledge = false;
    world.start('a');
    world.produce('money', 10, { user: 1 });
    await world.until('the first is signalled', () => world.signals.length === 1);
    for (const ts of [20, 21, 22]) world.produce('money', ts, { user: 1 });
    world.produce('money', 23, { user: 2 });
    await world.until('the other user is signalled', () => world.signals.length === 2);
    await world.pass(20_000);
    assert.deepEqual(
      world.signals.map(({ userId }) => userId),
      [uuid(1), uuid(2)],
    );
    world.signals[0]!.acknowledge();
    await world.until('what waited is signalled together', () => world.signals.length === 3);
    assert.deepEqual(
      world.signals[2]!.batch.records.map(({ offset }) => offset),
      [1, 2, 3],
    );
    // Everything of this user below was acknowledged.
    assert.deepEqual(world.signals[2]!.batch.lowWater, [0, 0, 1]);
  });

  it('does not hold up the rest when a workflow cannot be reached', async (t) => {
    const world = new World(t);
    world.autoAcknowledge = false;
    world.start('a');
    world.produce('money', 1, { user: 1 });
    await world.until('it is signalled', () => world.signals.length === 1);
    for (let user = 2; user < 12; user += 1) world.produce('money', user, { user });
    await world.until('all others are signalled', () => {
      for (const signal of world.signals) if (!signal.answered && signal.userId !== uuid(1)) signal.acknowledge();
      return world.counts.signalled === 10;
    });
    assert.deepEqual(await world.committed(), [0, 0, 0]);
  });

  it('waits with the signals of a user whose workflow has a long history', async (t) => {
    const world = new World(t);
    world.start('a');
    world.history = { events: 5_000, bytes: 0 };
    // The history is looked at after every 200 signals.
    for (let n = 0; n < 200; n += 1) {
      world.produce('money', n);
      await world.until(`signal ${n}`, () => world.counts.signalled === n + 1, 1_000);
    }
    world.produce('money', 200);
    await world.pass(20_000);
    assert.equal(world.signals.length, 200);
    world.history = { events: 4_999, bytes: 0 };
    await world.until('it goes on', () => world.counts.signalled === 201);
  });

  it('writes dead letters once, and counts them', async (t) => {
    const world = new World(t);
    world.start('a');
    world.kafka.append('money', 0, { key: 'k', value: 'no JSON', timestamp: 5 });
    world.produce('money', 10, { key: 'of another' });
    world.produce('money', 11);
    await world.until('all is done', async () => (await world.committed())[2] === 3);
    assert.deepEqual(
      world.kafka.committed('dead').map(({ headers }) => [headers['reason'], headers['source-offset']]),
      [
        ['malformed', '0'],
        ['key-mismatch', '1'],
      ],
    );
    assert.deepEqual([world.counts.deadLetters, world.signalledMoney], [2, [2]]);
  });

  it('shares the partitions with another bridge, and takes them over when that one leaves', async (t) => {
    const world = new World(t, 4);
    const a = world.start('a');
    await world.until('the first has all', () => a.describe().length === 4);
    const b = world.start('b');
    await world.until('both have two', () => a.describe().length === 2 && b.describe().length === 2);
    for (let partition = 0; partition < 4; partition += 1) {
      world.produce('money', partition, { user: partition, partition });
    }
    await world.until('all is signalled', () => new Set(world.signals.map(({ userId }) => userId)).size === 4);
    assert.deepEqual(new Set(world.signals.map(({ bridge }) => bridge)), new Set(['a', 'b']));
    a.stop();
    await world.until('the other has all', () => b.describe().length === 4);
    for (let partition = 0; partition < 4; partition += 1) {
      world.produce('money', 50 + partition, { user: partition, partition });
    }
    await world.until('all is committed', async () =>
      (await Promise.all([0, 1, 2, 3].map((partition) => world.committed(partition)))).every(
        ([, , money]) => money === 2,
      ),
    );
  });

  it('that was cut off and does not know it cannot commit, and joins anew', async (t) => {
    const world = new World(t);
    world.autoAcknowledge = false;
    const a = world.start('a');
    world.produce('money', 10);
    await world.until('a has signalled', () => world.signals.length === 1);
    world.start('b');
    world.kafka.rebalance('bridges', ['a']);
    await world.until('b has signalled', () => world.signals.some(({ bridge }) => bridge === 'b'));
    // The zombie's acknowledgement comes: its commit is fenced.
    world.signals[0]!.acknowledge();
    await world.pass(3_000);
    assert.deepEqual((await world.committed())[2], 0);
    world.autoAcknowledge = true;
    for (const signal of world.signals) signal.acknowledge();
    await world.until('it is committed', async () => (await world.committed())[2] === 1);
    await world.until('a is at work again or has nothing to do', () => a.notReady === undefined);
  });

  it('drains when it is told to stop: waits for what is on its way, and commits it', async (t) => {
    const world = new World(t);
    world.autoAcknowledge = false;
    const a = world.start('a');
    world.produce('money', 10);
    await world.until('it is signalled', () => world.signals.length === 1);
    a.stop();
    await world.pass(2_000);
    assert.equal(world.hasStopped('a'), false);
    world.signals[0]!.acknowledge();
    await world.until('it has stopped', () => world.hasStopped('a'));
    assert.deepEqual((await world.committed())[2], 1);
  });

  it('leaves to the next one what it has not sent a moment after it is told to stop', async (t) => {
    const world = new World(t);
    world.autoAcknowledge = false;
    const a = world.start('a');
    world.produce('money', 10);
    await world.until('it is signalled', () => world.signals.length === 1);
    world.produce('money', 20);
    await world.until('it is released', () => a.describe().some(({ released }) => released === 2));
    a.stop();
    await world.pass(1_000);
    world.signals[0]!.acknowledge();
    await world.until('it has stopped', () => world.hasStopped('a'), 50);
    assert.equal(world.signals.length, 1);
    assert.deepEqual((await world.committed())[2], 1);
  });

  it('does not wait for ever when it is told to stop', async (t) => {
    const world = new World(t);
    world.autoAcknowledge = false;
    const a = world.start('a');
    world.produce('money', 10);
    await world.until('it is signalled', () => world.signals.length === 1);
    a.stop();
    await world.until('it has stopped', () => world.hasStopped('a'));
    assert.deepEqual((await world.committed())[2], 0);
  });

  it('sends at once what waits for company when it is told to stop', async (t) => {
    const world = new World(t);
    const a = world.start('a', { idleTimeout: 500 });
    // The watermark passes the user event by a record of each topic after it.
    world.produce('user', 10);
    for (const input of ['user', 'session', 'money'] as const) world.produce(input, 60_000, { user: 2 });
    await world.until('something of it is released', () => a.describe().some(({ released }) => released > 0), 50);
    a.stop();
    await world.until('it is signalled', () => world.signals.some(({ userId }) => userId === uuid(1)), 1);
  });

  it('reports a failure of Kafka, and goes on when it is over', async (t) => {
    const world = new World(t);
    let broken = true;
    world.kafka.intercept = ({ api }) => {
      if (broken && api === 'fence') throw new Error('no broker');
    };
    const a = world.start('a');
    await world.until('it says so', () =>
      /^partition 0 waits, for \d+ s: no broker; it is tried again$/.test(a.notReady ?? ''),
    );
    broken = false;
    world.produce('money', 10);
    await world.until('the money is committed', async () => (await world.committed())[2] === 1);
    assert.equal(a.notReady, undefined);
  });

  it('is live while its loop turns, with nothing to do as well, and not when it has not turned for 60 s', async (t) => {
    const world = new World(t);
    const a = world.start('a');
    assert.equal(a.notLive, undefined);
    await world.until('it has its partitions', () => a.describe().length === 1);
    await world.pass(1_000);
    world.clock.advance(59_000);
    // The loop has not had the thread yet.
    assert.equal(a.notLive, undefined);
    world.clock.advance(3_600_000);
    assert.match(a.notLive ?? '', /^no record was moved or looked for in 36\d\d s$/);
    await world.pass(300_000);
    assert.equal(a.notLive, undefined);
  });

  it('is live while Kafka is away, for however long', async (t) => {
    const world = new World(t);
    let broken = true;
    world.kafka.intercept = ({ api }) => {
      if (broken && api === 'fence') throw new Error('no broker');
    };
    const a = world.start('a');
    await world.until('it says so', () =>
      /^partition 0 waits, for \d+ s: no broker; it is tried again$/.test(a.notReady ?? ''),
    );
    for (let minutes = 0; minutes < 10; minutes += 1) {
      await world.pass(60_000);
      assert.equal(a.notLive, undefined);
    }
    broken = false;
    await world.until('it has its partitions', () => a.notReady === undefined);
    assert.equal(a.notLive, undefined);
  });

  it('leaves no producer open when it is stopped while it takes its partitions', async (t) => {
    const world = new World(t, 3);
    let taking = 0;
    let goOn: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const port = world.kafka.port('a');
    const open = new Set<object>();
    world.kafka.port = () => ({
      ...port,
      fence: async (id) => {
        taking += 1;
        await gate;
        const producer = await port.fence(id);
        const counted = { ...producer, close: async () => (open.delete(counted), producer.close()) };
        open.add(counted);
        return counted;
      },
    });
    const a = world.start('a');
    await world.until('it takes them', () => taking === 3);
    a.stop();
    await world.pass(1_000);
    goOn();
    await world.until('it has stopped', () => world.hasStopped('a'));
    await world.pass(1_000);
    assert.equal(open.size, 0);
  });

  it('bounds what it fetches ahead, and still reads all of it', async (t) => {
    const world = new World(t);
    world.kafka.fetchSize = 1_000;
    for (let n = 0; n < 12_000; n += 1) world.produce('money', n, { user: n % 50 });
    // Reading waits for the ends of the other topics, so that fetching runs ahead.
    const a = world.start('a');
    await world.until('something is fetched', () => world.counts.read >= 4_000, 1);
    await world.pass(100);
    assert.ok(world.counts.read <= 5_000, `${world.counts.read} fetched`);
    await world.until('all is committed', async () => (await world.committed())[2] === 12_000, 500);
    assert.equal(a.describe()[0]!.held, 0);
    assert.equal(world.counts.signalled, 12_000);
  });
});
