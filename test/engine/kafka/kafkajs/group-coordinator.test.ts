/** kafkajs' own group with a cluster and brokers that are stand-ins. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { withCurrentCoordinator } from '../../../../src/engine/kafka/kafkajs/group-coordinator.ts';

const require = createRequire(import.meta.url);
const { KafkaJSConnectionError, KafkaJSGroupCoordinatorNotFound } = require('kafkajs/src/errors') as {
  KafkaJSConnectionError: new (message: string, details: object) => Error;
  KafkaJSGroupCoordinatorNotFound: new (message: string) => Error;
};
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as { createErrorFromCode(code: number): Error };
const NOT_COORDINATOR = 16;
const UNKNOWN_MEMBER_ID = 25;

interface Group {
  memberId: string;
  generationId: number;
  coordinator: { heartbeat(payload: object): Promise<void> };
  heartbeat(options: { interval: number }): Promise<void>;
}
const ConsumerGroup = require('kafkajs/src/consumer/consumerGroup') as new (options: object) => Group;

/** A group whose coordinator was broker 1; `answers`: what the brokers say to its heartbeats, in turn. */
function group(
  Class: typeof ConsumerGroup,
  answers: Record<number, (Error | undefined)[]>,
  coordinator: number | Error = 2,
) {
  const asked: string[] = [];
  const brokers = new Map(
    [1, 2].map(
      (id) =>
        [
          id,
          {
            async heartbeat({ memberId, groupGenerationId }: { memberId: string; groupGenerationId: number }) {
              asked.push(`${id}: ${memberId} in ${groupGenerationId}`);
              const answer = answers[id]?.shift();
              if (answer !== undefined) throw answer;
            },
          },
        ] as const,
    ),
  );
  let sought = 0;
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const made = new Class({
    logger: { namespace: () => silent },
    topics: ['t'],
    groupId: 'g',
    assigners: [],
    instrumentationEmitter: { emit: () => undefined },
    cluster: {
      fetchTopicsOffset: async () => [],
      findGroupCoordinator: async () => {
        sought += 1;
        if (coordinator instanceof Error) throw coordinator;
        return brokers.get(coordinator);
      },
    },
  });
  Object.assign(made, { memberId: 'm', generationId: 7, coordinator: brokers.get(1), lastRequest: 0 });
  return { made, asked, sought: () => sought };
}

const gone = () =>
  new KafkaJSConnectionError('Connection error: connect ECONNREFUSED', {
    broker: '127.0.0.1:9092',
    code: 'ECONNREFUSED',
  });

test('the coordinator of a group dies: the next heartbeat goes to the broker that is it now, in the same generation', async () => {
  const { made, asked, sought } = group(withCurrentCoordinator(ConsumerGroup), { 1: [gone()] });
  await Promise.all([made.heartbeat({ interval: 0 }), made.heartbeat({ interval: 0 })]);
  assert.deepEqual([asked, sought()], [['1: m in 7', '2: m in 7'], 1]);
  await made.heartbeat({ interval: 0 });
  assert.equal(asked.at(-1), '2: m in 7');
});

test('a broker that is the coordinator no more says so: no member has to join again', async () => {
  const { made, asked } = group(withCurrentCoordinator(ConsumerGroup), { 1: [createErrorFromCode(NOT_COORDINATOR)] });
  await made.heartbeat({ interval: 0 });
  assert.deepEqual(asked, ['1: m in 7', '2: m in 7']);
});

test('what the coordinator says of the member is passed on', async () => {
  const { made, sought } = group(withCurrentCoordinator(ConsumerGroup), {
    1: [createErrorFromCode(UNKNOWN_MEMBER_ID)],
  });
  await assert.rejects(made.heartbeat({ interval: 0 }), { type: 'UNKNOWN_MEMBER_ID' });
  assert.equal(sought(), 0);
});

test('as long as no other broker took over, the heartbeat fails, and the next one looks again', async () => {
  const { made, asked, sought } = group(withCurrentCoordinator(ConsumerGroup), { 1: [gone(), gone(), gone()] }, 1);
  await assert.rejects(made.heartbeat({ interval: 0 }), { name: 'KafkaJSConnectionError' });
  await made.heartbeat({ interval: 0 }); // fails once more, and then is answered
  assert.deepEqual([asked.length, sought()], [4, 2]);
});

test('while no broker is there at all the heartbeat fails as one that kafkajs repeats, and not as one that ends the consumer', async () => {
  const away = new KafkaJSGroupCoordinatorNotFound('Failed to find group coordinator');
  assert.equal((away as unknown as { retriable: boolean }).retriable, false);
  const { made } = group(withCurrentCoordinator(ConsumerGroup), { 1: [gone()] }, away);
  await assert.rejects(made.heartbeat({ interval: 0 }), { name: 'KafkaJSConnectionError', retriable: true });
});

test('kafkajs 2.2.4 by itself asks the broker that was it, again and again', async () => {
  const { made, asked, sought } = group(ConsumerGroup, { 1: [gone(), gone()] });
  for (let n = 0; n < 2; n += 1) await assert.rejects(made.heartbeat({ interval: 0 }));
  assert.deepEqual([asked, sought()], [['1: m in 7', '1: m in 7'], 0]);
});

test('a clock that is set back by an hour silences no member, as it does with kafkajs by itself', async () => {
  const ahead = { lastRequest: Date.now() + 3_600_000 };
  const alone = group(ConsumerGroup, {});
  await Object.assign(alone.made, ahead).heartbeat({ interval: 3_000 });
  assert.deepEqual(alone.asked, []);
  const { made, asked } = group(withCurrentCoordinator(ConsumerGroup), {});
  await Object.assign(made, ahead).heartbeat({ interval: 3_000 });
  assert.deepEqual(asked, ['1: m in 7']);
  // And then again in its interval.
  await made.heartbeat({ interval: 3_000 });
  assert.equal(asked.length, 1);
});
