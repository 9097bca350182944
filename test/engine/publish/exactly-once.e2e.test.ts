/** Publishing on a real broker: two processes share the shards, connections break, an owner is fenced. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Output } from '../../../src/money/domain/events.ts';
import type { PublishRequest as Request } from '../../../src/engine/workflow/publish-request.ts';
import { systemClock } from '../../../src/engine/clock.ts';
import type { Clock } from '../../../src/engine/clock.ts';
import type { KafkaPort } from '../../../src/engine/kafka/port.ts';
import { shardOf } from '../../../src/money/codec/shard.ts';
import { shardTransactionalIdOf } from '../../../src/engine/naming.ts';
import { eventually } from '../../support/eventually.ts';
import { API, fault, kafkaLab, uniqueId } from '../../support/kafka-lab.ts';
import type { Lab } from '../../support/kafka-lab.ts';
import { request, startProcess, withCode } from '../../support/publishing.ts';
import type { Process } from '../../support/publishing.ts';

type PublishRequest = Request<Output>;

const SHARDS = 3;

interface World {
  readonly lab: Lab;
  readonly appId: string;
  start(name: string, port?: KafkaPort): Promise<Process>;
  /** Values by user, in the order of a read_committed reader. */
  published(): Promise<Map<string, string[]>>;
}

async function world(t: Parameters<typeof kafkaLab>[0]): Promise<World> {
  const lab = await kafkaLab(t);
  const outputTopic = await lab.topic(SHARDS);
  const ledgerTopic = await lab.topic(SHARDS, { 'cleanup.policy': 'compact' });
  const appId = uniqueId('app');
  return {
    lab,
    appId,
    async start(name, port = lab.port()) {
      const process = await startProcess(port, { name, appId, outputTopic, ledgerTopic, shards: SHARDS, clock });
      t.after(() => process.ownership.stop());
      return process;
    },
    async published() {
      const byUser = new Map<string, string[]>();
      for (let shard = 0; shard < SHARDS; shard++) {
        for (const value of await lab.committed(outputTopic, shard)) {
          const [user = '', offset = ''] = value.split(':');
          byUser.set(user, [...(byUser.get(user) ?? []), offset]);
        }
      }
      return byUser;
    },
  };
}

/** The while after which a lost shard is taken again is short. */
const clock: Clock = {
  now: () => systemClock.now(),
  elapsed: () => systemClock.elapsed(),
  sleep: (ms, signal) => systemClock.sleep(ms === 10_000 ? 300 : ms, signal),
};

const users = (count: number): string[] => Array.from({ length: count }, (_, index) => `user-${index}`);
const offsets = (last: number): string[] => Array.from({ length: last }, (_, index) => String(101 + index));

/** As the activity is repeated: at whoever has the shard, until it succeeds. */
async function publish(processes: readonly Process[], wanted: PublishRequest): Promise<void> {
  const shard = shardOf(wanted.key, SHARDS);
  await eventually(
    `${wanted.key} is published`,
    async () => {
      const publisher = processes.map(({ shards }) => shards.get(shard)).find((found) => found !== undefined);
      try {
        await publisher?.publish(wanted);
        return publisher !== undefined;
      } catch (error) {
        if (withCode('SHARD_NOT_OWNED')(error) || withCode('KAFKA')(error)) return false;
        throw error;
      }
    },
    60_000,
  );
}

test('outputs of many users come out once and in order, and the next owner goes on where the last one was', async (t) => {
  const { start, published } = await world(t);
  const a = await start('a');
  await Promise.all(users(50).map((user) => a.publish(request(user, 1, 3))));
  await Promise.all(users(50).map((user) => a.publish(request(user, 2, 5))));
  await a.ownership.stop();
  const b = await start('b');
  await Promise.all(users(50).map((user) => b.publish(request(user, 4, 6))));
  await assert.rejects(b.publish(request('user-0', 8, 8)), withCode('SEQUENCE_GAP'));
  const found = await published();
  for (const user of users(50)) assert.deepEqual(found.get(user), offsets(6), user);
});

test('lost requests and lost answers of every step leave no hole and no duplicate', async (t) => {
  const { lab, start, published } = await world(t);
  const broken = fault();
  const a = await start('a', lab.port(broken.socketFactory));
  await eventually('all shards', () => a.shards.size === SHARDS, 30_000);
  let seq = 0;
  for (const api of [API.endTxn, API.produce, API.addPartitionsToTxn]) {
    for (const lost of ['request', 'answer'] as const) {
      seq += 1;
      broken.arm(api, lost);
      await Promise.all(users(6).map((user) => publish([a], request(user, seq, seq))));
      assert.ok(broken.done(), `${lost} of ${api}`);
    }
  }
  const found = await published();
  for (const user of users(6)) assert.deepEqual(found.get(user), offsets(seq), user);
});

test('two processes share the shards; when one goes, the other goes on; kept shards stay open', async (t) => {
  const { start, published } = await world(t);
  const a = await start('a');
  await eventually('a has all', () => a.shards.size === SHARDS, 30_000);
  await Promise.all(users(12).map((user) => publish([a], request(user, 1, 2))));
  const b = await start('b');
  await eventually('they share', () => a.shards.size + b.shards.size === SHARDS && b.shards.size > 0, 30_000);
  await Promise.all(users(12).map((user) => publish([a, b], request(user, 2, 3))));
  const kept = [...a.shards.keys()];
  await b.ownership.stop();
  await eventually('a has all again', () => a.shards.size === SHARDS, 30_000);
  await Promise.all(users(12).map((user) => publish([a], request(user, 1, 4))));

  const opened = a.events.filter(({ type }) => type === 'opened').map(({ shard }) => shard);
  for (const shard of kept) {
    assert.equal(opened.filter((other) => other === shard).length, 1, `shard ${shard} was opened once`);
  }
  const found = await published();
  for (const user of users(12)) assert.deepEqual(found.get(user), offsets(4), user);
});

test('an owner that is fenced gives the shard up, and takes it again when nobody else did', async (t) => {
  const { lab, appId, start, published } = await world(t);
  const a = await start('a');
  await Promise.all(users(9).map((user) => a.publish(request(user, 1, 1))));
  for (let shard = 0; shard < SHARDS; shard++) await lab.port().fence(shardTransactionalIdOf(appId, shard));
  const answers = await Promise.allSettled(users(9).map((user) => a.publish(request(user, 2, 2))));
  for (const answer of answers) assert.ok(answer.status === 'rejected' && withCode('SHARD_NOT_OWNED')(answer.reason));
  await Promise.all(users(9).map((user) => publish([a], request(user, 2, 3))));
  const found = await published();
  for (const user of users(9)) assert.deepEqual(found.get(user), offsets(3), user);
});
