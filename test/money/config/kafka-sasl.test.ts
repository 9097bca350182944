import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import { EnvironmentReader } from '../../../src/engine/process/environment-reader.ts';
import { readSasl } from '../../../src/money/config/kafka-sasl.ts';

function problemsOf(env: NodeJS.ProcessEnv): string[] {
  const read = new EnvironmentReader(env);
  readSasl(read);
  try {
    read.throwProblems();
    return [];
  } catch (error) {
    assert.ok(error instanceof CodedError && error.code === 'CONFIG');
    return error.message.split('\n');
  }
}

const OAUTH = 'KAFKA_SASL_OAUTHBEARER';
const CLIENT = {
  KAFKA_SASL_MECHANISM: 'oauthbearer',
  [`${OAUTH}_TOKEN_ENDPOINT_URL`]: 'https://as/token',
  [`${OAUTH}_CLIENT_ID`]: 'me',
  [`${OAUTH}_CLIENT_SECRET`]: 'hunter2',
};

test('a token that is given, with what goes beside it', async () => {
  const sasl = readSasl(
    new EnvironmentReader({
      KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
      [`${OAUTH}_TOKEN`]: 'token-1',
      [`${OAUTH}_EXTENSIONS`]: 'logicalCluster=lkc-1,identityPoolId=pool=2',
    }),
  );
  assert.ok(sasl !== undefined && 'token' in sasl);
  assert.equal(await sasl.token(), 'token-1');
  assert.deepEqual(sasl.extensions, { logicalCluster: 'lkc-1', identityPoolId: 'pool=2' });
});

const wrong: readonly (readonly [env: NodeJS.ProcessEnv, problem: RegExp])[] = [
  [
    { KAFKA_SASL_MECHANISM: 'GSSAPI' },
    /^KAFKA_SASL_MECHANISM: Kerberos \(GSSAPI\) is not supported.*let the brokers take plain, /,
  ],
  [{ ...CLIENT, [`${OAUTH}_CLIENT_SECRET`]: '' }, /^KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET is not set: expected all of /],
  [{ ...CLIENT, [`${OAUTH}_TOKEN`]: 'x' }, /^KAFKA_SASL_OAUTHBEARER_TOKEN and .* are both set/],
  [
    { ...CLIENT, KAFKA_SASL_USERNAME: 'me' },
    /^KAFKA_SASL_USERNAME means nothing where KAFKA_SASL_MECHANISM is oauthbearer: unset it$/,
  ],
  [{ ...CLIENT, [`${OAUTH}_EXTENSIONS`]: 'a' }, /^KAFKA_SASL_OAUTHBEARER_EXTENSIONS="a": expected name=value/],
  [
    { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'a', KAFKA_SASL_PASSWORD: 'b', [`${OAUTH}_SCOPE`]: 'c' },
    /^KAFKA_SASL_OAUTHBEARER_SCOPE means nothing where KAFKA_SASL_MECHANISM is plain: unset it$/,
  ],
  [
    { KAFKA_SASL_MECHANISM: 'aws-msk-iam', AWS_REGION: 'eu-central-1' },
    /^KAFKA_SASL_MECHANISM=aws-msk-iam needs the package aws-msk-iam-sasl-signer-js, which is not installed: npm install aws-msk-iam-sasl-signer-js/,
  ],
];

for (const [env, problem] of wrong) {
  test(`refused: ${Object.keys(env).join(' ')}`, () => {
    const problems = problemsOf(env);
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0]!, problem);
    assert.doesNotMatch(problems[0]!, /hunter2/);
  });
}

test('an IAM token needs a region', () => {
  assert.match(problemsOf({ KAFKA_SASL_MECHANISM: 'aws-msk-iam' }).join('\n'), /^AWS_REGION is not set/);
});
