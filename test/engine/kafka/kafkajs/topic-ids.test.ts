import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeIdentities, requestOf, topicIdentities } from '../../../../src/engine/kafka/kafkajs/topic-ids.ts';

const ID = '00112233445566778899aabbccddeeff';

/** Metadata version 10 by the protocol's description: one broker, two topics, of which the second does not exist. */
const ANSWER = Buffer.from(
  [
    '00', // header: no tags
    '00000000', // throttle
    '02',
    '00000001',
    '05',
    Buffer.from('host').toString('hex'),
    '00002384',
    '00',
    '00', // one broker, no rack
    '04',
    Buffer.from('abc').toString('hex'), // cluster id
    '00000001', // controller
    '03', // two topics
    '0000',
    '02',
    Buffer.from('t').toString('hex'),
    ID,
    '00', // no error, name, id, not internal
    '03', // two partitions
    '0000',
    '00000000',
    '00000001',
    '00000005',
    '02',
    '00000001',
    '02',
    '00000001',
    '01',
    '00',
    '0005',
    '00000001',
    'ffffffff',
    'ffffffff',
    '02',
    '00000001',
    '01',
    '02',
    '00000001',
    '00',
    '80000000',
    '00',
    '0003',
    '02',
    Buffer.from('x').toString('hex'),
    '00'.repeat(16),
    '00',
    '01',
    '80000000',
    '00',
    '80000000',
    '00', // authorized operations, tags
  ].join(''),
  'hex',
);

test('the id and the partitions of a topic are read, a partition without a leader counts, a topic that does not exist is left out', () => {
  assert.deepEqual(decodeIdentities(ANSWER), [{ topic: 't', id: 'ABEiM0RVZne', partitions: 2 }]);
});

test('an answer that is cut is an error of Kafka, not a crash', () => {
  for (let length = 0; length < ANSWER.length - 1; length += 7) {
    assert.throws(() => decodeIdentities(ANSWER.subarray(0, length)), { code: 'KAFKA' });
  }
});

test('the request names the topics and asks for nothing else', () => {
  assert.equal(
    requestOf(['t']).toString('hex'),
    ['00', '02', '00'.repeat(16), '02', '74', '00', '000000', '00'].join(''),
  );
});

test('brokers before 2.8 have no ids, and are not asked', async () => {
  const pool = { versions: { 3: { maxVersion: 9 } }, withBroker: async () => assert.fail() };
  assert.equal(await topicIdentities(pool, ['t']), undefined);
});
