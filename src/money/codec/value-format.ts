/** What ENRICHMENT_VALUE_FORMAT means for the processes: how values are read, and how outputs are written. */
import type { Clock } from '../../engine/clock.ts';
import { createAvroEncoder, outputRecordName, outputSchema } from './avro-output.ts';
import { outputTypeOf } from './foreign-output-schema.ts';
import { encodeOutput } from './output-record.ts';
import { jsonDecoders, type DecoderSource } from '../../engine/values/value.ts';
import type { Config } from '../config.ts';
import type { SchemaRegistryConfig } from '../config/schema-registry.ts';
import { CodedError } from '../../engine/errors.ts';
import type { Logger } from '../../engine/log.ts';
import type { EncodeOutput } from '../../engine/publish/group-commit.ts';
import { createAvroDecoders } from '../../engine/schema-registry/avro-decoders.ts';
import { createSchemaRegistry, type SchemaRegistry } from '../../engine/schema-registry/client.ts';
import type { Output } from '../domain/events.ts';

type FormatConfig = Pick<Config, 'valueFormat' | 'schemaRegistry' | 'schemaRegistryAccess' | 'topics'>;

/** ms after which a worker that cannot get the id of its schema gives up starting */
const REGISTER_FOR = 30_000;
const REGISTER_PAUSE = 1_000;

/** Only with values in Avro, where the configuration has one. */
export function schemaRegistryOf({
  schemaRegistry,
  schemaRegistryAccess,
}: Pick<Config, 'schemaRegistry' | 'schemaRegistryAccess'>): SchemaRegistry {
  return createSchemaRegistry(schemaRegistry!.urls, schemaRegistryAccess);
}

export function inputDecoders(config: Omit<FormatConfig, 'topics'>, clock: Clock): DecoderSource {
  if (config.valueFormat === 'json') return jsonDecoders;
  return createAvroDecoders(schemaRegistryOf(config), clock);
}

/** Where the output's schema is in the registry, by the strategies that consumers know. */
export function outputSubject({ topics, schemaRegistry }: Pick<Config, 'topics' | 'schemaRegistry'>): string {
  const subject = schemaRegistry?.subject ?? { strategy: 'TopicNameStrategy' };
  if ('name' in subject) return subject.name;
  switch (subject.strategy) {
    case 'TopicNameStrategy':
      return `${topics.output}-value`;
    case 'RecordNameStrategy':
      return outputRecordName();
    case 'TopicRecordNameStrategy':
      return `${topics.output}-${outputRecordName()}`;
    default:
      return subject.strategy satisfies never;
  }
}

/**
 * Gets the id of the output's schema first; the same again is the same id. After that the registry is not needed any
 * more. Errors: UNREACHABLE, CONFIG (the registry refuses it, or has none that fits).
 */
export async function outputEncoder(config: FormatConfig, clock: Clock, logger: Logger): Promise<EncodeOutput<Output>> {
  if (config.valueFormat === 'json') return encodeOutput;
  const registry = schemaRegistryOf(config);
  const subject = outputSubject(config);
  const until = clock.elapsed() + REGISTER_FOR;
  for (;;) {
    try {
      return await encoderOf(registry, subject, config.schemaRegistry!.outputSchema, logger);
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'UNREACHABLE' || clock.elapsed() >= until) throw error;
      logger.warn({ subject, error: error.message }, 'the schema of the output has no id yet');
      await clock.sleep(REGISTER_PAUSE);
    }
  }
}

async function encoderOf(
  registry: SchemaRegistry,
  subject: string,
  how: SchemaRegistryConfig['outputSchema'],
  logger: Logger,
): Promise<EncodeOutput<Output>> {
  switch (how) {
    case 'register': {
      const schemaId = await registry.register(subject, outputSchema());
      logger.info({ subject, schemaId }, 'the schema of the output is registered');
      return createAvroEncoder(schemaId);
    }
    case 'find': {
      const schemaId = await found(registry, subject);
      logger.info({ subject, schemaId }, 'the schema of the output is in the registry');
      return createAvroEncoder(schemaId);
    }
    case 'latest': {
      const { id: schemaId, version, text, references } = await registry.latest(subject);
      const fit = outputTypeOf(text, references);
      if ('unfit' in fit) {
        throw new CodedError(
          'CONFIG',
          `the outputs cannot be written with version ${version} of ${subject}, the latest in the schema registry at ${registry.address}: ` +
            `${fit.unfit}. Register a version that has all of schemas/money-enriched.avsc, and defaults for what it adds`,
        );
      }
      logger.info({ subject, schemaId, version }, 'the outputs are written with the latest schema of their subject');
      return createAvroEncoder(schemaId, fit.type);
    }
    default:
      return how satisfies never;
  }
}

async function found(registry: SchemaRegistry, subject: string): Promise<number> {
  try {
    return await registry.find(subject, outputSchema());
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'CONFIG') throw error;
    throw new CodedError(
      'CONFIG',
      `${error.message}, and SCHEMA_REGISTRY_AUTO_REGISTER=false: register schemas/money-enriched.avsc there`,
      { cause: error },
    );
  }
}
