/**
 * kafkajs' own sending code with brokers that are stand-ins: a leader moves between the look at the metadata and the
 * request (kafkajs #1303, #1798). It remembers answers by broker and keeps them over its retries, so that a send over two
 * partitions loses records and resolves. A send to one partition cannot meet an older answer.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { KafkaJS } from '../../../../src/engine/kafka/kafkajs/library.ts';
import {
  assertAcknowledged,
  explicitPartition,
  messagesOf,
} from '../../../../src/engine/kafka/kafkajs/transactional-producer.ts';
import { withCode } from '../../../support/publishing.ts';

const require = createRequire(import.meta.url);
const createSend = require('kafkajs/src/producer/sendMessages') as (
  options: object,
) => (request: object) => Promise<KafkaJS.RecordMetadata[]>;
const createEosManager = require('kafkajs/src/producer/eosManager') as (options: object) => {
  initProducerId(): Promise<void>;
  beginTransaction(): void;
};
const createRetry = require('kafkajs/src/retry') as (options: object) => unknown;
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as { createErrorFromCode(code: number): Error };

const NOT_LEADER = 6;
const retry = { retries: 5, initialRetryTime: 1, maxRetryTime: 2 };
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface Produce {
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly messages: readonly { readonly value: string }[];
    }[];
  }[];
}

/** Broker 1 leads partition 0 and hands it to broker 2 with the first request; broker 2 leads partition 1. */
function cluster(): {
  readonly written: string[];
  send(messages: KafkaJS.Message[]): Promise<KafkaJS.RecordMetadata[]>;
} {
  const written: string[] = [];
  const leaders: Record<number, number> = { 0: 1, 1: 2 };
  const broker = (nodeId: number) => ({
    nodeId,
    initProducerId: async () => ({ producerId: 1, producerEpoch: 0 }),
    addPartitionsToTxn: async () => undefined,
    async produce({ topicData }: Produce) {
      if (nodeId === 1) {
        leaders[0] = 2;
        throw createErrorFromCode(NOT_LEADER);
      }
      const topics = topicData.map(({ topic, partitions }) => ({
        topicName: topic,
        partitions: partitions.map(({ partition, messages }) => {
          written.push(...messages.map(({ value }) => value));
          return { partition, errorCode: 0, baseOffset: '0' };
        }),
      }));
      return { topics };
    },
  });
  const brokers: Record<number, ReturnType<typeof broker>> = { 1: broker(1), 2: broker(2) };
  const fake = {
    retry,
    refreshMetadata: async () => undefined,
    refreshMetadataIfNecessary: async () => undefined,
    addMultipleTargetTopics: async () => undefined,
    isConnected: () => true,
    findTopicPartitionMetadata: () =>
      Object.entries(leaders).map(([partition, leader]) => ({ partitionId: Number(partition), leader })),
    findLeaderForPartitions: (_topic: string, partitions: readonly (number | string)[]) =>
      partitions.reduce<Record<number, number[]>>((by, partition) => {
        (by[leaders[Number(partition)]!] ??= []).push(Number(partition));
        return by;
      }, {}),
    findBroker: async ({ nodeId }: { nodeId: number | string }) => brokers[Number(nodeId)],
    findGroupCoordinator: async () => brokers[2],
    targetTopics: new Set(['t']),
  };
  const eosManager = createEosManager({ logger: silent, cluster: fake, transactional: true, transactionalId: 'x' });
  const send = createSend({
    logger: silent,
    cluster: fake,
    partitioner: explicitPartition(),
    eosManager,
    retrier: createRetry(retry),
  });
  return {
    written,
    async send(messages) {
      await eosManager.initProducerId();
      eosManager.beginTransaction();
      return send({ acks: -1, timeout: 1_000, topicMessages: [{ topic: 't', messages }] });
    },
  };
}

test('a send to one partition whose leader moves is written once, by the new leader', async () => {
  const { written, send } = cluster();
  const answer = await send(
    messagesOf(
      [
        { key: null, value: 'a' },
        { key: null, value: 'b' },
      ],
      0,
    ),
  );
  assert.equal(assertAcknowledged(answer, 't', 0), 0);
  assert.deepEqual(written, ['a', 'b']);
});

test('the same over two partitions loses records and resolves; such an answer is refused', async () => {
  const { written, send } = cluster();
  const answer = await send([
    { partition: 0, value: 'a' },
    { partition: 1, value: 'b' },
  ]);
  // Should this ever fail: kafkajs has been mended, and the rule of one partition a send is no longer needed for it.
  assert.deepEqual(written, ['b']);
  assert.throws(() => assertAcknowledged(answer, 't', 0), withCode('KAFKA'));
});
