/**
 * A second owner: somebody else takes the transactional id of a shard, or of a partition triple, twice, with a
 * transaction of its own open the second time. It must not come to a fight for it without end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fence } from '../../../src/engine/kafka/kafkajs/transactional-producer.ts';
import { silentLogger } from '../../../src/engine/log.ts';
import { endOf } from './fault.ts';
import type { Fault } from './fault.ts';

const foreignOwner: Fault = async (world, { role, form }) => {
  const one = form % world.partitions;
  const id = `${world.app.appId}-${role === 'worker' ? 'shard' : 'bridge'}-${one}`;
  const first = await fence(world.kafka, id, silentLogger());
  await sleep(300);
  await first.close();
  const second = await fence(world.kafka, id, silentLogger());
  await second.begin();
  await second.close();
  return { ...endOf(world), hit: true, own: [one], note: `${id} taken twice by a stranger` };
};

export const owners = { 'foreign-owner': foreignOwner } satisfies Record<string, Fault>;
