/** kafkajs' own check of metadata answers, in its place ours: one partition without a leader is that partition's matter. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { metadataParser, NO_LEADER, type Metadata } from '../../../../src/engine/kafka/kafkajs/metadata.ts';

const require = createRequire(import.meta.url);
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as { createErrorFromCode(code: number): Error };
const original = require('kafkajs/src/protocol/requests/metadata/v0/response') as {
  parse(data: Metadata): Promise<Metadata>;
};
const parse = metadataParser(createErrorFromCode);

const LEADER_NOT_AVAILABLE = 5;
const REPLICA_NOT_AVAILABLE = 9;
const UNKNOWN_TOPIC = 3;
const partition = (partitionId: number, partitionErrorCode = 0) => ({
  partitionErrorCode,
  partitionId,
  leader: partitionErrorCode === LEADER_NOT_AVAILABLE ? -1 : 7,
});
const answer = (codes: readonly number[], topicErrorCode = 0): Metadata => ({
  topicMetadata: [{ topicErrorCode, topic: 'wallet', partitionMetadata: codes.map((code, id) => partition(id, code)) }],
});
const leaders = ({ topicMetadata }: Metadata) => topicMetadata[0]!.partitionMetadata.map(({ leader }) => leader);

test('a partition without a leader does not refuse its topic, and counts: three partitions stay three', async () => {
  assert.deepEqual(leaders(await parse(answer([0, LEADER_NOT_AVAILABLE, 0]))), [7, NO_LEADER, 7]);
  // Should this ever fail: kafkajs has been mended.
  await assert.rejects(original.parse(answer([0, LEADER_NOT_AVAILABLE, 0])), { type: 'LEADER_NOT_AVAILABLE' });
});

test('a partition whose leader is well is asked there, though a replica of it is away', async () => {
  assert.deepEqual(leaders(await parse(answer([REPLICA_NOT_AVAILABLE, 0]))), [7, 7]);
});

test('an error of the topic itself is an error', async () => {
  await assert.rejects(parse(answer([], UNKNOWN_TOPIC)), { type: 'UNKNOWN_TOPIC_OR_PARTITION' });
});
