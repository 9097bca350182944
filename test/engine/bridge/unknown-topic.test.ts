/** A broker that lags behind the others, or has just started: it does not know a topic, or a partition, that was there before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import type { KafkaPort } from '../../../src/engine/kafka/port.ts';
import { World } from './world.ts';

const unknown = (): Promise<never> =>
  Promise.reject(new CodedError('TOPIC', 'money has no partition 0: create the topics'));

test('a running bridge whose broker forgets a topic for 5 minutes says so, goes on, and signals what came meanwhile', async (t) => {
  const world = new World(t);
  let lagging = false;
  const real = world.kafka.port('a');
  const kafka: KafkaPort = {
    ...real,
    endOffsets: (...asked) => (lagging ? unknown() : real.endOffsets(...asked)),
    committedOffsets: (...asked) => (lagging ? unknown() : real.committedOffsets(...asked)),
  };
  const bridge = world.start('a', {}, { kafka });
  world.produce('money', 10);
  await world.until('the first is signalled', () => world.signals.length === 1);
  lagging = true;
  await world.pass(300_000);
  assert.equal(world.hasStopped('a'), false);
  assert.match(bridge.notReady ?? '', /money has no partition 0/);
  world.produce('money', 20);
  lagging = false;
  await world.until('the second is signalled', () => world.signals.length === 2);
  await world.until('the bridge is ready', () => bridge.notReady === undefined);
});
