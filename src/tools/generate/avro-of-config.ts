/** Traffic in Avro for the registry and the topics that are configured. */
import type { SchemaRegistry } from '../../engine/schema-registry/client.ts';
import { schemaRegistryOf } from '../../money/codec/value-format.ts';
import type { Config } from '../../money/config.ts';
import { createAvroTraffic, type AvroTraffic } from './avro-traffic.ts';

/** Registers the schemas of the inputs, or looks them up where registration is forbidden. Errors: UNREACHABLE, CONFIG. */
export function avroTrafficOf(
  config: Config,
  registry: SchemaRegistry = schemaRegistryOf(config),
): Promise<AvroTraffic> {
  const { topics, maxRecordBytes, schemaRegistry } = config;
  const mayRegister = schemaRegistry === undefined || schemaRegistry.outputSchema === 'register';
  return createAvroTraffic({
    topics,
    maxRecordBytes,
    idOf: (subject, schema) => (mayRegister ? registry.register(subject, schema) : registry.find(subject, schema)),
  });
}
