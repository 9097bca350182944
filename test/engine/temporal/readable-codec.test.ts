import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPayloadConverter } from '@temporalio/common';
import { ReadableCodec } from '../../../src/engine/temporal/readable-codec.ts';

async function decoded(encoding: string, data: string): Promise<unknown> {
  const [payload] = await new ReadableCodec().decode([
    { metadata: { encoding: Buffer.from(encoding) }, data: Buffer.from(data) },
  ]);
  return defaultPayloadConverter.fromPayload(payload!);
}

test('protobuf, and JSON that is none, become something that a workflow drops', async () => {
  assert.deepEqual(await decoded('json/protobuf', '{}'), { $unreadable: 'json/protobuf, which is not known here' });
  assert.deepEqual(await decoded('binary/protobuf', '\0'), { $unreadable: 'binary/protobuf, which is not known here' });
  assert.deepEqual(await decoded('json/plain', '{"half":'), { $unreadable: 'json/plain that is no JSON' });
});

test('what the default converter reads goes through as it is', async () => {
  assert.deepEqual(await decoded('json/plain', '{"a":1}'), { a: 1 });
  assert.deepEqual(await decoded('binary/plain', 'bytes'), new Uint8Array(Buffer.from('bytes')));
  assert.equal(await decoded('binary/null', ''), undefined);
});

test('what may be a record of the bridge under a codec that is missing here still fails', async () => {
  await assert.rejects(decoded('binary/encrypted', 'secret'), /Unknown encoding/);
});
