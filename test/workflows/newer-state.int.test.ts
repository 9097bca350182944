/** A roll-back: this version meets what a newer one has stored. Its tasks fail and say why; nothing is lost, and others go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import { dataConverter } from '../../src/engine/temporal/payload-codec.ts';
import { money, T0 } from '../money/domain/given.ts';
import { eventually } from '../support/eventually.ts';
import { WorkflowUser } from './harness.ts';

/** What a newer version does: another fingerprint before its values. `knows`: whether it can read them. */
class Newer implements PayloadCodec {
  knows: boolean;

  constructor(knows: boolean) {
    this.knows = knows;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map(otherFingerprint);
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return this.knows
      ? payloads.map((payload) => (payload.data?.[3] === undefined ? payload : otherFingerprint(payload)))
      : payloads;
  }
}

function otherFingerprint(payload: Payload): Payload {
  if (Buffer.from(payload.metadata?.['encoding'] ?? []).toString() !== 'binary/avro') return payload;
  const data = Buffer.from(payload.data!);
  data[3]! ^= 0xff;
  return { ...payload, data };
}

const converterWith = (codec: PayloadCodec): DataConverter => ({
  payloadCodecs: [...dataConverter.payloadCodecs!, codec],
});

test('state of a newer version stops the task of its workflow with a clear message, until a version comes that knows it', async (t) => {
  const codec = new Newer(false);
  /** Reads both once it is the newer version; the signals before were written by the older one. */
  const reading: PayloadCodec = {
    encode: async (payloads) => payloads,
    decode: async (payloads) =>
      Promise.all(payloads.map(async (payload) => (isNewer(payload) ? (await codec.decode([payload]))[0]! : payload))),
  };
  const newer = new Set<string>();
  const isNewer = ({ data }: Payload): boolean =>
    data !== undefined && data !== null && newer.has(Buffer.from(data).subarray(0, 10).toString('hex'));
  const writing: PayloadCodec = {
    async encode(payloads) {
      const written = await codec.encode(payloads);
      for (const { data } of written) {
        newer.add(
          Buffer.from(data ?? [])
            .subarray(0, 10)
            .toString('hex'),
        );
      }
      return written;
    },
    decode: async (payloads) => payloads,
  };
  const user = await WorkflowUser.create(t, { server: 'dev', converter: converterWith(reading) });
  const other = await WorkflowUser.create(t, { server: 'dev' });
  await user.signal([money(0, { id: 'a', ts: T0 })]);
  await user.hasPublished('applied', 'a first');

  await user.signal([money(1, { id: 'b', ts: T0 })], { converter: converterWith(writing) });
  const failures = async () => {
    const { events = [] } = await user.handle.fetchHistory();
    return events!.flatMap(({ workflowTaskFailedEventAttributes: failed }) =>
      failed ? [failed.failure?.message ?? ''] : [],
    );
  };
  await eventually('the task fails', async () => (await failures()).length > 0, 30_000);
  assert.match(
    (await failures())[0]!,
    /written with a schema that this version does not know \(fingerprint [0-9a-f]{16}\): a newer version wrote it/,
  );
  assert.equal((await user.handle.describe()).status.name, 'RUNNING');
  await other.signal([money(0, { id: 'c', ts: T0 })]);
  await other.hasPublished('applied', 'c first');
  assert.deepEqual(user.fake.outputs('applied'), ['a first']);

  codec.knows = true;
  await eventually('b is published', () => user.fake.outputs('applied').includes('b'), 60_000);
  assert.deepEqual(user.fake.outputs('applied'), ['a first', 'b']);
});
