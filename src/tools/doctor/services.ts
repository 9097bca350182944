/** Temporal, the session service and the schema registry. */
import { notFoundOf, refusalOf } from '../../../activities/session-service.ts';
import type { Config } from '../../money/config.ts';
import { CodedError, messageOf } from '../../engine/errors.ts';
import { currentVersion } from '../nudge/current-version.ts';
import type { Clock } from '../../engine/clock.ts';
import { silentLogger } from '../../engine/log.ts';
import { outputEncoder, outputSubject, schemaRegistryOf } from '../../money/codec/value-format.ts';
import { encryptionOf } from '../../money/config/encryption.ts';
import { connectTemporal, within, type TemporalClient } from '../../engine/temporal/connection.ts';
import { failed, ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';
import { namespaceFindings } from './namespace.ts';
import { checkPaused } from './paused.ts';

/** A session that does not exist: the service is to answer 404, or 200 if it knows them all. */
const NOBODY = '00000000-0000-0000-0000-000000000000';
const NAMESPACE_TIMEOUT = 10_000;
/** NAMESPACE_STATE_REGISTERED */
const REGISTERED = 1;

export async function checkTemporal(config: Config, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  if (!config.temporalConfigured) return [];
  let temporal: TemporalClient;
  try {
    temporal = await connectTemporal(env, encryptionOf(config, silentLogger()));
  } catch (error) {
    return [failed('Temporal', messageOf(error))];
  }
  const { address, namespace, connection } = temporal;
  const subject = `namespace ${namespace}`;
  try {
    return await within(NAMESPACE_TIMEOUT, connection, async () => {
      const { serverVersion } = await connection.workflowService.getSystemInfo({});
      const findings = [ok('Temporal', `${address} answers: server ${serverVersion}`)];
      try {
        const { config: settings, namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
        const limit = namespaceInfo?.limits?.blobSizeLimitError;
        findings.push(
          ...namespaceFindings(subject, {
            retention: Number(settings?.workflowExecutionRetentionTtl?.seconds ?? 0),
            blobLimit: limit === undefined || limit === null ? undefined : Number(limit),
            registered: (namespaceInfo?.state ?? REGISTERED) === REGISTERED,
          }),
        );
      } catch (error) {
        findings.push(namespaceFinding(subject, error));
        return findings;
      }
      findings.push(...(await checkPaused(temporal.client.workflow, config.appId)));
      if (config.deployment !== undefined) findings.push(await deploymentFinding(temporal, config.deployment));
      return findings;
    });
  } catch (error) {
    return [failed('Temporal', `${address}: ${detailsOf(error)}`)];
  } finally {
    await connection.close();
  }
}

/** Before its first version is the current one, no workflow runs. */
async function deploymentFinding({ client, namespace }: TemporalClient, deployment: string): Promise<Finding> {
  const subject = `deployment ${deployment}`;
  try {
    return ok(subject, `current version ${await currentVersion(client, namespace, deployment)}`);
  } catch (error) {
    return error instanceof CodedError ? warning(subject, error.message) : failed(subject, detailsOf(error));
  }
}

function namespaceFinding(subject: string, error: unknown): Finding {
  const { code } = error as { code?: unknown };
  const NOT_FOUND = 5;
  const PERMISSION_DENIED = 7;
  if (code === NOT_FOUND) return failed(subject, 'it does not exist: create it, or set TEMPORAL_NAMESPACE');
  if (code === PERMISSION_DENIED) return warning(subject, 'this key may not describe it, so it is not checked');
  return failed(subject, detailsOf(error));
}

function detailsOf(error: unknown): string {
  const { details } = error as { details?: unknown };
  return typeof details === 'string' && details !== '' ? details : messageOf(error);
}

export async function checkSessionService(config: Config): Promise<Finding[]> {
  const { sessionServiceUrl, lookupTimeout } = config;
  const send = config.sessionServiceAccess?.fetch ?? fetch;
  if (sessionServiceUrl === undefined) return [];
  const url = `${sessionServiceUrl}/sessions/${NOBODY}`;
  const subject = 'session service';
  const started = performance.now();
  try {
    const response = await send(url, {
      redirect: 'manual',
      signal: AbortSignal.timeout(Math.max(lookupTimeout, 5_000)),
    });
    const notFound = response.status === 404 ? await notFoundOf(response) : undefined;
    if (notFound === undefined) await response.body?.cancel();
    const took = Math.round(performance.now() - started);
    const answer = `GET ${url} answers ${response.status} after ${took} ms`;
    if (response.status !== 200 && response.status !== 404) {
      return [failed(subject, `${answer}, expected 200 or 404${refusalOf(response.status)}`)];
    }
    if (notFound?.stranger !== undefined) {
      return [
        failed(
          subject,
          `${answer} with ${notFound.stranger}, which is not the service's: its lookups get no answer. Check ENRICHMENT_SESSION_SERVICE_URL and what stands before the service`,
        ),
      ];
    }
    if (notFound?.isText === true) {
      return [
        warning(
          subject,
          `${answer} with a text that is not JSON: is that the service's word for a session that does not exist, or is the path wrong? Check ENRICHMENT_SESSION_SERVICE_URL`,
        ),
      ];
    }
    if (took > lookupTimeout) return [warning(subject, `${answer}, longer than ENRICHMENT_LOOKUP_TIMEOUT`)];
    return [ok(subject, answer)];
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return [failed(subject, `GET ${url} (ENRICHMENT_SESSION_SERVICE_URL): ${messageOf(cause)}`)];
  }
}

/** Only where values are Avro. Registers nothing: that the worker may is seen when it starts. */
export async function checkSchemaRegistry(config: Config): Promise<Finding[]> {
  const { valueFormat, schemaRegistry } = config;
  if (valueFormat === 'json' || schemaRegistry === undefined) return [];
  const subject = 'schema registry';
  const registry = schemaRegistryOf(config);
  const doing = { register: 'registers', find: 'looks up', latest: 'takes the latest schema of' } as const;
  try {
    const subjects = await registry.subjects();
    const answers = `${registry.address} answers: ${subjects} subjects`;
    const worker = `the worker ${doing[schemaRegistry.outputSchema]} ${outputSubject(config)}`;
    if (schemaRegistry.outputSchema !== 'register') await outputEncoder(config, ONCE, silentLogger());
    return [ok(subject, `${answers}; ${worker}`)];
  } catch (error) {
    return [failed(subject, messageOf(error))];
  }
}

/** A clock at which there is no time to try again. */
const ONCE: Clock = { elapsed: () => Infinity, now: Date.now, sleep: async () => undefined };
