/** Marked secrets in the configuration of every command, right and wrong: nothing that is printed shows them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { shown } from '../../src/engine/process/environment-reader.ts';
import { program } from '../cli/program.ts';
import { CERTIFICATE, ENCRYPTED_KEY, KEY } from '../support/pem.ts';

const MARK = /canary/i;
/** Of the key itself: a line of it says that it was printed. */
const MARK_OF_KEY = KEY.split('\n')[1]!;
const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';

/** Nothing listens on port 1. */
const REACHING_NOBODY = {
  KAFKA_BROKERS: '127.0.0.1:1',
  TEMPORAL_ADDRESS: '127.0.0.1:1',
  ENRICHMENT_SESSION_SERVICE_URL: 'http://127.0.0.1:1',
  ENRICHMENT_METRICS_PORT: '0',
};
const SECRETS = {
  KAFKA_SASL_MECHANISM: 'plain',
  KAFKA_SASL_USERNAME: 'user',
  KAFKA_SASL_PASSWORD: 'canary-sasl-password',
  TEMPORAL_API_KEY: 'canary-api-key',
  TEMPORAL_GRPC_META_AUTHORIZATION: 'Bearer canary-bearer',
  TEMPORAL_CODEC_AUTH: 'canary-codec',
  ENRICHMENT_USER_ID_HASH_KEY: 'canary-hash-key-0123456789-0123456789',
  KAFKA_SSL: 'true',
  KAFKA_SSL_CERT: CERTIFICATE,
  KAFKA_SSL_KEY: KEY,
};
/** Each is refused, or means nothing; none may be quoted. */
const WRONG: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a user in the brokers': { KAFKA_BROKERS: 'user:canary-broker@127.0.0.1:1' },
  'a user in the address of Temporal': { TEMPORAL_ADDRESS: 'user:canary-temporal@127.0.0.1:1' },
  'a user in the session service': { ENRICHMENT_SESSION_SERVICE_URL: 'http://user:canary-service@127.0.0.1:1' },
  'a password without a user': { KAFKA_SASL_USERNAME: '' },
  'a key that is no PEM': { KAFKA_SSL_KEY: 'canary-key-that-is-no-path' },
  'a key where a certificate belongs': { KAFKA_SSL_CERT: KEY.replaceAll('\n', '\\n') },
  'a key of TLS of Temporal': { TEMPORAL_TLS_CLIENT_KEY_DATA: KEY, TEMPORAL_TLS_CLIENT_CERT_DATA: CERTIFICATE },
  'a key with another passphrase': { KAFKA_SSL_KEY: ENCRYPTED_KEY, KAFKA_SSL_KEY_PASSPHRASE: 'canary-passphrase' },
  'a password where its file belongs': { KAFKA_SASL_PASSWORD: '', KAFKA_SASL_PASSWORD_FILE: 'canary-password' },
  'a password beside its file': { KAFKA_SASL_PASSWORD_FILE: 'canary-file' },
  'a hash key that is too short': { ENRICHMENT_USER_ID_HASH_KEY: 'canary-short' },
  'secrets whose names are misspelt': {
    KAFKA_SASL_PASSWORT: 'x',
    KAFKA_SASL_TOKEN: 'canary-token',
    ENRICHMENT_API_KEY: 'canary-key',
  },
};
const COMMANDS: readonly (readonly string[])[] = [
  ['doctor'],
  ['topics'],
  ['dead-letters'],
  ['dead-letters', 'retry', '--reason', 'future'],
  ['state', USER],
  ['generate', '--events', '1'],
  ['bridge'],
  ['worker'],
];

async function assertSilent(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const { code, stdout, stderr } = await program(args, { ...env, ENRICHMENT_LOG_LEVEL: 'trace' });
  assert.notEqual(code, 0, `${args.join(' ')} fails: ${stdout}`);
  assert.notEqual(stderr, '', 'it says why');
  assert.doesNotMatch(stdout + stderr, MARK);
  assert.ok(!(stdout + stderr).includes(MARK_OF_KEY), 'the key is printed');
}

// Several wait half a minute for servers that are not there.
describe('secrets are not printed', { concurrency: 4 }, () => {
  for (const args of COMMANDS) {
    // The two that go on trying for ever are run with a configuration that they refuse.
    const env = ['bridge', 'worker'].includes(args[0]!)
      ? { ...REACHING_NOBODY, ...SECRETS, ENRICHMENT_DEDUP_TTL: 'soon' }
      : { ...REACHING_NOBODY, ...SECRETS };
    test(args.join(' '), () => assertSilent(args, env));
  }
  for (const [what, wrong] of Object.entries(WRONG)) {
    for (const command of ['doctor', 'topics']) {
      test(`${command}, ${what}`, () =>
        assertSilent([command], { ...REACHING_NOBODY, ...SECRETS, ...wrong, KAFKA_SASL_MECHANISM: 'none' }));
    }
  }
  test('a profile file that is broken beside its key', async (t: TestContext) => {
    const folder = mkdtempSync(join(tmpdir(), 'money-enrichment-secrets-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'temporal.toml');
    writeFileSync(file, '[profile.default]\napi_key = "canary-api-key"\naddress = canary\n');
    await assertSilent(['doctor'], { TEMPORAL_CONFIG_FILE: file });
    await assertSilent(['state', USER], { TEMPORAL_CONFIG_FILE: file });
  });
});

describe('a value as it may be shown', () => {
  const cases: readonly [name: string, value: string, expected: string][] = [
    ['KAFKA_SASL_PASSWORD', 'x', '"***"'],
    ['KAFKA_SSL_KEY', '/etc/key.pem', '"***"'],
    ['TEMPORAL_TLS_CLIENT_KEY_DATA', 'x', '"***"'],
    ['TEMPORAL_GRPC_META_X', 'x', '"***"'],
    ['ENRICHMENT_USER_ID_HASH_KEY', 'x', '"***"'],
    ['KAFKA_SSL_CA', KEY, '"***"'],
    ['KAFKA_SSL_KEY_PASSPHRASE', 'x', '"***"'],
    ['SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO', 'x:y', '"***"'],
    ['KAFKA_SASL_PASSWORD_FILE', '/run/secrets/kafka', '"/run/secrets/kafka"'],
    ['KAFKA_SASL_PASSWORD_FILE', './kafka', '"./kafka"'],
    ['KAFKA_SASL_PASSWORD_FILE', 'hunter2', '"***"'],
    ['KAFKA_BROKERS', 'user:pass@host:1', '"***@host:1"'],
    ['KAFKA_BROKERS', 'user:pa,ss@host:1,other:2', '"***@host:1,other:2"'],
    ['ENRICHMENT_SESSION_SERVICE_URL', 'https://user:p@ss@host/x', '"https://***@host/x"'],
    ['KAFKA_BROKERS', 'host:1,other:2', '"host:1,other:2"'],
    ['KAFKA_SASL_USERNAME', 'bridge', '"bridge"'],
  ];
  for (const [name, value, expected] of cases) {
    test(`${name}=${value.slice(0, 30)}`, () => assert.equal(shown(name, value), expected));
  }
});
