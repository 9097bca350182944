/**
 * A reader schema: what its records and fields were called before (aliases), and what a field is that the writer does not
 * have (its default). Values are read with their writer schema all the same; see {@link resolve} for what is taken of it.
 */
import { encodeDefault } from './default-value.ts';
import { own, parseWriterSchema, type Json } from './schema.ts';
import type { AvroType } from './types.ts';

export interface ReaderField {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly type: AvroType;
  /** In Avro's binary form, as a value of one branch of the type. */
  readonly fallback?: { readonly type: AvroType; readonly bytes: Buffer };
}

interface ReaderRecord {
  /** Without its namespace. */
  readonly name: string;
  /** Without their namespaces. */
  readonly aliases: readonly string[];
  readonly fields: readonly ReaderField[];
}

export interface ReaderSchema {
  readonly records: readonly ReaderRecord[];
  /** JSON: the same for the same schema, however it was spaced. */
  readonly text: string;
}

/** Never throws; `unusable` quotes names of types and fields. A record, or a union of records that are written out in it. */
export function parseReaderSchema(text: string): ReaderSchema | { readonly unusable: string } {
  const schema = parseWriterSchema(text);
  if ('unusable' in schema) return schema;
  const top: unknown = JSON.parse(text);
  const listed = (Array.isArray(top) ? top : [top]) as readonly unknown[];
  const records: ReaderRecord[] = [];
  for (const [index, { name, fields }] of schema.records.entries()) {
    const json = listed[index];
    if (typeof json !== 'object' || json === null) return { unusable: `${name}: write the record out in the union` };
    const aliases = aliasesIn(json as Json);
    if (aliases === undefined) return { unusable: `${name}: "aliases" is not a list of names` };
    const read: ReaderField[] = [];
    for (const [place, field] of fields.entries()) {
      const declared = (own(json as Json, 'fields') as readonly Json[])[place]!;
      const found = fieldOf(field, declared);
      if ('unusable' in found) return { unusable: `${name}.${field.name}: ${found.unusable}` };
      read.push(found);
    }
    records.push({ name, aliases, fields: read });
  }
  return { records, text: JSON.stringify(top) };
}

function fieldOf(
  { name, type }: { readonly name: string; readonly type: AvroType },
  json: Json,
): ReaderField | { readonly unusable: string } {
  const aliases = aliasesIn(json);
  if (aliases === undefined) return { unusable: '"aliases" is not a list of names' };
  const value = own(json, 'default');
  if (value === undefined) return { name, aliases, type };
  const fallback = encodeDefault(type, value);
  if (fallback === undefined) return { unusable: 'its default is no value of its type' };
  return { name, aliases, type, fallback };
}

function aliasesIn(json: Json): readonly string[] | undefined {
  const aliases = own(json, 'aliases') ?? [];
  if (!Array.isArray(aliases) || !aliases.every((alias) => typeof alias === 'string')) return undefined;
  return (aliases as readonly string[]).map((alias) => alias.slice(alias.lastIndexOf('.') + 1));
}
