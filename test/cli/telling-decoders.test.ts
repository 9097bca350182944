import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tellingDecoders } from '../../src/cli/telling-decoders.ts';
import { CodedError } from '../../src/engine/errors.ts';
import { jsonDecoder } from '../../src/engine/values/value.ts';

test('nobody who answers is told of; the error goes on, and so does an answer', async () => {
  const said: string[] = [];
  const of = (answer: () => ReturnType<Parameters<typeof tellingDecoders>[0]['decoderFor']>) =>
    tellingDecoders({ decoderFor: answer }, (line) => said.push(line)).decoderFor([]);
  assert.equal(
    of(() => jsonDecoder),
    jsonDecoder,
  );
  assert.equal(await of(async () => jsonDecoder), jsonDecoder);
  const away = new CodedError('UNREACHABLE', 'no answer from http://registry:8081');
  await assert.rejects(
    async () => of(() => Promise.reject(away)),
    (error) => error === away,
  );
  await assert.rejects(async () => of(() => Promise.reject(new CodedError('CONFIG', 'forbidden'))), /forbidden/);
  assert.deepEqual(said, [
    'records wait for their schemas, which are asked for again: no answer from http://registry:8081',
  ]);
});
