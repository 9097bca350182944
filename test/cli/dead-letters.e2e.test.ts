import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { deadLetter } from '../../src/engine/bridge/dead-letter.ts';
import type { DeadLetterReason } from '../../src/engine/ordering/rejection.ts';
import { loadConfig } from '../../src/money/config.ts';
import { createKafka } from '../../src/engine/kafka/kafkajs/create-kafka.ts';
import type { InRecord } from '../../src/engine/kafka/port.ts';
import { ensureTopics } from '../../src/money/topics/topics.ts';
import { silentLogger } from '../../src/engine/log.ts';
import { sharedCluster } from '../support/cluster.ts';
import { program } from './program.ts';

const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';

function closed(processedAt: string): Buffer {
  return Buffer.from(
    JSON.stringify({ type: 'UserSessionClosedEvent', id: USER, userId: USER, processedAt, reason: 'r' }),
  );
}

test('dead letters are listed by reason, and chosen ones go back once', async (t) => {
  const { brokers } = await sharedCluster();
  const name = `t-${randomUUID()}`;
  const env = {
    KAFKA_BROKERS: brokers.join(','),
    ENRICHMENT_APP_ID: name,
    ENRICHMENT_WALLET_TOPIC: `${name}-money`,
    ENRICHMENT_USER_TOPIC: `${name}-user`,
    ENRICHMENT_SESSION_TOPIC: `${name}-session`,
    ENRICHMENT_OUTPUT_TOPIC: `${name}-out`,
    ENRICHMENT_DEAD_LETTER_TOPIC: `${name}-dead`,
  };
  const config = loadConfig(env);
  assert.ok(config.kafka);
  await ensureTopics(config, silentLogger(), { partitions: 2 });
  const kafka = createKafka(config.kafka, silentLogger());
  t.after(() => kafka.close());

  const key = Buffer.from(USER);
  const own = {
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    reason: 'mine',
    '__connect.errors.topic': 'orders',
    bytes: [Buffer.from([0xff, 0x00]), Buffer.from([0xfe])],
  };
  const write = (offset: number, reason: DeadLetterReason, value: Buffer | null) =>
    deadLetter(
      { topic: config.topics.session, partition: 1, offset, timestamp: 1_769_853_600_000 },
      { key, value, ...(offset === 13 && { headers: own }) },
      { reason, detail: `detail ${offset}` },
    );
  const producer = await kafka.fence(`${name}-test`);
  const transaction = await producer.begin();
  await transaction.send(config.topics.deadLetter, 0, [
    write(10, 'future', closed('2026-01-31T10:00:00Z')),
    write(11, 'malformed', null),
    { key: null, value: 'of somebody else' },
  ]);
  await transaction.send(config.topics.deadLetter, 1, [
    write(12, 'future', closed('9999-01-01T00:00:00Z')),
    write(13, 'future', closed('2026-01-31T10:00:01Z')),
  ]);
  await transaction.commit();
  await producer.close();

  const listed = await program(['dead-letters'], env);
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stdout, /^4 dead letters in /);
  assert.match(listed.stdout, /^ {2}future {8}3$/m);
  assert.match(listed.stdout, /^ {2}malformed {5}1$/m);
  assert.match(listed.stdout, /^ {2}1 other record without the headers of a dead letter$/m);
  assert.match(
    listed.stdout,
    new RegExp(`^malformed +${name}-session/1/11 +2026-01-31T10:00:00.000Z +detail 11$`, 'm'),
  );
  assert.doesNotMatch(listed.stdout, new RegExp(USER));

  const json = await program(['dead-letters', '--reason', 'malformed', '--json', '--values'], env);
  const { letters, ...counts } = JSON.parse(json.stdout) as { letters: readonly unknown[] };
  assert.deepEqual(counts, {
    topic: `${name}-dead`,
    total: 4,
    reasons: { 'too-large': 0, malformed: 1, 'unknown-type': 0, invalid: 0, 'key-mismatch': 0, future: 3 },
    foreign: 1,
  });
  assert.equal(letters.length, 1);
  assert.deepEqual(letters[0], {
    id: `${name}-session/1/11`,
    reason: 'malformed',
    detail: 'detail 11',
    source: { topic: `${name}-session`, partition: 1, offset: 11, timestamp: 1_769_853_600_000 },
    deadLetter: { partition: 0, offset: 1 },
    putBack: false,
    key: USER,
    value: null,
  });

  const tried = await program(['dead-letters', 'retry', '--reason', 'future', '--dry-run'], env);
  assert.equal(tried.code, 1, tried.stderr);
  assert.match(tried.stdout, /^2 records would be put back$/m);
  const retried = await program(['dead-letters', 'retry', '--reason', 'future', '--keep-timestamp'], env);
  assert.equal(retried.code, 1, retried.stderr);
  assert.match(retried.stdout, /^2 records put back$/m);
  assert.match(retried.stderr, new RegExp(`^refused ${name}-session/1/12: it would only come back as future`, 'm'));

  const again = await program(['dead-letters', 'retry', '--id', `${name}-session/1/10`], env);
  assert.equal(again.code, 1);
  assert.match(again.stdout, /^0 records put back$/m);
  assert.match(again.stderr, /it was put back before/);
  const forced = await program(['dead-letters', 'retry', '--id', `${name}-session/1/11`, '--force'], env);
  assert.equal(forced.code, 0, forced.stderr);
  const unknown = await program(['dead-letters', 'retry', '--id', `${name}-session/1/99`], env);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /^no such dead letter .*\/99$/m);

  const afterwards = await program(['dead-letters', '--json'], env);
  const { letters: putBack } = JSON.parse(afterwards.stdout) as {
    letters: readonly { id: string; putBack: boolean }[];
  };
  assert.deepEqual(Object.fromEntries(putBack.map((one) => [one.id.split('/')[2], one.putBack])), {
    10: true,
    11: true,
    12: false,
    13: true,
  });

  const records: InRecord[] = [];
  const member = kafka.joinGroup({ groupId: `${name}-check`, topics: [config.topics.session] });
  await new Promise<void>((resolve, reject) => {
    const handlers = {
      onAssigned: async () => undefined,
      onRecords: async (batch: { readonly partition: number; readonly records: readonly InRecord[] }) => {
        if (batch.records.length > 0) assert.equal(batch.partition, 1);
        records.push(...batch.records);
        if (records.length >= 3) resolve();
      },
      onCrash: reject,
    };
    member.start(handlers).catch(reject);
  });
  assert.deepEqual(
    records.map((record) => [
      record.key?.toString(),
      record.value?.toString() ?? null,
      record.headers?.['retry-of']?.toString(),
    ]),
    [
      [USER, closed('2026-01-31T10:00:00Z').toString(), `${name}-session/1/10`],
      [USER, closed('2026-01-31T10:00:01Z').toString(), `${name}-session/1/13`],
      [USER, null, `${name}-session/1/11`],
    ],
  );
  assert.deepEqual(
    records.slice(0, 2).map(({ timestamp }) => timestamp),
    [1_769_853_600_000, 1_769_853_600_000],
  );
  assert.deepEqual(
    new Set(Object.keys(records[1]!.headers!)),
    new Set([...Object.keys(own), 'retry-of', 'retried-by', 'retried-at']),
  );
  const { bytes, ...texts } = records[1]!.headers!;
  assert.deepEqual(bytes, own.bytes);
  assert.deepEqual(
    [texts['traceparent'], texts['reason'], texts['__connect.errors.topic']].map((value) => String(value)),
    [own.traceparent, 'mine', 'orders'],
  );
});
