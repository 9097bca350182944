/** Putting dead letters of Avro values back: judged with the schema that they name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deadLetter } from '../../../src/engine/bridge/dead-letter.ts';
import type { DecoderSource } from '../../../src/engine/values/value.ts';
import { objectionTo, type Circumstances } from '../../../src/tools/dead-letters/retry.ts';
import { readDeadLetters } from '../../../src/tools/dead-letters/read.ts';
import { CodedError } from '../../../src/engine/errors.ts';
import { createAvroDecoders } from '../../../src/engine/schema-registry/avro-decoders.ts';
import { typeOf, wire } from '../../engine/values/avro/given.ts';
import { KafkaInMemory } from '../../../src/library/testing/kafka/kafka-in-memory.ts';

const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const NOW = 1_769_853_600_000;
const SCHEMA = {
  type: 'record',
  name: 'UserSessionClosedEvent',
  fields: [
    ...['id', 'userId', 'reason'].map((name) => ({ name, type: 'string' })),
    { name: 'processedAt', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ],
};
const circumstances: Circumstances = {
  config: {
    appId: 'app',
    topics: { user: 'u', session: 's', money: 'm', output: 'o', deadLetter: 'd', ledger: 'o-ledger' },
    maxRecordBytes: 1000,
    maxFutureSkew: 0,
  },
  retried: [[]],
  partitions: new Map([['s', 1]]),
  now: NOW,
  force: false,
};
const closed = (processedAt: number, id: number) =>
  wire(typeOf(SCHEMA).toBuffer({ id: USER, userId: USER, reason: 'r', processedAt: BigInt(processedAt) }), id);

async function objections(decoders: DecoderSource): Promise<(string | null)[]> {
  const kafka = new KafkaInMemory();
  kafka.createTopic('d', 1);
  const values = [closed(NOW, 1), closed(NOW + 1, 1), closed(NOW, 2)];
  values.forEach((value, offset) => {
    const source = { topic: 's', partition: 0, offset, timestamp: NOW };
    kafka.append('d', 0, deadLetter(source, { key: Buffer.from(USER), value }, { reason: 'future', detail: '' }));
  });
  const found: (string | null)[] = [];
  await readDeadLetters(kafka.port('test'), {
    appId: 'app',
    topic: 'd',
    decoders,
    onLetter: (letter, decoder) => found.push(objectionTo(letter, circumstances, decoder)),
  });
  return found;
}

test('each is judged with its own schema', async () => {
  const registry = {
    schema: async (id: number) =>
      id === 1 ? { text: JSON.stringify(SCHEMA) } : { unusable: 'the schema registry does not know it (404)' },
  };
  assert.deepEqual(
    await objections(createAvroDecoders(registry, { elapsed: () => NOW, sleep: async () => undefined })),
    [
      null,
      "it would only come back as future: processedAt: 1 ms after the record's timestamp, expected at most 0 (--force does it all the same)",
      'it would only come back as malformed: value: schema 2 cannot be used: the schema registry does not know it (404) (--force does it all the same)',
    ],
  );
});

test('a registry that does not answer ends it, with nothing put back', async () => {
  const registry = { schema: () => Promise.reject(new CodedError('UNREACHABLE', 'away')) };
  await assert.rejects(objections(createAvroDecoders(registry, { elapsed: () => NOW, sleep: async () => undefined })), {
    code: 'UNREACHABLE',
  });
});
