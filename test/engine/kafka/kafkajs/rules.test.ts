/** What the client does with kafkajs' version, settings, answers, errors and logs. No broker needed. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createAdmin } from '../../../../src/engine/kafka/kafkajs/admin.ts';
import { TRANSACTION_RETRY } from '../../../../src/engine/kafka/kafkajs/client.ts';
import { kafkaError } from '../../../../src/engine/kafka/kafkajs/errors.ts';
import { assertVersion, library } from '../../../../src/engine/kafka/kafkajs/library.ts';
import { logCreatorFor } from '../../../../src/engine/kafka/kafkajs/log-creator.ts';
import {
  assertAcknowledged,
  explicitPartition,
  FENCE_TIMEOUT,
  TRANSACTION_TIMEOUT,
} from '../../../../src/engine/kafka/kafkajs/transactional-producer.ts';
import { createLogger, silentLogger } from '../../../../src/engine/log.ts';
import { withCode } from '../../../support/publishing.ts';

test('only the studied version of kafkajs is accepted', () => {
  assertVersion('2.2.4');
  assert.throws(() => assertVersion('2.2.5'), withCode('LIBRARY'));
  assert.throws(() => assertVersion('2.2.5'), /2\.2\.5 is installed.*npm install --save-exact kafkajs@2\.2\.4/);
});

test('the library is patched even where another part of the process has loaded kafkajs before', () => {
  const original = createRequire(import.meta.url)('kafkajs') as unknown;
  assert.notEqual(library(), original);
  assert.equal(library(), library());
  assert.equal(createRequire(import.meta.url)('kafkajs'), original);
});

test('a transactional producer does not sleep 300 ms after every commit', () => {
  assert.ok((TRANSACTION_RETRY.initialRetryTime ?? 300) <= 5);
  assert.ok((TRANSACTION_RETRY.maxRetryTime ?? 30_000) <= 300);
});

test('every step fails here before the broker ends the transaction', () => {
  assert.ok(TRANSACTION_TIMEOUT > 10_000);
  assert.ok(FENCE_TIMEOUT > TRANSACTION_TIMEOUT);
});

const answer = { topicName: 'out', partition: 2, errorCode: 0, baseOffset: '17' };

test('an acknowledgement of the very partition gives the offset', () => {
  assert.equal(assertAcknowledged([answer], 'out', 2), 17);
});

for (const [name, rows] of [
  ['no partition', []],
  ['another partition', [{ ...answer, partition: 1 }]],
  ['another topic', [{ ...answer, topicName: 'other' }]],
  ['two partitions', [answer, { ...answer, partition: 1 }]],
  ['an error', [{ ...answer, errorCode: 6 }]],
] as const) {
  test(`an acknowledgement of ${name} is none`, () => {
    assert.throws(() => assertAcknowledged(rows, 'out', 2), withCode('KAFKA'));
  });
}

test('a record without a partition is refused', () => {
  const choose = explicitPartition();
  assert.equal(choose({ topic: 'out', partitionMetadata: [], message: { value: 'x', partition: 3 } }), 3);
  assert.throws(() => choose({ topic: 'out', partitionMetadata: [], message: { value: 'x' } }), withCode('KAFKA'));
});

test('fencing is told from other errors, however deep kafkajs has wrapped it', () => {
  const protocol = (type: string, code = 0): Error => Object.assign(new Error(`answer ${type}`), { type, code });
  const wrapped = (cause: Error): Error =>
    new Error('retries exceeded', { cause: new Error('non retriable', { cause }) });
  for (const type of ['INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING', 'INVALID_TXN_STATE']) {
    assert.equal(kafkaError('commit', wrapped(protocol(type))).code, 'FENCED');
  }
  assert.equal(kafkaError('commit', protocol('KAFKAJS_UNKNOWN_ERROR_CODE', 90)).code, 'FENCED');
  const other = kafkaError('commit', wrapped(protocol('REQUEST_TIMED_OUT')));
  assert.equal(other.code, 'KAFKA');
  assert.equal(other.message, 'commit failed: REQUEST_TIMED_OUT: retries exceeded');
});

test('a broker that is not there is named', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const admin = createAdmin({ brokers: [`127.0.0.1:${port}`], ssl: false }, silentLogger(), 1_000);
  await assert.rejects(admin.partitionCounts(['x']), withCode('UNREACHABLE'));
  await assert.rejects(
    admin.partitionCounts(['x']),
    new RegExp(`Kafka at 127.0.0.1:${port} does not answer .*ECONNREFUSED.*check KAFKA_BROKERS`),
  );
  await admin.close();
});

test('the noise of kafkajs is one warning in half a minute, and debug lines', () => {
  const lines: { level: number; msg: string }[] = [];
  const logger = createLogger({
    level: 'debug',
    destination: { write: (line) => void lines.push(JSON.parse(line) as { level: number; msg: string }) },
  });
  let now = 1_000_000;
  const log = logCreatorFor(logger, () => now)(1);
  const entry = (namespace: string, level: number, message: string) => ({
    namespace,
    level,
    label: '',
    log: { timestamp: '', logger: 'kafkajs', message },
  });
  for (let i = 0; i < 100; i++) log(entry('Connection', 1, 'Connection error: ECONNREFUSED'));
  // Another client of the same process.
  logCreatorFor(logger, () => now)(1)(entry('Connection', 1, 'Connection error: ECONNREFUSED'));
  log(entry('Connection', 1, 'Response AddPartitionsToTxn(key: 24, version: 1)'));
  log(entry('Producer', 1, 'Failed to send messages'));
  log(entry('Producer', 2, 'Limiting retries'));
  assert.equal(lines.filter(({ level }) => level >= 40).length, 1);
  assert.match(lines[0]?.msg ?? '', /^Kafka connection trouble: Connection error: ECONNREFUSED/);
  assert.equal(lines.length, 104);
  now += 30_000;
  log(entry('Connection', 1, 'Connection error: ECONNREFUSED'));
  assert.equal(lines.filter(({ level }) => level >= 40).length, 2);
});
