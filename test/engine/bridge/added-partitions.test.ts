/** Partitions are added to the inputs while a bridge runs: one input after the other, as Kafka's tools do it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceptLogs } from '../../../src/engine/bridge/accept-logs.ts';
import type { KafkaClient } from '../../../src/engine/kafka/port.ts';
import { SETTINGS, World } from './world.ts';

const DIFFERENT = /^these topics must exist with the same number of partitions.*user has 2, session has 1, money has 1/;
const ADDED = /the inputs had 1 partitions when they were read last, and now user has 2, session has 2, money has 2/;

describe('partitions that are added while the bridge runs', () => {
  it('do not end it while the inputs differ: it waits, says so once, and comes back when they agree', async (t) => {
    const world = new World(t);
    const bridge = world.start('a');
    await world.until('it has its partition', () => bridge.notReady === undefined && bridge.describe().length === 1);
    world.kafka.addPartitions('user', 2);
    world.kafka.rebalance(SETTINGS.groupId);
    await world.until('it says so', () => DIFFERENT.test(bridge.notReady ?? ''));
    await world.pass(120_000);
    assert.equal(world.hasStopped('a'), false);
    assert.equal(world.lines.filter(({ level, error }) => level >= 40 && DIFFERENT.test(error ?? '')).length, 1);
    for (const topic of ['session', 'money']) world.kafka.addPartitions(topic, 2);
    await world.until('it has both', () => bridge.describe().length === 2);
  });

  it('hold up the new partitions too, where users would be ahead of what is not read of them in their old one', async (t) => {
    const world = new World(t);
    world.kafka.identified = true;
    const bridge = world.start('a');
    world.produce('money', 10);
    await world.until('it is committed', async () => (await world.committed())[2] === 1);
    for (const topic of SETTINGS.inputTopics) world.kafka.addPartitions(topic, 2);
    world.produce('money', 20, { partition: 1 });
    world.kafka.rebalance(SETTINGS.groupId);
    await world.until(
      'both wait',
      () => bridge.partitionsWaiting.filter(({ reason, text }) => reason === 'log' && ADDED.test(text)).length === 2,
    );
    await world.pass(60_000);
    assert.deepEqual(world.signalledMoney, [0]);
    assert.match(bridge.notReady ?? '', ADDED);

    const kafka = world.kafka.port('a person') as KafkaClient;
    await acceptLogs(kafka, {
      appId: SETTINGS.appId,
      groupId: SETTINGS.groupId,
      inputTopics: SETTINGS.inputTopics,
      partitions: 2,
      topics: ['money'],
      from: 'end',
      dryRun: false,
    });
    await world.until('a person has decided, and both go on', async () => (await world.committed(1))[2] === 1);
    assert.equal(world.signals.length, 2);
    await world.until('it is ready', () => bridge.notReady === undefined);
  });
});
