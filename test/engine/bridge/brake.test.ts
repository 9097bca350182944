/** A producer's bad release: the partition stops before all of it is in the dead letters, says so, and goes on when a person lets it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bridge } from '../../../src/engine/bridge/bridge.ts';
import { CodedError } from '../../../src/engine/errors.ts';
import { acceptLogs } from '../../../src/engine/bridge/accept-logs.ts';
import { releaseBrake, type Released } from '../../../src/engine/bridge/release-brake.ts';
import type { KafkaClient } from '../../../src/engine/kafka/port.ts';
import { releaseCommand } from '../../../src/money/bridge/settings.ts';
import { SETTINGS, START, uuid, World } from './world.ts';

const BRAKE = { brake: { share: 0.5, records: 20 }, releaseCommand };

const bad = (world: World, times: number, partition = 0): void => {
  for (let n = 0; n < times; n += 1) {
    world.kafka.append('money', partition, { key: uuid(1), value: '{"type":"Nonsense"}', timestamp: START + 1_000 });
  }
};
const stops = (world: World, bridge: Bridge) =>
  world.until('the brake has stopped it', () => bridge.partitionsWaiting.some(({ reason }) => reason === 'brake'));
const deadOffsets = ({ kafka }: World): number[] =>
  kafka.committed('dead').map(({ headers }) => Number(headers['source-offset']));

function release(world: World, dryRun = false): Promise<Released[]> {
  const { appId, groupId, inputTopics } = SETTINGS;
  return releaseBrake(world.kafka.port('person'), { appId, groupId, inputTopics, partitions: 1, dryRun });
}

test('it stops in every bridge, also in one that starts later, and all that the log holds comes out once after the release', async (t) => {
  const world = new World(t);
  const bridge = world.start('a', BRAKE);
  for (let n = 0; n < 10; n += 1) world.produce('money', n);
  bad(world, 100);
  for (let n = 110; n < 120; n += 1) world.produce('money', n);
  await stops(world, bridge);
  // Ten good ones, ten bad ones; with the next one it would be more than half of twenty.
  assert.deepEqual(deadOffsets(world), [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  assert.match(
    bridge.partitionsWaiting[0]!.text,
    /^money, partition 0: with the record at offset 20, 11 of the last 20 records are unusable, .+"money-enrichment dead-letters release --topic money --partition 0"/,
  );
  await world.until('it is not ready', () => /with the record at offset 20/.test(bridge.notReady ?? ''));
  assert.equal(world.warnings(/partition 0 waits, the others go on: money, partition 0: with the record/).length, 1);

  bridge.stop();
  await world.until('the bridge has stopped', () => world.hasStopped('a'));
  const other = world.start('b', BRAKE);
  await stops(world, other);
  await world.pass(60_000);
  assert.equal(deadOffsets(world).length, 10);

  const decision = [{ topic: 'money', partition: 0, offset: 20, below: 120 }];
  assert.deepEqual(await release(world, true), decision);
  await world.pass(20_000);
  assert.equal(deadOffsets(world).length, 10);
  assert.deepEqual(await release(world), decision);
  await world.until('all is dead that is unusable', () => deadOffsets(world).length === 100);
  assert.deepEqual(
    deadOffsets(world),
    [...deadOffsets(world).keys()].map((n) => n + 10),
  );
  await world.until('all else is sent', () => new Set(world.signalledMoney).size === 20);
  assert.deepEqual(other.partitionsWaiting, []);
  assert.equal(other.notReady, undefined);
  assert.deepEqual(await release(world), []);
});

test('what comes after the release is stopped again', async (t) => {
  const world = new World(t);
  const bridge = world.start('a', BRAKE);
  bad(world, 30);
  await stops(world, bridge);
  await release(world);
  await world.until('all is dead', () => deadOffsets(world).length === 30);
  bad(world, 30);
  await stops(world, bridge);
  assert.equal(deadOffsets(world).length, 40);
});

test('other partitions go on; without a brake nothing stops', async (t) => {
  const world = new World(t, 2);
  const bridge = world.start('a', BRAKE);
  bad(world, 30);
  await stops(world, bridge);
  world.produce('money', 5, { partition: 1 });
  world.produce('money', 60_000, { partition: 1 });
  await world.until('the other one is sent', () => world.signals.some(({ batch }) => batch.partition === 1));
  assert.equal(bridge.partitionsWaiting.length, 1);

  const free = new World(t);
  free.start('a');
  bad(free, 30);
  await free.until('all is dead', () => deadOffsets(free).length === 30);
});

test('a log that is another one is decided about first, and then the brake knows nothing of the one before', async (t) => {
  const world = new World(t);
  world.kafka.identified = true;
  const bridge = world.start('a', BRAKE);
  bad(world, 30);
  await stops(world, bridge);
  world.kafka.makeAnew('money');
  world.produce('money', 5);
  await world.until('it is noticed', () => bridge.partitionsWaiting.some(({ reason }) => reason === 'log'));
  const { appId, groupId, inputTopics } = SETTINGS;
  const accepting = { appId, groupId, inputTopics, partitions: 1, topics: ['money'], from: 'beginning' } as const;
  await acceptLogs(world.kafka.port('person') as KafkaClient, { ...accepting, dryRun: false });
  await world.until('the new log is read', () => world.signalledMoney.length > 0);
  assert.deepEqual(bridge.partitionsWaiting, []);
});

test('a release of two partitions, with one before them without a leader: both go on and are said, and that one is named', async (t) => {
  const world = new World(t, 3);
  const bridge = world.start('a', BRAKE);
  for (const partition of [1, 2]) bad(world, 30, partition);
  await world.until('both are stopped', () => bridge.partitionsWaiting.length === 2);
  const port = world.kafka.port('person') as KafkaClient;
  const withoutLeader: KafkaClient = {
    ...port,
    async endOffsets(partitions) {
      if (partitions.some(({ partition }) => partition === 0)) {
        throw new CodedError('KAFKA', 'money, partition 0 has no leader');
      }
      return port.endOffsets(partitions);
    },
  };
  const { appId, groupId, inputTopics } = SETTINGS;
  const said: Released[] = [];
  const onReleased = (one: Released): void => void said.push(one);
  await assert.rejects(
    releaseBrake(withoutLeader, { appId, groupId, inputTopics, partitions: 3, dryRun: false, onReleased }),
    {
      code: 'KAFKA',
      message: 'partition 0: not decided about, run it again for it: money, partition 0 has no leader',
    },
  );
  assert.deepEqual(said.map(({ partition }) => partition).sort(), [1, 2]);
  await world.until('both go on', () => deadOffsets(world).length === 60);
  assert.deepEqual(bridge.partitionsWaiting, []);
});
