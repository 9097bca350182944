/** How the schema registry is used; the names of the variables are those of Confluent's serializers. */
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';

const STRATEGIES = ['TopicNameStrategy', 'RecordNameStrategy', 'TopicRecordNameStrategy'] as const;

export interface SchemaRegistryConfig {
  /** May hold names and passwords: not for messages. The next one is asked when one does not answer. */
  readonly urls: readonly string[];
  /** How the output's schema comes to its id: it is registered, has to be there already, or is the latest of its subject. */
  readonly outputSchema: 'register' | 'find' | 'latest';
  /** Of the output. */
  readonly subject: { readonly name: string } | { readonly strategy: (typeof STRATEGIES)[number] };
}

export function readSchemaRegistry(
  read: EnvironmentReader,
  { required }: { readonly required: boolean },
): { readonly schemaRegistry?: SchemaRegistryConfig } {
  const urls = read.urls('SCHEMA_REGISTRY_URL', { credentials: true });
  const useLatest = read.boolean('SCHEMA_REGISTRY_USE_LATEST_VERSION', false);
  const register = read.boolean('SCHEMA_REGISTRY_AUTO_REGISTER', !useLatest);
  if (useLatest && register) {
    read.problem('SCHEMA_REGISTRY_AUTO_REGISTER', 'false, as SCHEMA_REGISTRY_USE_LATEST_VERSION is true');
  }
  const subject = readSubject(read);
  if (urls.length === 0) {
    if (required) {
      read.missing(
        'SCHEMA_REGISTRY_URL',
        'the http(s) address of the schema registry, as ENRICHMENT_VALUE_FORMAT is avro',
      );
    }
    return {};
  }
  return { schemaRegistry: { urls, outputSchema: useLatest ? 'latest' : register ? 'register' : 'find', subject } };
}

function readSubject(read: EnvironmentReader): SchemaRegistryConfig['subject'] {
  const name = read.text('SCHEMA_REGISTRY_SUBJECT', '');
  const variable = 'SCHEMA_REGISTRY_SUBJECT_NAME_STRATEGY';
  const strategy = read.text(variable, 'TopicNameStrategy');
  const known = STRATEGIES.find((one) => one.toLowerCase() === strategy.toLowerCase());
  if (known === undefined) read.problem(variable, `one of ${STRATEGIES.join(', ')}`);
  if (name !== '' && read.isSet(variable)) {
    read.problem(variable, 'not to be set, as SCHEMA_REGISTRY_SUBJECT says the subject itself');
  }
  return name === '' ? { strategy: known ?? 'TopicNameStrategy' } : { name };
}
