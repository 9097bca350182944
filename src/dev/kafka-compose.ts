/** The Kafka of docker-compose.yml, for machines without Java and Maven. Its data goes with it when it is stopped. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CodedError } from '../engine/errors.ts';
import type { KafkaBroker, KafkaBrokerOptions } from './kafka-broker.ts';
import { coordinatorsReady } from './kafka-ready.ts';
import { LOOPBACK, freePorts } from './ports.ts';
import { findProgram, runProgram, startChild } from './processes.ts';

const START_TIMEOUT_MS = 300_000; // with the image's download

/** docker-compose.yml of this checkout or package; undefined when it is not there. */
export function composeFile(): string | undefined {
  return ['../../docker-compose.yml', '../../../docker-compose.yml']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
}

export async function dockerAnswers(signal?: AbortSignal): Promise<boolean> {
  const docker = findProgram('docker');
  if (docker === undefined) return false;
  const info = await runProgram(docker, ['info'], { signal });
  if (info.code !== 0) return false;
  return (await runProgram(docker, ['compose', 'version'], { signal })).code === 0;
}

/** Errors: UNREACHABLE when it does not come up. */
export async function startComposeKafka(file: string, options: KafkaBrokerOptions): Promise<KafkaBroker> {
  const [free = 0] = await freePorts(1);
  const port = options.port ?? free;
  const compose = ['compose', '-p', `money-enrichment-${process.pid}`, '-f', file];
  const env = { ...process.env, KAFKA_PORT: String(port) };
  const output: string[] = [];
  // In the foreground: compose stops the container when it gets SIGTERM, also when we were killed.
  const child = startChild('docker', [...compose, 'up', '--no-deps', 'kafka'], {
    name: 'docker compose',
    env,
    onLine: (line) => {
      output.push(line);
      if (output.length > 20) output.shift();
    },
  });
  const remove = async (): Promise<void> => {
    await child.stop(30_000);
    await runProgram('docker', [...compose, 'down', '--volumes'], { env });
  };
  const gone = new AbortController();
  void child.exited.then(() => gone.abort(new Error('it exited')));
  try {
    const signals = [gone.signal, AbortSignal.timeout(START_TIMEOUT_MS), ...(options.signal ? [options.signal] : [])];
    await coordinatorsReady(LOOPBACK, port, AbortSignal.any(signals));
  } catch (error) {
    await remove();
    if (options.signal?.aborted) throw error;
    throw new CodedError('UNREACHABLE', `The Kafka of ${file} did not start: ${output.slice(-3).join('\n')}`, {
      cause: error,
    });
  }
  return { brokers: [`${LOOPBACK}:${port}`], pid: child.pid, exited: child.exited, stop: remove, kill: child.kill };
}
