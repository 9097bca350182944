/**
 * A real schema registry on this machine: Apicurio Registry, which speaks the API of Confluent's, as its project publishes
 * it on Maven Central. 127.0.0.1 only, one child process.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../engine/errors.ts';
import { cached } from './cache.ts';
import { findJava } from './kafka-jars.ts';
import { LOOPBACK, freePorts } from './ports.ts';
import { findProgram, runProgram, startChild, type Child } from './processes.ts';
import type { Log } from './log.ts';

/** The last one that runs on Java 17. */
const VERSION = '3.0.9';
const MEGABYTES = 109;
/** Where it speaks the API of Confluent's registry. */
const API = '/apis/ccompat/v7';
const START_TIMEOUT_MS = 120_000;
const POLL_MS = 100;
const OTHERWISE = 'or set SCHEMA_REGISTRY_URL to a running schema registry';

export interface DevSchemaRegistry {
  readonly url: string;
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

export interface SchemaRegistryOptions {
  /** Keeps the schemas there; in memory when absent. */
  readonly dataDir?: string;
  readonly log: Log;
  /** Aborting it during the start leaves nothing running. */
  readonly signal?: AbortSignal | undefined;
}

/** Answers when it resolves. Errors: MISSING_PROGRAM; UNREACHABLE when it does not come up. */
export async function startSchemaRegistry(options: SchemaRegistryOptions): Promise<DevSchemaRegistry> {
  const { dataDir, signal } = options;
  const java = await findJava('the schema registry', OTHERWISE, signal);
  const folder = await cached(`apicurio-registry-${VERSION}`, (into) => fetchRegistry(into, options), {
    signal,
    onWait: () => options.log('Waiting for another process that is fetching the schema registry ...'),
  });
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true });
  const [port = 0] = await freePorts(1);
  signal?.throwIfAborted();
  const output: string[] = [];
  const child = startChild(java, arguments_(folder, port, dataDir), {
    name: 'schema registry',
    onLine: (line) => {
      output.push(line);
      if (output.length > 50) output.shift();
    },
  });
  const url = `http://${LOOPBACK}:${port}${API}`;
  try {
    await untilReady(child, url, signal);
  } catch (error) {
    await child.stop();
    if (signal?.aborted) throw error;
    throw new CodedError(
      'UNREACHABLE',
      `The schema registry (Apicurio ${VERSION}) did not start: ${output.join('\n').slice(-1000)}`,
      { cause: error },
    );
  }
  return { url, pid: child.pid, exited: child.exited, stop: () => child.stop() };
}

function arguments_(folder: string, port: number, dataDir: string | undefined): string[] {
  const settings = {
    'quarkus.http.host': LOOPBACK,
    'quarkus.http.port': String(port),
    'quarkus.http.access-log.enabled': 'false',
    ...(dataDir === undefined ? {} : { 'apicurio.datasource.url': `jdbc:h2:file:${join(dataDir, 'registry')}` }),
  };
  return [
    ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
    ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
    ...['-jar', join(folder, `apicurio-registry-app-${VERSION}-runner.jar`)],
  ];
}

async function untilReady(child: Child, url: string, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    signal?.throwIfAborted();
    if (!child.running) throw new Error('it exited');
    if (performance.now() > deadline) throw new Error(`not ready after ${START_TIMEOUT_MS} ms`);
    if (await answers(`${url}/subjects`)) return;
    await sleep(POLL_MS, undefined, signal ? { signal } : {});
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    // Not yet: the caller knows when to give up.
    return false;
  }
}

async function fetchRegistry(into: string, { log, signal }: SchemaRegistryOptions): Promise<void> {
  const maven = findProgram('mvn');
  if (maven === undefined) {
    throw new CodedError(
      'MISSING_PROGRAM',
      `The schema registry is not in the cache and there is no Maven (mvn) on the PATH to fetch it. Install Maven (Debian: apt-get install maven), ${OTHERWISE}.`,
    );
  }
  log(`Fetching the schema registry, Apicurio ${VERSION} (once, about ${MEGABYTES} MB) ...`);
  const artifact = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`;
  const args = ['-B', '-q', 'dependency:unpack', `-Dartifact=${artifact}`, `-DoutputDirectory=${into}`];
  const { code, stdout, stderr } = await runProgram(maven, args, { cwd: into, signal });
  if (code !== 0 || !(await readdir(into)).includes(`apicurio-registry-app-${VERSION}-runner.jar`)) {
    const reason = /\[ERROR\] (.*)/.exec(stdout + stderr)?.[1] ?? `${stdout}${stderr}`.trim().slice(-500);
    throw new CodedError(
      'MISSING_PROGRAM',
      `Maven could not fetch ${artifact} (exit code ${code}): ${reason} Check that Maven reaches its repository, ${OTHERWISE}.`,
    );
  }
}
