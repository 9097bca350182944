/** Values in the Confluent wire format: a zero byte, the id of the writer schema in four bytes, Avro's binary form. */
import type { ValueDecoder } from '../value.ts';
import { AvroRecord } from './record.ts';
import { scan } from './scan.ts';
import type { WriterSchema } from './types.ts';

/** bytes in front of the value proper */
export const PREFIX = 5;

/** What is known of a schema id. `unusable`: no value under this id can be read, and why. */
export type KnownSchema = WriterSchema | { readonly unusable: string };

/** The schema id of a value, or null for one that is not in the wire format. */
export function schemaIdOf(value: Buffer): number | null {
  return value.length >= PREFIX && value[0] === 0 ? value.readUInt32BE(1) : null;
}

/** `schemas` has every id that will be met. */
export function avroDecoder(schemas: ReadonlyMap<number, KnownSchema>): ValueDecoder {
  return {
    decode(value, reader) {
      const id = schemaIdOf(value);
      if (id === null) {
        return {
          malformed: 'value: expected Avro in the Confluent wire format: a zero byte and a schema id of four bytes',
        };
      }
      const schema = schemas.get(id) ?? { unusable: 'it was not asked for' };
      if ('unusable' in schema) return { malformed: `value: schema ${id} cannot be used: ${schema.unusable}` };
      const located = scan(schema, value, PREFIX);
      if ('malformed' in located) return { malformed: `value: not Avro of schema ${id}: ${located.malformed}` };
      return new AvroRecord(value, located, reader);
    },
  };
}
