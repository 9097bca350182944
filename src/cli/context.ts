/** What almost every command begins with: environment, configuration, log. */
import type { Config, ConfigRequirements } from '../money/config.ts';
import { encryptionOf } from '../money/config/encryption.ts';
import type { KafkaConfig } from '../engine/kafka/kafka-config.ts';
import { loadConfig, readEnvironment } from '../money/config.ts';
import { CodedError, messageOf } from '../engine/errors.ts';
import { inspectCluster } from '../money/topics/inspect.ts';
import { createLogger } from '../engine/log.ts';
import type { Logger } from '../engine/log.ts';

export interface Context {
  readonly env: NodeJS.ProcessEnv;
  readonly config: Config;
  readonly logger: Logger;
  /** Of payloads in Temporal. */
  readonly encryption: ReturnType<typeof encryptionOf>;
}

/** `quiet`: a command that people read shows warnings only, unless a level is configured. */
export function createContext(
  requirements: ConfigRequirements = {},
  options: { readonly quiet?: boolean } = {},
): Context {
  const env = readEnvironment(process.cwd());
  const config = loadConfig(env, requirements);
  const quiet = options.quiet === true && (env['ENRICHMENT_LOG_LEVEL'] ?? '') === '';
  const logger = createLogger({ level: quiet ? 'error' : config.logLevel });
  return { env, config, logger, encryption: encryptionOf(config, logger) };
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

/** For readiness: whether the keyring can still be used as it is. */
export function keyringPart({
  keys,
}: Context['encryption']): Readonly<Record<string, { readonly problem: string | null }>> {
  return keys === undefined ? {} : { encryptionKeys: keys };
}
