/** What almost every command begins with: environment, configuration, log. */
import type { Config, ConfigRequirements } from '../money/config.ts';
import type { KafkaConfig } from '../engine/kafka/kafka-config.ts';
import { loadConfig, readEnvironment } from '../money/config.ts';
import { CodedError, messageOf } from '../engine/errors.ts';
import { inspectCluster } from '../money/topics/inspect.ts';
import { createLogger } from '../engine/log.ts';
import type { Logger } from '../engine/log.ts';
import { serviceFields } from './service-fields.ts';

export interface Context {
  readonly env: NodeJS.ProcessEnv;
  readonly config: Config;
  readonly logger: Logger;
}

/**
 * `quiet`: a command that people read shows warnings only, unless a level is configured. `service`: of a process whose log is
 * collected: its lines say which one it is of.
 */
export function createContext(
  requirements: ConfigRequirements = {},
  options: { readonly quiet?: boolean; readonly service?: string } = {},
): Context {
  const env = readEnvironment(process.cwd());
  const config = loadConfig(env, requirements);
  const quiet = options.quiet === true && (env['ENRICHMENT_LOG_LEVEL'] ?? '') === '';
  const { service } = options;
  return {
    env,
    config,
    logger: createLogger({
      level: quiet ? 'error' : config.logLevel,
      ...(config.logFormat && { format: config.logFormat }),
      ...(service !== undefined && { base: serviceFields(service) }),
    }),
  };
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
