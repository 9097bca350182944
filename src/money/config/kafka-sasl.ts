/** Variables `KAFKA_SASL_*`: how a connection to Kafka says who it is. */
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';
import { securedFetch } from '../../engine/http/fetch.ts';
import { clientCredentials, givenToken, type TokenSource } from '../../engine/http/token-source.ts';
import type { Sasl } from '../../engine/kafka/kafka-config.ts';
import { hasMskIam, MSK_IAM_PACKAGE, mskIamToken } from '../../engine/kafka/msk-iam.ts';

const MECHANISM = 'KAFKA_SASL_MECHANISM';
const USERNAME = 'KAFKA_SASL_USERNAME';
const PASSWORD = 'KAFKA_SASL_PASSWORD';
const OAUTH = 'KAFKA_SASL_OAUTHBEARER';
const TOKEN = `${OAUTH}_TOKEN`;
const EXTENSIONS = `${OAUTH}_EXTENSIONS`;
const CLIENT = [`${OAUTH}_TOKEN_ENDPOINT_URL`, `${OAUTH}_CLIENT_ID`, `${OAUTH}_CLIENT_SECRET`] as const;
const SCOPE = `${OAUTH}_SCOPE`;
const REGION = 'AWS_REGION';

/** All variables, but for the region, which is not ours. */
export const SASL: readonly string[] = [MECHANISM, USERNAME, PASSWORD, TOKEN, ...CLIENT, SCOPE, EXTENSIONS];

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer', 'aws-msk-iam'] as const;

export function readSasl(read: EnvironmentReader): Sasl | undefined {
  if (/^(gssapi|kerberos)$/i.test(read.text(MECHANISM, ''))) {
    read.add(
      `${MECHANISM}: Kerberos (GSSAPI) is not supported, as no client of Kafka for Node without native libraries has it: let the brokers take ${MECHANISMS.join(', ')} or client certificates, too`,
    );
    return undefined;
  }
  const mechanism = read.oneOf(MECHANISM, MECHANISMS, 'plain');
  const set = SASL.filter((name) => read.isSet(name));
  if (set.length === 0) return undefined;
  const passwords = mechanism !== 'oauthbearer' && mechanism !== 'aws-msk-iam';
  const foreign = set.filter((name) => name !== MECHANISM && (name === USERNAME || name === PASSWORD) !== passwords);
  if (read.isSet(MECHANISM)) {
    for (const name of foreign) read.add(`${name} means nothing where ${MECHANISM} is ${mechanism}: unset it`);
  }
  if (mechanism === 'aws-msk-iam') return readMskIam(read);
  if (mechanism === 'oauthbearer') return readOauthBearer(read);
  const names = [MECHANISM, USERNAME, PASSWORD];
  for (const name of names) if (!read.isSet(name)) read.missing(name, `all of ${names.join(', ')}, or none`);
  return { mechanism, username: read.text(USERNAME, ''), password: read.freshSecret(PASSWORD) ?? '' };
}

function readOauthBearer(read: EnvironmentReader): Sasl | undefined {
  const extensions = readExtensions(read);
  const source = readToken(read);
  return source === undefined ? undefined : { ...oauthBearer(source), ...(extensions && { extensions }) };
}

function readToken(read: EnvironmentReader): TokenSource | undefined {
  const [tokenUrl, clientId, clientSecret, scope] = [
    read.url(CLIENT[0]),
    read.text(CLIENT[1], ''),
    read.freshSecret(CLIENT[2]),
    read.text(SCOPE, ''),
  ];
  const token = read.freshSecret(TOKEN);
  const asked = [...CLIENT, SCOPE].filter((name) => read.isSet(name));
  if (read.isSet(TOKEN)) {
    if (asked.length > 0) {
      read.add(`${TOKEN} and ${asked.join(', ')} are both set: expected a token, or what asks for one`);
    }
    return token === undefined ? undefined : givenToken(token);
  }
  for (const name of CLIENT) {
    if (!read.isSet(name)) {
      read.missing(name, `all of ${CLIENT.join(', ')}, or a token in ${TOKEN}_FILE, as ${MECHANISM} is oauthbearer`);
    }
  }
  if (tokenUrl === undefined || clientSecret === undefined || clientId === '') return undefined;
  return clientCredentials({
    tokenUrl,
    clientId,
    clientSecret,
    ...(scope === '' ? {} : { scope }),
    fetch: securedFetch({ prefix: 'KAFKA' }),
  });
}

/** `name=value`, several separated by commas, as librdkafka has them. */
function readExtensions(read: EnvironmentReader): Readonly<Record<string, string>> | undefined {
  const text = read.text(
    EXTENSIONS,
    '',
    /^[A-Za-z]+=[\x21-\x2b\x2d-\x7e]+(,[A-Za-z]+=[\x21-\x2b\x2d-\x7e]+)*$|^$/,
    'name=value, several separated by commas',
  );
  if (text === '') return undefined;
  return Object.fromEntries(
    text.split(',').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

function readMskIam(read: EnvironmentReader): Sasl | undefined {
  if (!read.isSet(REGION)) read.missing(REGION, `the region of the cluster, as ${MECHANISM} is aws-msk-iam`);
  const region = read.text(REGION, '', /^[a-z0-9-]{0,40}$/, 'a region such as eu-central-1');
  if (!hasMskIam()) {
    read.add(
      `${MECHANISM}=aws-msk-iam needs the package ${MSK_IAM_PACKAGE}, which is not installed: npm install ${MSK_IAM_PACKAGE}, beside this one`,
    );
    return undefined;
  }
  return oauthBearer(mskIamToken(region));
}

function oauthBearer(source: TokenSource): Sasl {
  return {
    mechanism: 'oauthbearer',
    token: () => source.token(),
    refused: () => source.refused(),
    life: () => ({ issuedAt: source.issuedAt, expiresAt: source.expiresAt }),
  };
}
