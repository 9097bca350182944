/** Temporal behind a door that demands a client certificate and an API key: both connections of the product, and what is said when it stays shut. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CodedError } from '../../src/engine/errors.ts';
import { connectTemporal, connectTemporalNative } from '../../src/engine/temporal/connection.ts';
import { authority } from '../support/certificates.ts';
import { sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { startDoor } from '../support/temporal-door.ts';

test('Temporal with TLS, client certificates and API keys, as servers demand them', { timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'money-enrichment-connections-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { temporal } = await sharedCluster();
  const ours = authority(folder, 'ours');
  const theirs = authority(folder, 'theirs');
  const [server, client, stranger] = [ours.issue('server'), ours.issue('client'), theirs.issue('client')];
  const door = await startDoor(t, temporal, {
    cert: readFileSync(server.cert),
    key: readFileSync(server.key),
    ca: readFileSync(ours.cert),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const env: NodeJS.ProcessEnv = {
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
    TEMPORAL_ADDRESS: door.address,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: ours.cert,
    TEMPORAL_TLS_CLIENT_CERT_PATH: client.cert,
    TEMPORAL_TLS_CLIENT_KEY_PATH: client.key,
  };
  const describe = { namespace: 'default' };
  const keyFile = join(folder, 'api-key');
  const withKey = { ...env, TEMPORAL_API_KEY_FILE: keyFile };

  for (const [kind, connect] of [
    ['the client', connectTemporal],
    ['the native connection of the worker', connectTemporalNative],
  ] as const) {
    await t.test(`${kind}: a client certificate`, async (t) => {
      door.demand(undefined);
      const { connection } = await connect(env);
      t.after(() => connection.close());
      const { namespaceInfo } = await connection.workflowService.describeNamespace(describe);
      assert.equal(namespaceInfo?.name, 'default');
    });

    await t.test(`${kind}: an API key from a file, followed when it changes`, async (t) => {
      writeFileSync(keyFile, 'key-1\n');
      door.demand('Bearer key-1');
      const { connection } = await connect(withKey);
      t.after(() => connection.close());
      await connection.workflowService.describeNamespace(describe);
      door.demand('Bearer key-2');
      await assert.rejects(connection.workflowService.describeNamespace(describe), /the key is not valid/);
      writeFileSync(keyFile, 'key-2\n');
      await eventually('the new key is used', async () => {
        const asked = connection.workflowService.describeNamespace(describe);
        return (await asked.catch(() => undefined)) !== undefined;
      });
    });

    const refused: readonly (readonly [what: string, env: NodeJS.ProcessEnv, says: RegExp])[] = [
      ['another key', { ...env, TEMPORAL_API_KEY: 'no' }, /the key is not valid/],
      [
        'no client certificate',
        { ...env, TEMPORAL_TLS_CLIENT_CERT_PATH: '', TEMPORAL_TLS_CLIENT_KEY_PATH: '' },
        /TEMPORAL_TLS_CLIENT_CERT_PATH/,
      ],
      [
        'a client certificate of another authority',
        { ...env, TEMPORAL_TLS_CLIENT_CERT_PATH: stranger.cert, TEMPORAL_TLS_CLIENT_KEY_PATH: stranger.key },
        /TEMPORAL_TLS_CLIENT_CERT_PATH/,
      ],
      [
        'an unknown authority',
        { ...env, TEMPORAL_TLS_SERVER_CA_CERT_PATH: theirs.cert },
        /TEMPORAL_TLS_SERVER_CA_CERT_PATH/,
      ],
    ];
    // The client gives up after 10 s only: once is enough.
    for (const [what, env, says] of connect === connectTemporal ? refused.slice(0, 2) : refused) {
      await t.test(`${kind}, ${what}: refused, and said`, async () => {
        door.demand('Bearer key-2');
        await assert.rejects(connect(env), (error) => {
          assert.ok(error instanceof CodedError);
          assert.match(error.message, says);
          return true;
        });
      });
    }
  }
});
