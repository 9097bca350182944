/** Every way to connect to Kafka that docs/connections.md names, on a broker that demands it; and what is said when it is refused. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../src/engine/errors.ts';
import { createAdmin } from '../../src/engine/kafka/kafkajs/admin.ts';
import { createKafka } from '../../src/engine/kafka/kafkajs/create-kafka.ts';
import { silentLogger } from '../../src/engine/log.ts';
import { loadConfig } from '../../src/money/config.ts';
import { createClient, PATIENT_RETRY } from '../../src/engine/kafka/kafkajs/client.ts';
import { startAuthorizationServer } from '../support/authorization-server.ts';
import { authority, encrypted, together } from '../support/certificates.ts';
import { passwordOf, plainUsers, startDemandingBroker } from './secured-broker.ts';
import { createTopics } from '../support/create-topics.ts';

const USER = 'alice';
const SECRET = 'secret of the client';
const CLAIMS = { sub: USER, scope: 'kafka' };
/** ms after which a file counts as it is now. */
const SEEN = 1_100;
const HANDLER = 'org.apache.kafka.common.security.oauthbearer';

test('Kafka with TLS and SASL, as brokers demand them', { timeout: 300_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'money-enrichment-connections-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const ours = authority(folder, 'ours');
  const theirs = authority(folder, 'theirs');
  const [client, expired] = [ours.issue('client'), ours.issue('expired', -1)];
  const foreign = theirs.issue('client');
  const authorization = await startAuthorizationServer(t, { [USER]: SECRET });
  const stranger = await startAuthorizationServer(t, {});
  const { addresses, stop } = await startDemandingBroker({
    listeners: { MTLS: 'SSL', SASL: 'SASL_SSL', OLD: 'SSL' },
    scram: { user: USER, mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-512'] },
    flags: [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${authorization.jwksUrl}`],
    properties: `ssl.keystore.type=PEM
ssl.keystore.location=${together(ours.issue('broker'))}
ssl.truststore.type=PEM
ssl.truststore.location=${ours.cert}
listener.name.mtls.ssl.client.auth=required
listener.name.old.ssl.keystore.type=PEM
listener.name.old.ssl.keystore.location=${together(ours.issue('old', -1))}
listener.name.sasl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl.plain.sasl.jaas.config=${plainUsers([USER])}
listener.name.sasl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.oauthbearer.sasl.jaas.config=${HANDLER}.OAuthBearerLoginModule required;
listener.name.sasl.oauthbearer.sasl.server.callback.handler.class=${HANDLER}.OAuthBearerValidatorCallbackHandler
sasl.oauthbearer.expected.audience=test
sasl.oauthbearer.jwt.validator.class=${HANDLER}.BrokerJwtValidator
sasl.oauthbearer.jwks.endpoint.url=${authorization.jwksUrl}
`,
  });
  t.after(stop);
  await createTopic(addresses['ADMIN']!);

  const ca = { KAFKA_SSL_CA: ours.cert };
  const mutual = { ...ca, KAFKA_BROKERS: addresses['MTLS']!, KAFKA_SSL_CERT: client.cert, KAFKA_SSL_KEY: client.key };
  const sasl = { ...ca, KAFKA_BROKERS: addresses['SASL']! };
  const asUser = { KAFKA_SASL_USERNAME: USER, KAFKA_SASL_PASSWORD: passwordOf(USER) };
  const OAUTH = 'KAFKA_SASL_OAUTHBEARER';
  const oauth = {
    KAFKA_SASL_MECHANISM: 'oauthbearer',
    [`${OAUTH}_TOKEN_ENDPOINT_URL`]: authorization.tokenUrl,
    [`${OAUTH}_CLIENT_ID`]: USER,
    [`${OAUTH}_CLIENT_SECRET`]: SECRET,
    [`${OAUTH}_SCOPE`]: 'kafka',
  };
  const fileOf = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  const works: Readonly<Record<string, NodeJS.ProcessEnv>> = {
    'a client certificate': mutual,
    'a client certificate whose key has a passphrase': {
      ...mutual,
      KAFKA_SSL_KEY: encrypted(client.key, 'open sesame'),
      KAFKA_SSL_KEY_PASSPHRASE_FILE: fileOf('passphrase', 'open sesame\n'),
    },
    'SASL PLAIN over TLS': { ...sasl, ...asUser, KAFKA_SASL_MECHANISM: 'plain' },
    'SCRAM-SHA-256': { ...sasl, ...asUser, KAFKA_SASL_MECHANISM: 'scram-sha-256' },
    'SCRAM-SHA-512': { ...sasl, ...asUser, KAFKA_SASL_MECHANISM: 'scram-sha-512' },
    'OAUTHBEARER, client credentials': { ...sasl, ...oauth, [`${OAUTH}_EXTENSIONS`]: 'logicalCluster=lkc-1' },
    'OAUTHBEARER, a token from a file': {
      ...sasl,
      KAFKA_SASL_MECHANISM: 'oauthbearer',
      [`${OAUTH}_TOKEN_FILE`]: fileOf('token', `${authorization.sign(CLAIMS)}\n`),
    },
  };
  for (const [what, env] of Object.entries(works)) {
    await t.test(`${what}: a transaction is written and read`, () => exchange(env));
  }
  assert.equal(authorization.given, 1, 'one token serves all connections of a process');

  const refused: readonly (readonly [what: string, env: NodeJS.ProcessEnv, says: RegExp])[] = [
    [
      'another password',
      { ...sasl, ...asUser, KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_PASSWORD: 'no' },
      /check KAFKA_SASL_/,
    ],
    [
      'another password (SCRAM)',
      { ...sasl, ...asUser, KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_PASSWORD: 'no' },
      /check KAFKA_SASL_/,
    ],
    [
      'an unknown authority',
      { ...sasl, ...asUser, KAFKA_SASL_MECHANISM: 'plain', KAFKA_SSL_CA: theirs.cert },
      /an authority that is not trusted here: set KAFKA_SSL_CA/,
    ],
    [
      'a broker whose certificate has expired',
      { ...ca, KAFKA_BROKERS: addresses['OLD']! },
      /its certificate has expired/,
    ],
    [
      'no client certificate',
      { ...ca, KAFKA_BROKERS: addresses['MTLS']! },
      /it demands a client certificate that it trusts .*: set KAFKA_SSL_CERT/,
    ],
    [
      'a client certificate of another authority',
      { ...mutual, KAFKA_SSL_CERT: foreign.cert, KAFKA_SSL_KEY: foreign.key },
      /it demands a client certificate that it trusts and that has not expired/,
    ],
    [
      'TLS at a door without it',
      { ...ca, KAFKA_BROKERS: addresses['ADMIN']! },
      /before TLS was established: what answers at that port may not speak TLS/,
    ],
    [
      'another secret of the client',
      { ...sasl, ...oauth, [`${OAUTH}_CLIENT_SECRET`]: 'no' },
      /refuses this client with 401 \(invalid_client\): check its id, secret and scope/,
    ],
    [
      'a token that somebody else signed',
      { ...sasl, KAFKA_SASL_MECHANISM: 'oauthbearer', [`${OAUTH}_TOKEN`]: stranger.sign(CLAIMS) },
      /the broker refuses the token \(invalid_token\): check KAFKA_SASL_/,
    ],
    [
      'a token that has expired',
      { ...sasl, KAFKA_SASL_MECHANISM: 'oauthbearer', [`${OAUTH}_TOKEN`]: authorization.sign(CLAIMS, -60) },
      /the broker refuses the token \(invalid_token\): check KAFKA_SASL_/,
    ],
  ];
  for (const [what, env, says] of refused) {
    await t.test(`${what}: refused, and said in our words`, () => assertRefused(env, says));
  }

  await t.test('a password that changes in its file counts for the next connection', async (t) => {
    const path = fileOf('password', 'yesterday');
    await rotated(
      t,
      {
        ...sasl,
        ...asUser,
        KAFKA_SASL_PASSWORD: '',
        KAFKA_SASL_PASSWORD_FILE: path,
        KAFKA_SASL_MECHANISM: 'scram-sha-256',
      },
      /check KAFKA_SASL_/,
      () => writeFileSync(path, `${passwordOf(USER)}\n`),
    );
  });
  await t.test('a certificate that is renewed on disk counts for the next connection', async (t) => {
    const [cert, key] = [fileOf('mine.crt', ''), fileOf('mine.key', '')];
    copyFileSync(expired.cert, cert);
    copyFileSync(expired.key, key);
    await rotated(
      t,
      { ...mutual, KAFKA_SSL_CERT: cert, KAFKA_SSL_KEY: key },
      /it demands a client certificate that it trusts and that has not expired/,
      () => {
        copyFileSync(client.cert, cert);
        copyFileSync(client.key, key);
      },
    );
  });
});

const TOPIC = 'guarded';
const configOf = (env: NodeJS.ProcessEnv) => loadConfig({ HOME: '/nonexistent', ...env }).kafka!;

async function createTopic(address: string): Promise<void> {
  const client = createClient({ brokers: [address], ssl: false }, silentLogger(), { retry: PATIENT_RETRY });
  const admin = client.kafka.admin();
  await admin.connect();
  await createTopics(admin, [{ topic: TOPIC, numPartitions: 1, replicationFactor: 1 }]);
  await admin.disconnect();
  client.destroy();
}

/** Through the product's own client: fence, write, commit, join a group, read what was committed. */
async function exchange(env: NodeJS.ProcessEnv): Promise<void> {
  const kafka = createKafka(configOf(env), silentLogger());
  try {
    const value = randomUUID();
    const producer = await kafka.fence(`t-${value}`);
    const transaction = await producer.begin();
    const offset = await transaction.send(TOPIC, 0, [{ key: 'k', value }]);
    await transaction.commit();
    assert.notEqual(offset, null);
    const seen = await new Promise<unknown>((resolve, reject) => {
      const member = kafka.joinGroup({ groupId: `g-${value}`, topics: [TOPIC] });
      member
        .start({
          onAssigned: async () => member.seek(TOPIC, 0, offset!),
          onRecords: async ({ records }) => {
            if (records.length > 0) resolve(String(records[0]!.value));
          },
          onCrash: reject,
        })
        .catch(reject);
    });
    assert.equal(seen, value);
  } finally {
    await kafka.close();
  }
}

async function assertRefused(env: NodeJS.ProcessEnv, says: RegExp): Promise<void> {
  const admin = createAdmin(configOf(env), silentLogger(), 1_000);
  try {
    await assert.rejects(admin.partitionCounts([TOPIC]), (error) => {
      assert.ok(error instanceof CodedError);
      assert.match(error.message, says);
      assert.doesNotMatch(error.message, /OpenSSL|routines|error:[0-9A-F]{8}/);
      return true;
    });
  } finally {
    await admin.close();
  }
}

/** One client, refused and then taken. */
async function rotated(t: TestContext, env: NodeJS.ProcessEnv, says: RegExp, change: () => void): Promise<void> {
  const admin = createAdmin(configOf(env), silentLogger(), 1_000);
  t.after(() => admin.close());
  await assert.rejects(admin.partitionCounts([TOPIC]), says);
  change();
  await sleep(SEEN);
  assert.deepEqual(await admin.partitionCounts([TOPIC]), [1]);
}
