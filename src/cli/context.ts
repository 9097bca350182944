/** What almost every command begins with: environment, configuration, log. */
import type { Config, ConfigRequirements } from '../money/config.ts';
import type { KafkaConfig } from '../engine/kafka/kafka-config.ts';
import { loadConfig, readEnvironment } from '../money/config.ts';
import { CodedError, messageOf } from '../engine/errors.ts';
import { inspectCluster } from '../money/topics/inspect.ts';
import { createLogger } from '../engine/log.ts';
import type { Logger } from '../engine/log.ts';
import { identityOf } from '../engine/temporal/identity.ts';

export interface Context {
  readonly env: NodeJS.ProcessEnv;
  readonly config: Config;
  readonly logger: Logger;
  /** Under which Temporal knows this process. */
  readonly identity: string;
}

/** `quiet`: a command that people read shows warnings only, unless a level is configured. */
export function createContext(
  requirements: ConfigRequirements = {},
  options: { readonly quiet?: boolean } = {},
): Context {
  const env = readEnvironment(process.cwd());
  const config = named(loadConfig(env, requirements));
  const quiet = options.quiet === true && (env['ENRICHMENT_LOG_LEVEL'] ?? '') === '';
  return {
    env,
    config,
    logger: createLogger({ level: quiet ? 'error' : config.logLevel }),
    identity: identityOf(nameOf(config)),
  };
}

/** Brokers log and limit the requests of each command by itself. */
export function named(config: Config): Config {
  return config.kafka === undefined ? config : { ...config, kafka: { ...config.kafka, clientId: nameOf(config) } };
}

function nameOf({ appId }: Config): string {
  return `${appId}-${commandIn(process.argv)}`;
}

/** What runs, as brokers and servers are told: the command, or `tool` where there is none. */
function commandIn(argv: readonly string[]): string {
  return argv.slice(2).find((argument) => /^[a-z][a-z-]*$/.test(argument)) ?? 'tool';
}

/** Finds out in seconds what a patient client would need half a minute for. Throws CodedError CONFIG or UNREACHABLE. */
export async function reachKafka({ config, logger }: Context): Promise<KafkaConfig> {
  const { kafka } = config;
  if (kafka === undefined) {
    throw new CodedError('CONFIG', 'KAFKA_BROKERS is not set: expected host:port of a Kafka broker');
  }
  try {
    await inspectCluster(config, kafka, logger);
  } catch (error) {
    const address = kafka.brokers.join(',');
    throw new CodedError('UNREACHABLE', `Kafka at "${address}" (KAFKA_BROKERS) cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return kafka;
}
