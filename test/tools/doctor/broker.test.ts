import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerFindings, durabilityFindings } from '../../../src/tools/doctor/broker.ts';
import { namespaceFindings } from '../../../src/tools/doctor/namespace.ts';
import type { ClusterReport } from '../../../src/money/topics/inspect.ts';

const GOOD = {
  'transaction.max.timeout.ms': '900000',
  'transactional.id.expiration.ms': '604800000',
  'offsets.retention.minutes': '10080',
  'offset.metadata.max.bytes': '4096',
  'offsets.topic.replication.factor': '3',
  'transaction.state.log.replication.factor': '3',
  'transaction.state.log.min.isr': '2',
};
const told = (settings: Record<string, string>, brokers = 3) =>
  brokerFindings({ ...GOOD, ...settings }, brokers).map(({ level, message }) => `${level} ${message.split(':')[0]}`);

test("Kafka's defaults fit", () => {
  assert.deepEqual(told({}), ['ok timeouts and retention of transactions and offsets fit']);
});

for (const [name, value, level] of [
  ['transaction.max.timeout.ms', '1000', 'failed'],
  ['transactional.id.expiration.ms', '3600000', 'warning'],
  ['offsets.retention.minutes', '60', 'warning'],
  ['offset.metadata.max.bytes', '512', 'failed'],
  ['offsets.topic.replication.factor', '1', 'failed'],
  ['transaction.state.log.replication.factor', '2', 'failed'],
  ['transaction.state.log.min.isr', '1', 'warning'],
] as const) {
  test(`${name}=${value}`, () => {
    assert.deepEqual(told({ [name]: value }), [`${level} ${name} is ${value}`]);
  });
}

test('a single broker is not asked for three replicas', () => {
  const one = { 'offsets.topic.replication.factor': '1', 'transaction.state.log.min.isr': '1' };
  assert.deepEqual(told(one, 1), ['ok timeouts and retention of transactions and offsets fit']);
});

test('settings that may not be seen are said so', () => {
  assert.deepEqual(
    brokerFindings(undefined, 3).map(({ level }) => level),
    ['warning'],
  );
});

test('inputs that are removed before they are read, and topics that one broker takes with it', () => {
  const topics = { user: 'u', session: 's', money: 'm', output: 'o', deadLetter: 'd', ledger: 'l' };
  const report = (replicas: number, settings: Record<string, string>, brokers = 3) =>
    ({ brokers, topics: new Map([['m', { partitions: 4, replicas, settings }]]) }) as unknown as ClusterReport;
  const found = (...args: Parameters<typeof report>) =>
    durabilityFindings({ topics }, report(...args)).map(({ message }) => message.split(':')[0]);
  assert.deepEqual(found(3, { 'retention.ms': '-1', 'retention.bytes': '-1' }), []);
  assert.deepEqual(found(3, { 'retention.ms': '86400000' }), []);
  assert.deepEqual(found(3, { 'retention.ms': '3600000' }), ['retention.ms is 3600000']);
  assert.deepEqual(found(3, { 'retention.bytes': '1000000' }), ['retention.bytes is 1000000']);
  assert.deepEqual(found(1, {}), ['it has 1 replica on 3 brokers']);
  assert.deepEqual(found(1, {}, 1), []);
});

test('a namespace: its retention, its limit and its state', () => {
  const found = (facts: Partial<Parameters<typeof namespaceFindings>[1]>) =>
    namespaceFindings('namespace n', { retention: 259_200, blobLimit: 2_097_152, registered: true, ...facts }).map(
      ({ level, message }) => `${level} ${message.split(':')[0]}`,
    );
  assert.deepEqual(found({}), ['ok exists, keeps closed workflows for 3 days']);
  assert.deepEqual(found({ blobLimit: undefined }), ['ok exists, keeps closed workflows for 3 days']);
  assert.deepEqual(found({ retention: 7_200 }), ['warning it keeps closed workflows for 2 hours']);
  assert.deepEqual(found({ blobLimit: 1_048_576 }), ['failed its limit.blobSize.error is 1048576']);
  assert.deepEqual(found({ registered: false }), ['failed it is deprecated or deleted, and takes no new workflows']);
});
