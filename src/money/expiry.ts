/** Certificates and tokens of this process: what of them ends when, as metrics, and in the log before it happens. */
import { Gauge, type Registry } from 'prom-client';
import { certificateExpiry, expiryWarning, type Expiring } from '../engine/process/expiry.ts';
import { messageOf } from '../engine/errors.ts';
import { givenToken } from '../engine/http/token-source.ts';
import type { Logger } from '../engine/log.ts';
import { currentOf, type Fresh } from '../engine/process/secret-file.ts';
import { temporalConnectionOptions } from '../engine/temporal/connection.ts';
import type { Config } from './config.ts';
import type { ServiceAccess } from './config/service-access.ts';

type Credentials = Pick<Config, 'kafka' | 'sessionServiceAccess' | 'schemaRegistryAccess' | 'secretFiles'>;

/** As they are now: what was renewed on disk is looked at anew. */
export function expiringOf(config: Credentials, env: NodeJS.ProcessEnv): Expiring[] {
  const { kafka } = config;
  const { connection, apiKey } = temporalConnectionOptions(env);
  const tls = typeof connection.tls === 'object' && connection.tls !== null ? connection.tls : {};
  const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString());
  const key = apiKey ?? (typeof connection.apiKey === 'string' ? connection.apiKey : undefined);
  const life = kafka?.sasl !== undefined && 'token' in kafka.sasl ? kafka.sasl.life?.() : undefined;
  return [
    certificate('kafka-ca', kafka?.sslCa),
    certificate('kafka-client', kafka?.sslCert),
    token('kafka', life),
    certificate('temporal-ca', text(tls.serverRootCACertificate ?? undefined)),
    certificate('temporal-client', text(tls.clientCertPair?.crt)),
    token('temporal', key === undefined ? undefined : givenToken(key)),
    ...ofService('session-service', config.sessionServiceAccess),
    ...ofService('schema-registry', config.schemaRegistryAccess),
  ].filter((one) => one !== undefined);
}

function ofService(name: string, access: ServiceAccess | undefined): (Expiring | undefined)[] {
  return [
    certificate(`${name}-ca`, access?.tls?.ca),
    certificate(`${name}-client`, access?.tls?.cert),
    token(name, access?.tokens),
  ];
}

function certificate(name: string, pem: Fresh | undefined): Expiring | undefined {
  return pem === undefined ? undefined : certificateExpiry(name, currentOf(pem));
}

function token(
  name: string,
  life: { readonly issuedAt: number | undefined; readonly expiresAt: number | undefined } | undefined,
): Expiring | undefined {
  return life?.expiresAt === undefined
    ? undefined
    : { kind: 'token', name, expiresAt: life.expiresAt, issuedAt: life.issuedAt };
}

/**
 * Asks anew for the tokens that this process renews, where their time has come: a connection asks only when it is made, and a token
 * that nobody asks for is no sign of trouble. Resolves with what could not be had.
 */
async function renewTokens({ kafka, sessionServiceAccess, schemaRegistryAccess }: Credentials): Promise<string[]> {
  const sasl = kafka?.sasl !== undefined && 'token' in kafka.sasl ? kafka.sasl : undefined;
  const sources = [
    { name: 'kafka', known: sasl?.life?.().expiresAt, token: sasl?.token },
    ...[
      { name: 'session-service', source: sessionServiceAccess?.tokens },
      { name: 'schema-registry', source: schemaRegistryAccess?.tokens },
    ].map(({ name, source }) => ({ name, known: source?.expiresAt, token: source && (() => source.token()) })),
  ];
  const problems = await Promise.all(
    sources.map(async ({ name, known, token }) => {
      // One that was never asked for is not wanted yet.
      if (known === undefined || token === undefined) return undefined;
      return token().then(
        () => undefined,
        (error: unknown) => `the token ${name} cannot be renewed: ${messageOf(error)}`,
      );
    }),
  );
  return problems.filter((one) => one !== undefined);
}

/** ms between two looks */
const LOOKS = 60_000;
/** ms after which a line that still holds is said again */
const SAID_AGAIN = 86_400_000;

export interface ExpiryWatchOptions {
  readonly registry: Registry;
  readonly config: Credentials;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  /** Epoch ms. */
  readonly now?: () => number;
}

/** Looks at once, and every minute for as long as the process runs. The metrics are those of the last look. */
export function watchExpiry(options: ExpiryWatchOptions): void {
  const look = expiryLook(options);
  void look();
  setInterval(() => void look(), LOOKS).unref();
}

export function createExpiryMetrics(registry: Registry): Readonly<Record<Expiring['kind'], Gauge<'name'>>> {
  const gauge = (kind: Expiring['kind']) =>
    new Gauge({
      name: `money_enrichment_${kind}_expires_timestamp_seconds`,
      help: `When a ${kind} of a connection ends, in seconds since 1970; of several in one file, the first one`,
      labelNames: ['name'] as const,
      registers: [registry],
    });
  return { certificate: gauge('certificate'), token: gauge('token') };
}

/** The look never rejects. */
export function expiryLook({ registry, config, env, logger, now = Date.now }: ExpiryWatchOptions): () => Promise<void> {
  const gauges = createExpiryMetrics(registry);
  const said = new Map<string, number>();

  function say(what: string, line: string): void {
    if (now() - (said.get(what) ?? -Infinity) < SAID_AGAIN) return;
    said.set(what, now());
    logger.warn(line);
  }

  return async () => {
    for (const problem of await renewTokens(config)) say(problem, problem);
    const all = expiringOf(config, env);
    gauges.certificate.reset();
    gauges.token.reset();
    for (const one of all) {
      gauges[one.kind].set({ name: one.name }, Math.floor(one.expiresAt / 1_000));
      const line = expiryWarning(one, now());
      if (line !== undefined) say(`${one.kind} ${one.name} ${one.expiresAt}`, line);
    }
    for (const { variable, problem } of config.secretFiles ?? []) {
      if (problem === undefined) said.delete(variable);
      else say(variable, `the file of ${variable} cannot be used (${problem}): what it had before goes on counting`);
    }
  };
}
