/** The log of an input is cut, or restored from a copy, and grows again under the same id. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceptLogs } from '../../../src/engine/bridge/accept-logs.ts';
import type { KafkaClient } from '../../../src/engine/kafka/port.ts';
import { SETTINGS, World } from './world.ts';

const OTHER =
  /^money, partition 0 was read up to offset 3, but at offset 2 is not the record that was read there, and it now holds the offsets from 0 to before 5: .*topics --accept money/;

/** Two partitions, of which three records of money are read and committed, and no bridge. */
async function readAndStopped(world: World): Promise<void> {
  world.kafka.identified = true;
  const bridge = world.start('a');
  for (const ts of [10, 20, 30]) world.produce('money', ts);
  world.produce('money', 10, { partition: 1 });
  await world.until(
    'all is committed',
    async () => (await world.committed())[2] === 3 && (await world.committed(1))[2] === 1,
  );
  bridge.stop();
  await world.until('it has stopped', () => world.hasStopped('a'));
}

const accept = (world: World, from: 'beginning' | 'end') =>
  acceptLogs(world.kafka.port('a person') as KafkaClient, {
    appId: SETTINGS.appId,
    groupId: SETTINGS.groupId,
    inputTopics: SETTINGS.inputTopics,
    partitions: 2,
    topics: ['money'],
    from,
    dryRun: false,
  });

describe('a log that was cut and has grown beyond the committed place again', () => {
  it('is not read on: its partition waits for a person, the others go on', async (t) => {
    const world = new World(t, 2);
    await readAndStopped(world);
    world.kafka.truncate('money', 0, 1);
    for (const ts of [40, 50, 60, 70]) world.produce('money', ts);
    const bridge = world.start('b');
    const wait = await world.until('it waits', () => bridge.partitionsWaiting[0]);
    assert.deepEqual([wait.partition, wait.reason], [0, 'log']);
    assert.match(wait.text, OTHER);
    world.produce('money', 80, { partition: 1 });
    await world.until('the other partition goes on', async () => (await world.committed(1))[2] === 2);
    await world.pass(60_000);
    assert.match(bridge.notReady ?? '', /^partition 0 waits, for \d+ s: money, partition 0 was read up to offset 3/);
    assert.equal(world.warnings(/^partition 0 waits, the others go on: money, partition 0 was read up to/).length, 1);
    assert.equal(world.signals.filter(({ bridge: name }) => name === 'b').length, 1);

    assert.deepEqual(await accept(world, 'beginning'), [{ topic: 'money', partition: 0, before: 3, offset: 0 }]);
    await world.until(
      'a person has decided, and it is read as it is now',
      async () => (await world.committed())[2] === 5,
    );
    assert.equal(bridge.notReady, undefined);
    const sent = world.signals.filter(
      ({ bridge: name, batch }) => name === 'b' && batch.logs?.money === 'id-of-money~1',
    );
    assert.deepEqual(
      sent.flatMap(({ batch }) => batch.records.map(({ offset }) => offset)),
      [0, 1, 2, 3, 4],
    );
  });

  it('is the one that was read where it was cut behind that, and what is new in it is read', async (t) => {
    const world = new World(t, 2);
    await readAndStopped(world);
    world.produce('money', 40);
    world.kafka.truncate('money', 0, 3);
    for (const ts of [50, 60]) world.produce('money', ts);
    world.start('b');
    await world.until('it goes on', async () => (await world.committed())[2] === 5);
    assert.deepEqual(world.warnings(/waits/), []);
  });

  it('is noticed in what was read and is not acknowledged, which the workflows may have', async (t) => {
    const world = new World(t);
    world.autoAcknowledge = false;
    const bridge = world.start('a');
    world.produce('money', 10, { user: 1 });
    world.produce('money', 20, { user: 2 });
    await world.until('the second user has its signal and the first not', () => {
      world.signals.find(({ batch }) => batch.records.some(({ offset }) => offset === 1))?.acknowledge();
      return world.signals.length === 2;
    });
    await world.pass(5_000);
    assert.equal((await world.committed())[2], 0);
    bridge.stop();
    await world.until('it has stopped', () => world.hasStopped('a'));
    world.kafka.truncate('money', 0, 1);
    world.produce('money', 30, { user: 2 });
    const next = world.start('b');
    await world.until('it waits', () =>
      /^money, partition 0 was read up to offset 2, but at offset 1 is not the record/.test(
        next.partitionsWaiting[0]?.text ?? '',
      ),
    );
  });

  it('goes on within two seconds where its end was told late, as after its leader has moved', async (t) => {
    const world = new World(t, 2);
    await readAndStopped(world);
    const { entries } = world.kafka.partition('money', 0);
    const [last] = entries.splice(2);
    const bridge = world.start('b');
    await world.until('it waits', () =>
      /was read up to offset 3, but it now holds the offsets from 0 to before 2/.test(
        bridge.partitionsWaiting[0]?.text ?? '',
      ),
    );
    const from = world.clock.now();
    entries.push(last!);
    await world.until('it goes on', () => bridge.describe().length === 2);
    assert.ok(world.clock.now() - from < 2_000, `${world.clock.now() - from} ms`);
  });

  it('is no matter where the record was deleted that was read last', async (t) => {
    const world = new World(t, 2);
    await readAndStopped(world);
    for (const ts of [40, 50]) world.produce('money', ts);
    world.kafka.deleteBefore('money', 0, 3);
    world.start('b');
    await world.until('it goes on', async () => (await world.committed())[2] === 5);
    assert.deepEqual(world.warnings(/waits/), []);
  });
});
