import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import { dataConverter } from '../../../src/engine/temporal/payload-codec.ts';
import { newLife } from '../../../workflows/life.ts';
import { stored } from '../../../src/engine/workflow/mark.ts';

const UUID = '00000000-0000-4000-8000-0000000000aa';

const [avro, packed, codec] = dataConverter.payloadCodecs!;

const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value)!;
const encoding = ({ metadata }: Payload) => Buffer.from(metadata!['encoding']!).toString();

async function encoded(value: unknown): Promise<Payload> {
  const [payload] = await codec!.encode([payloadOf(value)]);
  return payload!;
}

async function decoded(payload: Payload): Promise<unknown> {
  const [plain] = await codec!.decode([payload]);
  return defaultPayloadConverter.fromPayload(plain!);
}

describe('the payload codec', () => {
  it('leaves small payloads as they are', async () => {
    const payload = payloadOf({ a: '0.10' });
    assert.deepEqual(await codec!.encode([payload]), [payload]);
    assert.deepEqual(await codec!.decode([payload]), [payload]);
  });

  it('compresses from 200,000 bytes on', async () => {
    // A JSON string has two quotes more than its text.
    assert.equal(encoding(await encoded('x'.repeat(200_000 - 3))), 'json/plain');
    assert.equal(encoding(await encoded('x'.repeat(200_000 - 2))), 'binary/gzip');
  });

  it('gives back what went in, metadata included', async () => {
    const value = {
      text: 'ä"\\'.repeat(100_000),
      amount: '1.0000000000000000000000000000000000000000',
      list: [null, 1, true],
    };
    const payload = await encoded(value);
    assert.ok(payload.data!.length < 50_000);
    assert.deepEqual(await decoded(payload), value);
    const large: Payload = {
      metadata: { encoding: Buffer.from('binary/plain'), mine: Buffer.from('1') },
      data: randomBytes(300_000),
    };
    const [back] = await codec!.decode(await codec!.encode([large]));
    assert.equal(Buffer.from(back!.metadata!['mine']!).toString(), '1');
    assert.deepEqual(Buffer.from(back!.data!), Buffer.from(large.data!));
  });

  it('takes several payloads, each for itself', async () => {
    const [small, large] = await codec!.encode([payloadOf('a'), payloadOf('b'.repeat(300_000))]);
    assert.deepEqual([encoding(small!), encoding(large!)], ['json/plain', 'binary/gzip']);
  });

  it('leaves a payload without data or encoding alone', async () => {
    assert.deepEqual(await codec!.decode([{}, { metadata: {} }]), [{}, { metadata: {} }]);
    assert.deepEqual(await codec!.encode([{}]), [{}]);
  });

  it('hands on what is not its own compression, and what would not fit into memory, as unreadable', async () => {
    const metadata = { encoding: Buffer.from('binary/gzip') };
    for (const data of [Buffer.from('no gzip'), undefined, gzipSync(Buffer.alloc(64_000_001))]) {
      const [payload] = await codec!.decode([data === undefined ? { metadata } : { metadata, data }]);
      assert.deepEqual(defaultPayloadConverter.fromPayload(payload!), {
        $unreadable: 'binary/gzip that cannot be decompressed',
      });
    }
  });

  it('packs a large state, and gives it back', async () => {
    const value = { userId: UUID, life: newLife({ startedAt: 1, runId: 'run' }) };
    for (let n = 0; n < 10_000; n += 1) {
      value.life.user.dedup[`a0000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`] = 1_769_853_600_000 + n;
    }
    const [plain] = await avro!.encode([payloadOf(stored('Start', value))]);
    const [small] = await packed!.encode([plain!]);
    assert.equal(encoding(small!), 'binary/avro-packed');
    // 16 bytes of the id, one of its head, six of the time.
    assert.ok(small!.data!.length < 10_000 * 23 + 500, `${small!.data!.length}`);
    const [back] = await packed!.decode([small!]);
    assert.deepEqual(Buffer.from(back!.data!), Buffer.from(plain!.data!));
    const [again] = await avro!.decode([back!]);
    assert.deepEqual(defaultPayloadConverter.fromPayload(again!), JSON.parse(JSON.stringify(value)));
    const [cut] = await packed!.decode([{ ...small!, data: small!.data!.subarray(0, 1_000) }]);
    assert.match(String(JSON.stringify(defaultPayloadConverter.fromPayload(cut!))), /unreadable/);
  });
});

describe('the codec of stored values', () => {
  const start = { userId: 'u-1' };

  it('writes a marked value in the encoding of its schema, and gives it back without the mark', async () => {
    const [payload] = await avro!.encode([payloadOf(stored('Start', start))]);
    assert.equal(encoding(payload!), 'binary/avro');
    assert.equal(Buffer.from(payload!.metadata!['messageType']!).toString(), 'Start');
    // Avro by hand: the mark, the fingerprint, the string of three bytes, no life.
    assert.equal(Buffer.from(payload!.data!.subarray(0, 2)).toString('hex'), 'c301');
    assert.equal(Buffer.from(payload!.data!.subarray(10)).toString('hex'), '06752d3100');
    const [plain] = await avro!.decode([payload!]);
    assert.equal(encoding(plain!), 'json/plain');
    assert.deepEqual(defaultPayloadConverter.fromPayload(plain!), start);
  });

  it('leaves everything else as it is', async () => {
    const payloads = [
      payloadOf(start),
      payloadOf(undefined),
      payloadOf('{"$type":"Start"}'),
      { metadata: {}, data: null },
    ];
    assert.deepEqual(await avro!.encode(payloads), payloads);
    assert.deepEqual(await avro!.decode(payloads), payloads);
  });

  it("hands on what is nobody's as unreadable: no Avro, no JSON, encodings of others", async () => {
    const bad: Payload[] = [
      { metadata: { encoding: Buffer.from('binary/avro') }, data: Buffer.from('rubbish') },
      {
        metadata: { encoding: Buffer.from('binary/avro') },
        data: (await avro!.encode([payloadOf(stored('Start', start))]))[0]!.data!.subarray(0, 11),
      },
      { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"') },
      { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('x') },
      { metadata: {}, data: Buffer.from('x') },
    ];
    for (const payload of await avro!.decode(bad)) {
      assert.match(JSON.stringify(defaultPayloadConverter.fromPayload(payload)), /^\{"\$unreadable":/);
    }
  });

  it('says of an encoding of a newer version that it needs one', async () => {
    await assert.rejects(
      avro!.decode([{ metadata: { encoding: Buffer.from('binary/avro-next') }, data: Buffer.from('x') }]),
      /newer version wrote it/,
    );
  });

  it('says that state of a newer version needs a newer version', async () => {
    const [payload] = await avro!.encode([payloadOf(stored('Start', start))]);
    payload!.data![4]! ^= 0xff;
    await assert.rejects(avro!.decode([payload!]), /newer version wrote it/);
  });
});
