import assert from 'node:assert/strict';
import { test } from 'node:test';
import { avroDecoder, type KnownSchema } from '../../../src/engine/values/avro/decoder.ts';
import { parseWriterSchema } from '../../../src/engine/values/avro/schema.ts';
import { decodeRecord, type Limits } from '../../../src/money/codec/decode.ts';
import { createAvroTraffic } from '../../../src/tools/generate/avro-traffic.ts';
import { trafficOptions } from '../../../src/tools/generate/options.ts';
import { generateTraffic } from '../../../src/tools/generate/traffic.ts';

const topics = { money: 'm', user: 'u', session: 's' };
const limits: Limits = { maxRecordBytes: 1_048_576, maxFutureSkew: 3_600_000 };

async function given() {
  const schemas = new Map<number, KnownSchema>();
  const subjects: string[] = [];
  const traffic = await createAvroTraffic({
    topics,
    maxRecordBytes: limits.maxRecordBytes,
    idOf: async (subject, schema) => {
      subjects.push(subject);
      schemas.set(subjects.length, parseWriterSchema(schema));
      return subjects.length;
    },
  });
  return { traffic, subjects, decoder: avroDecoder(schemas) };
}

test('traffic in Avro says what its JSON says, and what cannot be used cannot be used', async () => {
  const { traffic, subjects, decoder } = await given();
  assert.deepEqual(subjects, ['u-value', 's-value', 'm-value']);
  const options = { users: 20, events: 3_000, seed: 3, start: 1_769_853_600_000, duplicates: 0.05, pending: 0.05 };
  const counts = { usable: 0, asMeant: 0, unusable: 0 };
  for (const record of generateTraffic(trafficOptions({ ...options, malformed: 0.1, tooLarge: true }))) {
    const { input, timestamp, value: json } = record;
    const key = record.key === null ? null : Buffer.from(record.key);
    const { value, meaning } = traffic.encode(input, json);
    const asAvro = decodeRecord(input, { key, value, timestamp }, limits, decoder);
    const asJson = decodeRecord(input, { key, value: meaning, timestamp }, limits);
    if (record.reason === undefined) {
      assert.deepEqual(asAvro, decodeRecord(input, { key, value: json, timestamp }, limits));
      assert.ok(asAvro.ok);
      counts.usable += 1;
    } else {
      assert.equal(asAvro.ok, asJson.ok, record.reason);
      if (!asAvro.ok && !asJson.ok) {
        assert.equal(asAvro.reason, asJson.reason, String(json));
        counts[asAvro.reason === record.reason ? 'asMeant' : 'unusable'] += 1;
      }
    }
  }
  assert.ok(counts.usable > 2_000 && counts.asMeant > 100 && counts.unusable > 10, JSON.stringify(counts));
});
