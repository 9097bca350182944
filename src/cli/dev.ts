/** `dev`: the system on this machine until it is told to stop. stdout has the line READY and nothing else. */
import { Command } from 'commander';
import { loadConfig, readEnvironment } from '../money/config.ts';
import type { Config } from '../money/config.ts';
import { CodedError } from '../engine/errors.ts';
import { result } from './document.ts';
import { DEFAULT_SHARDS } from '../money/topics/missing-topics.ts';
import { ensureTopics } from '../money/topics/topics.ts';
import { describeDevelopment, startDevelopment } from '../dev/development.ts';
import { isAbort } from '../dev/together.ts';
import { createLogger } from '../engine/log.ts';
import { temporalConnectionOptions } from '../engine/temporal/connection.ts';

const MAX_PARTITIONS = 1_000;

interface DevOptions {
  readonly infra?: boolean;
  readonly avro?: boolean;
  readonly partitions: number;
  readonly data?: string;
}

export function devCommand(): Command {
  return new Command('dev')
    .description(
      'run everything on this machine for development: Kafka, Temporal with its UI, topics, stand-in session service, worker and bridge',
    )
    .option('--infra', 'only what is around the product: Kafka, Temporal, topics, stand-in session service')
    .option('--avro', 'values in Avro, with a schema registry (the same as ENRICHMENT_VALUE_FORMAT=avro)')
    .option('--partitions <n>', 'partitions of the topics that are created', parsePartitions, 4)
    .option('--json', 'at the end one JSON document: the addresses; READY goes to stderr')
    .option('--data <dir>', 'keep the data there between runs (default: a fresh folder, removed at the end)')
    .addHelpText(
      'after',
      `
Uses the Kafka of KAFKA_BROKERS, the Temporal of TEMPORAL_ADDRESS and, with values in Avro, the schema registry of
SCHEMA_REGISTRY_URL where they are set and starts those that are not.
Prints one line READY {json} on stdout when all is up. Ctrl-C (SIGINT) or SIGTERM stops everything that it started.`,
    )
    .action(dev);
}

export function parsePartitions(text: string): number {
  const partitions = Number(text);
  if (/^\d+$/.test(text) && partitions >= 1 && partitions <= MAX_PARTITIONS) return partitions;
  throw new CodedError('CONFIG', `--partitions is "${text}": give a whole number from 1 to ${MAX_PARTITIONS}.`);
}

async function dev(options: DevOptions): Promise<void> {
  const requested = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    if (!requested.signal.aborted) log(`Stopping (${signal}) ...`);
    requested.abort(new Error(`stopped by ${signal}`));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  try {
    await runUntilAborted(options, requested.signal);
  } catch (error) {
    if (!isAbort(error, requested.signal)) throw error;
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}

async function runUntilAborted(options: DevOptions, signal: AbortSignal): Promise<void> {
  const env = { ...readEnvironment(), ...(options.avro === true ? { ENRICHMENT_VALUE_FORMAT: 'avro' } : {}) };
  const config = loadConfig(env, { startsSchemaRegistry: true });
  const temporal = temporalConnectionOptions(env);
  const running = await startDevelopment({
    config,
    temporalAddress: temporal.address,
    temporalNamespace: temporal.namespace,
    infraOnly: options.infra === true,
    partitions: options.partitions,
    dataDir: options.data,
    createTopics: (kafka, partitions) => createTopics({ ...config, kafka }, partitions),
    log,
    signal,
  });
  try {
    process.stdout.write(`READY ${JSON.stringify(describeDevelopment(running))}\n`);
    log('All is up. Ctrl-C stops it.');
    await Promise.race([running.failed, aborted(signal)]);
    result(describeDevelopment(running), () => []);
  } finally {
    await running.stop();
  }
}

/** Errors: TOPIC when an existing topic does not fit. */
export async function createTopics(config: Config, partitions: number): Promise<void> {
  // What matters is thrown or reported; a client's first words with a new broker are no news.
  const logger = createLogger({ level: config.logLevel === 'info' ? 'error' : config.logLevel });
  const { created, findings } = await ensureTopics(config, logger, {
    partitions,
    shards: Math.min(partitions, DEFAULT_SHARDS),
    keepForever: true,
  });
  if (created.length > 0) log(`Created the topics ${created.join(', ')}.`);
  for (const { topic, message } of findings) log(`Topic ${topic}: ${message}.`);
  const wrong = findings.filter(({ level, latent }) => level === 'wrong' && latent !== true).map(({ topic }) => topic);
  if (wrong.length > 0) {
    throw new CodedError('TOPIC', `Topics that do not fit: ${wrong.join(', ')}; see above what to change.`);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
