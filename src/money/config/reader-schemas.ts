/** Files with reader schemas: what fields of the inputs were called before, and what they are where they are missing. */
import { readFileSync } from 'node:fs';
import { messageOf } from '../../engine/errors.ts';
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';
import { parseReaderSchema, type ReaderSchema } from '../../engine/values/avro/reader-schema.ts';
import { eventTypesOf, type ReaderSchemas } from '../codec/decode.ts';
import { INPUTS, type MoneyInput } from '../domain/events.ts';

const VARIABLES: Readonly<Record<MoneyInput, string>> = {
  money: 'ENRICHMENT_WALLET_READER_SCHEMA',
  user: 'ENRICHMENT_USER_READER_SCHEMA',
  session: 'ENRICHMENT_SESSION_READER_SCHEMA',
};

export function readReaderSchemas(read: EnvironmentReader, valueFormat: 'json' | 'avro'): ReaderSchemas {
  const found = INPUTS.flatMap((input): (readonly [MoneyInput, ReaderSchema])[] => {
    const variable = VARIABLES[input];
    const file = read.text(variable, '');
    if (file === '') return [];
    if (valueFormat === 'json') {
      read.problem(variable, 'not to be set, as ENRICHMENT_VALUE_FORMAT is json: JSON values have no schemas');
      return [];
    }
    const schema = parsed(file);
    const wrong = 'unusable' in schema ? schema.unusable : strangerIn(schema, input);
    if (wrong !== undefined) read.problem(variable, `an Avro schema (.avsc) for reading: ${wrong}`);
    return 'unusable' in schema ? [] : [[input, schema]];
  });
  return Object.fromEntries(found);
}

function parsed(file: string): ReaderSchema | { readonly unusable: string } {
  try {
    return parseReaderSchema(readFileSync(file, 'utf8'));
  } catch (error) {
    return { unusable: `the file cannot be read (${messageOf(error)})` };
  }
}

/** A misspelt record would mean nothing, and nobody would notice. */
function strangerIn({ records }: ReaderSchema, input: MoneyInput): string | undefined {
  const types = eventTypesOf(input);
  const stranger = records.find(
    ({ name, fields }) => !types.includes(name) && !fields.some((field) => field.name === 'type'),
  );
  if (stranger === undefined) return undefined;
  return `${stranger.name} is none of ${types.join(', ')}, and has no field "type" that says which (old names go into "aliases")`;
}
