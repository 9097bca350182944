/** What the session service and the schema registry demand: certificates, and a token, OAuth client credentials or a name and password. */
import { rootCertificates } from 'node:tls';
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';
import { currentOf, type Fresh } from '../../engine/process/secret-file.ts';
import type { TlsMaterial } from '../../engine/process/tls-material.ts';
import { securedFetch, type Authorization, type Fetch } from '../../engine/http/fetch.ts';
import { basic, bearer, clientCredentials, givenToken, type TokenSource } from '../../engine/http/token-source.ts';
import { readTls } from './tls.ts';

export interface ServiceAccess {
  readonly fetch: Fetch;
  readonly tls?: TlsMaterial;
  readonly tokens?: TokenSource;
}

const SESSION_SERVICE = 'ENRICHMENT_SESSION_SERVICE';
const REGISTRY = 'SCHEMA_REGISTRY';

export function readServiceAccess(read: EnvironmentReader): {
  readonly sessionServiceAccess?: ServiceAccess;
  readonly schemaRegistryAccess?: ServiceAccess;
} {
  const sessionService = accessOf(read, SESSION_SERVICE, undefined);
  const registry = accessOf(read, REGISTRY, `${REGISTRY}_BASIC_AUTH_USER_INFO`);
  return {
    ...(sessionService === undefined ? {} : { sessionServiceAccess: sessionService }),
    ...(registry === undefined ? {} : { schemaRegistryAccess: registry }),
  };
}

function accessOf(read: EnvironmentReader, prefix: string, userInfo: string | undefined): ServiceAccess | undefined {
  const tls = readTls(read, `${prefix}_SSL`);
  const url = `${prefix}_URL`;
  if (tls !== undefined && read.isSet(url) && !/^https:/i.test(read.text(url, ''))) {
    read.add(`${url}: expected an address that begins with https://, as ${prefix}_SSL_* is set`);
  }
  const tokens = readTokens(read, prefix, tls);
  const authorization = withUserInfo(read, prefix, userInfo) ?? (tokens === undefined ? undefined : bearer(tokens));
  if (tls === undefined && authorization === undefined) return undefined;
  return {
    fetch: securedFetch({
      prefix,
      ...(tls === undefined ? {} : { tls }),
      ...(authorization === undefined ? {} : { authorization }),
    }),
    ...(tls === undefined ? {} : { tls }),
    ...(tokens === undefined ? {} : { tokens }),
  };
}

function namesOf(prefix: string) {
  return {
    token: `${prefix}_TOKEN`,
    url: `${prefix}_OAUTH_TOKEN_URL`,
    id: `${prefix}_OAUTH_CLIENT_ID`,
    secret: `${prefix}_OAUTH_CLIENT_SECRET`,
    scope: `${prefix}_OAUTH_SCOPE`,
  } as const;
}

function readTokens(read: EnvironmentReader, prefix: string, tls: TlsMaterial | undefined): TokenSource | undefined {
  const names = namesOf(prefix);
  const token = read.freshSecret(names.token);
  const [tokenUrl, clientId, clientSecret, scope] = [
    read.url(names.url),
    read.text(names.id, ''),
    read.freshSecret(names.secret),
    read.text(names.scope, ''),
  ];
  const demanded = [names.url, names.id, names.secret];
  const asked = [...demanded, names.scope].filter((name) => read.isSet(name));
  if (read.isSet(names.token)) {
    if (asked.length > 0) {
      read.add(`${names.token} and ${asked.join(', ')} are both set: expected a token, or what asks for one`);
    }
    return token === undefined ? undefined : givenToken(token);
  }
  if (asked.length === 0) return undefined;
  for (const name of demanded) if (!read.isSet(name)) read.missing(name, `all of ${demanded.join(', ')}, or none`);
  if (tokenUrl === undefined || clientId === '' || clientSecret === undefined) return undefined;
  return clientCredentials({
    tokenUrl,
    clientId,
    clientSecret,
    ...(scope === '' ? {} : { scope }),
    fetch: securedFetch({ prefix, ...(/^https:/i.test(tokenUrl) ? alsoTrusted(tls?.ca) : {}) }),
  });
}

/**
 * The authorization server may be another company's: it is trusted by the authorities that everybody trusts, and by that of the
 * service. The client's certificate is for the service alone.
 */
function alsoTrusted(ca: Fresh | undefined): { readonly tls?: TlsMaterial } {
  return ca === undefined ? {} : { tls: { ca: () => [...rootCertificates, currentOf(ca)].join('\n') } };
}

/** `name:password`, under the name that Confluent's clients have for it. */
function withUserInfo(read: EnvironmentReader, prefix: string, name: string | undefined): Authorization | undefined {
  if (name === undefined) return undefined;
  const pair = read.freshSecret(name);
  if (pair === undefined) return undefined;
  if (!currentOf(pair).includes(':')) read.problem(name, 'name:password');
  const { token, url } = namesOf(prefix);
  for (const other of [token, url]) {
    if (read.isSet(other)) read.add(`${name} and ${other} are both set: expected one of them`);
  }
  return { header: async () => basic(currentOf(pair)), refused: () => undefined };
}
