/** kafkajs' own group, whose coordinator is a stand-in that takes session timeouts from some length on. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import {
  SESSION_TIMEOUT,
  withAcceptedTimeout,
  withMemberTimeout,
} from '../../../../src/engine/kafka/kafkajs/member-timeout.ts';

const require = createRequire(import.meta.url);
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as { createErrorFromCode(code: number): Error };
const INVALID_SESSION_TIMEOUT = 26;
const GROUP_AUTHORIZATION_FAILED = 30;

interface Group {
  joinAndSync(): Promise<void>;
}
const ConsumerGroup = withAcceptedTimeout(
  require('kafkajs/src/consumer/consumerGroup') as new (options: object) => Group,
);

function group({ given, least, refusal }: { given?: number; least: number; refusal?: number }) {
  const asked: number[] = [];
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const assigner = { name: 'a', protocol: () => ({}), assign: async () => [] };
  const coordinator = {
    async joinGroup({ sessionTimeout }: { sessionTimeout: number }) {
      asked.push(sessionTimeout);
      if (refusal !== undefined) throw createErrorFromCode(refusal);
      if (sessionTimeout < least) throw createErrorFromCode(INVALID_SESSION_TIMEOUT);
      return { generationId: 1, leaderId: 'other', memberId: 'me', members: [], groupProtocol: 'a' };
    },
    syncGroup: async () => ({ memberAssignment: Buffer.alloc(0) }),
  };
  const made = new ConsumerGroup({
    logger: { namespace: () => silent },
    retry: { retries: 0 },
    topics: [],
    groupId: 'g',
    assigners: [withMemberTimeout(assigner, given)],
    sessionTimeout: given ?? SESSION_TIMEOUT,
    rebalanceTimeout: 1_000,
    instrumentationEmitter: { emit: () => undefined },
    cluster: {
      findGroupCoordinator: async () => coordinator,
      fetchTopicsOffset: async () => [],
      committedOffsets: () => ({}),
      addMultipleTargetTopics: async () => undefined,
    },
  });
  return { made, asked };
}

test('a broker that takes 3 s is asked once', async () => {
  const { made, asked } = group({ least: 500 });
  await made.joinAndSync();
  assert.deepEqual(asked, [3_000]);
});

test('one that takes 6 s at least, as brokers do by default, is asked for 6 s then, and from then on', async () => {
  const { made, asked } = group({ least: 6_000 });
  await made.joinAndSync();
  await made.joinAndSync();
  assert.deepEqual(asked, [3_000, 6_000, 6_000]);
});

test('one that takes no 6 s either says so', async () => {
  const { made, asked } = group({ least: 10_000 });
  await assert.rejects(made.joinAndSync(), { type: 'INVALID_SESSION_TIMEOUT' });
  assert.deepEqual(asked, [3_000, 6_000]);
});

test('what somebody has set is asked for, and nothing else', async () => {
  const { made, asked } = group({ given: 4_000, least: 6_000 });
  await assert.rejects(made.joinAndSync(), { type: 'INVALID_SESSION_TIMEOUT' });
  assert.deepEqual(asked, [4_000]);
});

test('any other refusal is passed on', async () => {
  const { made, asked } = group({ least: 500, refusal: GROUP_AUTHORIZATION_FAILED });
  await assert.rejects(made.joinAndSync(), { type: 'GROUP_AUTHORIZATION_FAILED' });
  assert.deepEqual(asked, [3_000]);
});
