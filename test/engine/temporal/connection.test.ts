import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { compression, temporalConnectionOptions } from '../../../src/engine/temporal/connection.ts';

test('what goes over a network is compressed, as the SDK does; what stays on the machine is not', () => {
  for (const address of ['127.0.0.1:7233', '127.1.2.3:1', 'localhost:7233', '[::1]:7233']) {
    assert.deepEqual(compression(address), { grpcCompression: { codec: 'none' } }, address);
  }
  for (const address of ['10.0.0.1:7233', '127.example.com:7233', 'localhost.example.com:443', '[::2]:7233']) {
    assert.deepEqual(compression(address), {}, address);
  }
});

test('the API key may stand in a file, and is given as it is there now', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'money-enrichment-api-key-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'key');
  writeFileSync(path, 'key-1\n');
  const nothing = { HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent', TEMPORAL_ADDRESS: 'a:1' };
  const options = temporalConnectionOptions({ ...nothing, TEMPORAL_API_KEY_FILE: path });
  assert.equal(options.connection.apiKey, 'key-1');
  assert.equal(options.apiKey?.(), 'key-1');
  assert.equal(temporalConnectionOptions({ ...nothing, TEMPORAL_API_KEY: 'key' }).apiKey, undefined);
  const header = temporalConnectionOptions({ ...nothing, TEMPORAL_GRPC_META_AUTHORIZATION_FILE: path });
  assert.deepEqual(header.connection.metadata, { authorization: 'key-1' });
  assert.throws(
    () => temporalConnectionOptions({ ...nothing, TEMPORAL_API_KEY: 'key', TEMPORAL_API_KEY_FILE: path }),
    /TEMPORAL_API_KEY and TEMPORAL_API_KEY_FILE are both set/,
  );
});
