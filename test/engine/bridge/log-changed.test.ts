/** A log of a bridge that runs is another one, or was cut: nothing is read on from there without a person, and all goes on after the decision. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import { acceptLogs, type Accepted, type Accepting } from '../../../src/engine/bridge/accept-logs.ts';
import type { Bridge } from '../../../src/engine/bridge/bridge.ts';
import type { KafkaClient } from '../../../src/engine/kafka/port.ts';
import { SETTINGS, World } from './world.ts';

/** Five records of money that are read; all else is committed. */
async function given(
  t: ConstructorParameters<typeof World>[0],
  { acknowledged = true } = {},
): Promise<{ world: World; bridge: Bridge }> {
  const world = new World(t);
  world.kafka.identified = true;
  world.autoAcknowledge = acknowledged;
  const bridge = world.start('a');
  for (let n = 0; n < 5; n += 1) world.produce('money', n);
  await world.until('all is read', () => world.counts.read === 5);
  if (acknowledged) await world.until('all is committed', async () => (await world.committed())[2] === 5);
  else await world.until('the place is committed', async () => (await world.committed())[2] !== null);
  return { world, bridge };
}

const waitsFor = (world: World, bridge: Bridge, text: RegExp) =>
  world.until(`it waits: ${text.source}`, () =>
    bridge.partitionsWaiting.some((wait) => wait.reason === 'log' && text.test(wait.text)),
  );

function accept({ kafka }: World, from: 'beginning' | 'end'): ReturnType<typeof acceptLogs> {
  const { appId, groupId, inputTopics } = SETTINGS;
  return acceptLogs(kafka.port('person') as KafkaClient, {
    appId,
    groupId,
    inputTopics,
    partitions: 1,
    topics: ['money'],
    from,
    dryRun: false,
  });
}

test('a topic that was made anew and holds as much as before is noticed by its id, while it is read', async (t) => {
  const { world, bridge } = await given(t);
  world.kafka.makeAnew('money');
  for (let n = 10; n < 15; n += 1) world.produce('money', n);
  await waitsFor(world, bridge, /^money, partition 0 belongs to another topic of that name/);
  await accept(world, 'beginning');
  await world.until(
    'its records are sent',
    () =>
      world.signals.filter(({ batch }) => batch.logs?.money === 'id-of-money1').flatMap(({ batch }) => batch.records)
        .length === 5,
  );
});

test('a bridge that takes the partition again while a decision about it is committed: the decision stands', async (t) => {
  const { world, bridge } = await given(t);
  world.kafka.makeAnew('money');
  await waitsFor(world, bridge, /^money, partition 0 belongs to another topic of that name/);
  bridge.stop();
  await world.until('the bridge has stopped', () => world.hasStopped('a'));
  const port = world.kafka.port('person') as KafkaClient;
  let taken = 0;
  const disturbed: KafkaClient = {
    ...port,
    async fence(id) {
      taken += 1;
      // It may be in the very taking, too.
      if (taken === 3) throw new CodedError('FENCED', 'taking failed: PRODUCER_FENCED');
      const producer = await port.fence(id);
      if (taken <= 2) await (await world.kafka.port('bridge').fence(id)).close();
      return producer;
    },
  };
  const { appId, groupId, inputTopics } = SETTINGS;
  const accepting = {
    appId,
    groupId,
    inputTopics,
    partitions: 1,
    topics: ['money'],
    from: 'beginning',
    dryRun: false,
  } as const;
  // The committed offset went with the old topic.
  assert.deepEqual(await acceptLogs(disturbed, accepting), [{ topic: 'money', partition: 0, before: null, offset: 0 }]);
  assert.equal(taken, 4);
});

test('a decision that comes as soon as the wait is said is not waited for once more', async (t) => {
  const { world, bridge } = await given(t);
  world.kafka.truncate('money', 0, 3);
  await waitsFor(world, bridge, /^money, partition 0 ends at offset 3, but was read up to 5/);
  assert.deepEqual(await accept(world, 'end'), [{ topic: 'money', partition: 0, before: 5, offset: 3 }]);
  await world.pass(60_000);
  assert.deepEqual(bridge.partitionsWaiting, []);
  world.produce('money', 70_000);
  await world.until('what comes now is sent', () =>
    world.signals.some(({ batch }) => batch.logs?.money === 'id-of-money~1' && batch.records[0]?.offset === 3),
  );
});

