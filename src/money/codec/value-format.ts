/** What ENRICHMENT_VALUE_FORMAT means for the processes: how values are read, and how outputs are written. */
import type { Clock } from '../../engine/clock.ts';
import { createAvroEncoder, outputSchema } from './avro-output.ts';
import { encodeOutput } from './output-record.ts';
import { jsonDecoders, type DecoderSource } from '../../engine/values/value.ts';
import type { Config } from '../config.ts';
import { CodedError } from '../../engine/errors.ts';
import type { Logger } from '../../engine/log.ts';
import type { EncodeOutput } from '../../engine/publish/group-commit.ts';
import { createAvroDecoders } from '../../engine/schema-registry/avro-decoders.ts';
import { createSchemaRegistry } from '../../engine/schema-registry/client.ts';
import type { Output } from '../domain/events.ts';

type FormatConfig = Pick<Config, 'valueFormat' | 'schemaRegistryUrl' | 'schemaRegistryAccess' | 'topics'>;

/** ms after which a worker that cannot register its schema gives up starting */
const REGISTER_FOR = 30_000;
const REGISTER_PAUSE = 1_000;

export function inputDecoders(
  { valueFormat, schemaRegistryUrl, schemaRegistryAccess }: Omit<FormatConfig, 'topics'>,
  clock: Clock,
): DecoderSource {
  if (valueFormat === 'json') return jsonDecoders;
  return createAvroDecoders(createSchemaRegistry(schemaRegistryUrl!, schemaRegistryAccess), clock);
}

/** TopicNameStrategy: what consumers of the topic expect by default. */
export function outputSubject({ topics }: Pick<Config, 'topics'>): string {
  return `${topics.output}-value`;
}

/**
 * Registers the output's schema first, where there is one; the same again is the same id. After that the registry is not
 * needed any more. Errors: UNREACHABLE, CONFIG (the registry refuses it).
 */
export async function outputEncoder(config: FormatConfig, clock: Clock, logger: Logger): Promise<EncodeOutput<Output>> {
  if (config.valueFormat === 'json') return encodeOutput;
  const registry = createSchemaRegistry(config.schemaRegistryUrl!, config.schemaRegistryAccess);
  const subject = outputSubject(config);
  const until = clock.elapsed() + REGISTER_FOR;
  for (;;) {
    try {
      const id = await registry.register(subject, outputSchema());
      logger.info({ subject, schemaId: id }, 'the schema of the output is registered');
      return createAvroEncoder(id);
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'UNREACHABLE' || clock.elapsed() >= until) throw error;
      logger.warn({ subject, error: error.message }, 'the schema of the output could not be registered yet');
      await clock.sleep(REGISTER_PAUSE);
    }
  }
}
