/**
 * Batches that Kafka's own compressors wrote: a topic with a `compression.type` of its own has the broker compress what
 * comes in uncompressed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient, PATIENT_RETRY } from '../../../../src/engine/kafka/kafkajs/client.ts';
import { codecs } from '../../../../src/engine/kafka/kafkajs/compression.ts';
import { library } from '../../../../src/engine/kafka/kafkajs/library.ts';
import { createKafka } from '../../../../src/engine/kafka/kafkajs/create-kafka.ts';
import { createLogger, silentLogger } from '../../../../src/engine/log.ts';
import { eventually } from '../../../support/eventually.ts';
import { kafkaLab, uniqueId } from '../../../support/kafka-lab.ts';

const CODECS = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
/** More than a block of any codec, in several batches, and not too repetitive. */
const VALUES = Array.from(
  { length: 400 },
  (_, i) =>
    `${i}: ${Buffer.from(`${i * 7919}`)
      .toString('base64')
      .repeat(1 + (i % 90))}`,
);

for (const [name, type] of Object.entries(CODECS)) {
  test(`a member of a group reads batches compressed with ${name}`, async (t) => {
    const { CompressionCodecs } = library();
    const codec = CompressionCodecs[type]() as { decompress(bytes: Buffer): Promise<Buffer> };
    const decompress = t.mock.method(codec, 'decompress');

    const lab = await kafkaLab(t);
    const topic = await lab.topic(1, { 'compression.type': name });
    const port = lab.port();
    const producer = await port.fence(uniqueId('writer'));
    for (const values of [VALUES.slice(0, 1), VALUES.slice(1, 3), VALUES.slice(3)]) {
      const transaction = await producer.begin();
      await transaction.send(
        topic,
        0,
        values.map((value) => ({ key: 'k', value, headers: { h: 'x' } })),
      );
      await transaction.commit();
    }
    await producer.close();

    const seen = await lab.member(port, uniqueId('group'), [topic]);
    await eventually('all is read', () => seen.values().length >= VALUES.length);
    assert.deepEqual(seen.values(), VALUES);
    assert.equal(String(seen.batches[0]!.records[0]!.key), 'k');
    assert.equal(String(seen.batches[0]!.records[0]!.headers!['h']), 'x');
    assert.ok(decompress.mock.callCount() >= 3, 'the broker has compressed nothing');
  });
}

test('a batch above the limit holds up its partition alone, and says where it is; when it is gone the partition goes on', async (t) => {
  const { CompressionCodecs } = library();
  const codec = CompressionCodecs[CODECS.snappy]() as { decompress(bytes: Buffer): Promise<Buffer> };
  t.mock.method(codec, 'decompress', codecs(1_000).snappy.decompress);

  const lab = await kafkaLab(t);
  const topic = await lab.topic(2, { 'compression.type': 'snappy' });
  const group = uniqueId('group');
  const lines: { level: number; msg: string; reason?: string }[] = [];
  const logger = createLogger({
    level: 'error',
    destination: { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]) },
  });
  const port = createKafka(lab.config, logger);
  t.after(() => port.close());
  const producer = await port.fence(uniqueId('writer'));
  const write = async (partition: number, value: string) => {
    const transaction = await producer.begin();
    await transaction.send(topic, partition, [{ key: null, value }]);
    if (value === 'first') {
      await transaction.sendOffsets(
        group,
        [0, 1].map((number) => ({ topic, partition: number, offset: 0, metadata: '' })),
      );
    }
    await transaction.commit();
  };
  // Each with its marker: the large one is at offset 2.
  for (const value of ['first', 'x'.repeat(10_000), 'after it']) await write(0, value);
  await write(1, 'other');

  const seen = await lab.member(port, group, [topic]);
  const [line] = await eventually('it says so', () => (lines.length > 0 ? lines : undefined));
  assert.match(line!.msg, new RegExp(`^${topic}, partition 0 waits at offset 2 for a batch that cannot be read`));
  assert.match(
    line!.reason!,
    /^a batch of records compressed with snappy \(\d+ bytes\) is above 1000 bytes when decompressed/,
  );
  await write(1, 'more');
  await eventually('the other partition goes on', () => seen.values().includes('more'));
  assert.deepEqual(seen.values().sort(), ['first', 'more', 'other']);
  // Not taken for the end of the log.
  assert.ok(seen.batches.filter(({ partition }) => partition === 0).every(({ next }) => next <= 2));

  const client = createClient(lab.config, silentLogger(), { retry: PATIENT_RETRY });
  t.after(() => client.destroy());
  const admin = client.kafka.admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic); // loads the leaders, which the next call needs
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] });
  await admin.disconnect();
  await eventually('the rest is read', () => seen.values().includes('after it'), 30_000);
  assert.deepEqual(seen.values().sort(), ['after it', 'first', 'more', 'other']);
  assert.deepEqual(seen.crashes, []);
});
