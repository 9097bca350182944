import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../../../src/engine/log.ts';
import { dataConverterOf } from '../../../src/engine/temporal/payload-codec.ts';
import { loadConfig } from '../../../src/money/config.ts';
import { encryptionOf } from '../../../src/money/config/encryption.ts';
import { checkEncryption } from '../../../src/tools/doctor/encryption.ts';

test('a keyring and a provider are one too many', () => {
  assert.throws(
    () => loadConfig({ ENRICHMENT_ENCRYPTION_KEYS_FILE: '/keys', ENRICHMENT_ENCRYPTION_KEY_PROVIDER: './keys.mjs' }),
    {
      code: 'CONFIG',
      message:
        'ENRICHMENT_ENCRYPTION_KEYS_FILE and ENRICHMENT_ENCRYPTION_KEY_PROVIDER are both set: expected one of them',
    },
  );
});

test('the provider of docs/encryption.md encrypts, decrypts, and outlives its service', async (t) => {
  const page = readFileSync(new URL('../../../docs/encryption.md', import.meta.url), 'utf8');
  const [, code] = /```js\n([^]*?)```/.exec(page)!;
  const folder = mkdtempSync(join(tmpdir(), 'key-provider-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'keys.mjs'), code!);
  let current = '2026-10';
  const service = createServer(({ url = '' }, response) => {
    const id = url.replace('/keys/', '').replace('current', current);
    const key = Buffer.alloc(32, id).toString('base64');
    response.writeHead(id.startsWith('2026') ? 200 : 404).end(JSON.stringify({ id, key }));
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const close = (): void => void (service.close(), service.closeAllConnections());
  t.after(close);
  process.env['KEY_SERVICE_URL'] = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  t.after(() => delete process.env['KEY_SERVICE_URL']);

  const config = loadConfig({ ENRICHMENT_ENCRYPTION_KEY_PROVIDER: join(folder, 'keys.mjs') });
  const codecOf = (): { encode: Codec; decode: Codec } =>
    dataConverterOf(encryptionOf(config, silentLogger())).payloadCodecs!.at(-1)!;
  type Codec = NonNullable<ReturnType<typeof dataConverterOf>['payloadCodecs']>[0]['encode'];
  const plain = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"a word"') };
  const before = await codecOf().encode([plain]);
  current = '2026-11';
  const codec = codecOf();
  const after = await codec.encode([plain]);
  assert.deepEqual(
    [...before, ...after].map(({ metadata }) => String(Buffer.from(metadata!['encryption-key-id']!))),
    ['2026-10', '2026-11'],
  );
  const [found] = await checkEncryption(config);
  assert.match(
    found!.message,
    /^payloads are encrypted with key "2026-11" of ENRICHMENT_ENCRYPTION_KEY_PROVIDER=".*"$/,
  );
  const read = async (payloads: typeof before): Promise<string> =>
    String(Buffer.from((await codec.decode(payloads))[0]!.data!));
  assert.equal(await read(before), '"a word"');
  const unknown = { ...before[0]!, metadata: { ...before[0]!.metadata, 'encryption-key-id': Buffer.from('no') } };
  await assert.rejects(read([unknown]), { code: 'UNDECIPHERABLE', message: /key "no".*KEY_PROVIDER=/ });
  close();
  for (const payloads of [before, after, await codec.encode([plain])]) assert.equal(await read(payloads), '"a word"');
  const [failed] = await checkEncryption(config);
  assert.equal(failed!.level, 'failed');
});