test('a log that was cut below what was read, and not below the place: it waits in every bridge, however it grows, and can be accepted', async (t) => {
  const { world, bridge } = await given(t, { acknowledged: false });
  world.kafka.truncate('money', 0, 2);
  await waitsFor(world, bridge, /^money, partition 0 was read up to offset 5, and then ended before that/);
  for (let n = 20; n < 30; n += 1) world.produce('money', n);
  bridge.stop();
  await world.until('the bridge has stopped', () => world.hasStopped('a'));
  const other = world.start('b');
  await waitsFor(world, other, /^money, partition 0 was read up to offset 5/);
  const before = world.signals.length;
  await world.pass(30_000);
  assert.equal(world.signals.length, before);
  world.autoAcknowledge = true;
  await accept(world, 'beginning');
  await world.until(
    'all that it holds is sent',
    () =>
      world.signals.slice(before).flatMap(({ batch }) => (batch.logs?.money === 'id-of-money~1' ? batch.records : []))
        .length === 12,
  );
});

test('a log that was cut and grows again before anybody has decided waits by the record that was read last', async (t) => {
  const { world, bridge } = await given(t, { acknowledged: false });
  world.kafka.truncate('money', 0, 1);
  await waitsFor(world, bridge, /^money, partition 0 ends at offset 1, but was read up to 5/);
  const before = world.signals.length;
  for (let n = 20; n < 30; n += 1) world.produce('money', n);
  await waitsFor(world, bridge, /^money, partition 0 was read up to offset 5, but at offset 4 is not the record/);
  await world.pass(30_000);
  assert.equal(world.signals.length, before);
});

/** The log is cut, and has grown beyond what was read of it before its end is asked for again. */
function cutAndGrown(world: World): void {
  world.kafka.truncate('money', 0, 3);
  for (let n = 20; n < 26; n += 1) world.produce('money', n);
}

test('a log that is cut and grows again while its leader is away is not read on: what was fetched last is not there any more', async (t) => {
  const { world, bridge } = await given(t);
  world.kafka.setLeaderless('money', 0, true);
  await world.until('its ends are in doubt', () => bridge.partitionsWaiting.some(({ reason }) => reason === 'ends'));
  cutAndGrown(world);
  world.kafka.setLeaderless('money', 0, false);
  await waitsFor(world, bridge, /^money, partition 0 was read up to offset 5, and then ended before that/);
  assert.deepEqual(await accept(world, 'beginning'), [{ topic: 'money', partition: 0, before: 5, offset: 0 }]);
  await world.until(
    'all that it holds is sent',
    () =>
      world.signals.flatMap(({ batch }) => (batch.logs?.money === 'id-of-money~1' ? batch.records : [])).length === 9,
  );
});

test('a log that is there again as it was after its leader was away is read on', async (t) => {
  const { world, bridge } = await given(t);
  world.kafka.setLeaderless('money', 0, true);
  await world.until('its ends are in doubt', () => bridge.partitionsWaiting.some(({ reason }) => reason === 'ends'));
  for (let n = 20; n < 26; n += 1) world.produce('money', n);
  world.kafka.setLeaderless('money', 0, false);
  await world.until('it is read on', async () => (await world.committed())[2] === 11);
  assert.deepEqual(world.signals.map(({ batch }) => batch.records.map(({ offset }) => offset)).flat().length, 11);
});

test('a decision about two partitions, of which the first has no leader: the second is decided about, said and read on', async (t) => {
  const world = new World(t, 2);
  world.kafka.identified = true;
  const bridge = world.start('a');
  for (const partition of [0, 1]) world.produce('money', 0, { partition });
  await world.until(
    'all is committed',
    async () => (await world.committed())[2] === 1 && (await world.committed(1))[2] === 1,
  );
  world.kafka.makeAnew('money');
  await world.until('both wait', () => bridge.partitionsWaiting.length === 2);
  const port = world.kafka.port('person') as KafkaClient;
  const withoutLeader: KafkaClient = {
    ...port,
    async endOffsets(partitions) {
      if (partitions.some(({ partition }) => partition === 0)) throw new CodedError('KAFKA', 'LEADER_NOT_AVAILABLE');
      return port.endOffsets(partitions);
    },
  };
  const { appId, groupId, inputTopics } = SETTINGS;
  const said: Accepted[] = [];
  const accepting: Accepting = {
    appId,
    groupId,
    inputTopics,
    partitions: 2,
    topics: ['money'],
    from: 'beginning',
    dryRun: false,
    onAccepted: (one) => said.push(one),
  };
  await assert.rejects(acceptLogs(withoutLeader, accepting), {
    code: 'KAFKA',
    message: 'partition 0: not decided about, run it again for it: LEADER_NOT_AVAILABLE',
  });
  const [first, second] = [0, 1].map((partition) => ({ topic: 'money', partition, before: null, offset: 0 }));
  assert.deepEqual(said, [second]);
  await world.until('the second goes on', () => bridge.partitionsWaiting.length === 1);
  assert.equal(bridge.partitionsWaiting[0]?.partition, 0);

  // There is a leader again: asked once more, it finds what is left.
  assert.deepEqual(await acceptLogs(port, accepting), [first]);
  assert.deepEqual(said, [second, first]);
  await world.until('the first goes on too', () => bridge.partitionsWaiting.length === 0);
});
