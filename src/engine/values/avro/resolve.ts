/**
 * Which field of a writer's record is which of the reader's, as Avro resolves schemas: a record by its name or an alias,
 * without namespaces; a field by its name or else an alias; a field that the writer does not have by its default; a
 * symbol that an enum of the reader does not have by the enum's default; bytes as a string where the reader has one.
 *
 * Two things are left as they are written, for the sake of what is read: a number keeps its digits, whatever number type
 * the reader's schema has; and a field that the reader's schema does not name is found by the writer's name.
 */
import type { ReaderField, ReaderSchema } from './reader-schema.ts';
import type { AvroType, EnumType, RecordType } from './types.ts';

export interface Resolved {
  /** Of the reader's record. */
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldSource>;
}

type FieldSource =
  | { readonly index: number; readonly type: AvroType; readonly symbols?: EnumType }
  | { readonly fallback: NonNullable<ReaderField['fallback']> };

const resolutions = new WeakMap<ReaderSchema, WeakMap<RecordType, Resolved | null>>();

/** Undefined when the reader's schema has no record for it. */
export function resolve(writer: RecordType, reader: ReaderSchema): Resolved | undefined {
  const known = resolutions.get(reader) ?? new WeakMap<RecordType, Resolved | null>();
  resolutions.set(reader, known);
  const before = known.get(writer);
  if (before !== undefined) return before ?? undefined;
  const resolved = resolution(writer, reader);
  known.set(writer, resolved ?? null);
  return resolved;
}

function resolution(writer: RecordType, { records }: ReaderSchema): Resolved | undefined {
  const record =
    records.find(({ name }) => name === writer.name) ?? records.find(({ aliases }) => aliases.includes(writer.name));
  if (record === undefined) return undefined;
  const fields = new Map<string, FieldSource>();
  for (const field of record.fields) {
    const written = [field.name, ...field.aliases].find((name) => writer.indexes.has(name));
    if (written !== undefined) {
      const index = writer.indexes.get(written)!;
      fields.set(field.name, { index, ...asRead(writer.fields[index]!.type, field.type) });
    } else if (field.fallback !== undefined) {
      fields.set(field.name, { fallback: field.fallback });
    }
  }
  return { name: record.name, fields };
}

function asRead(writer: AvroType, reader: AvroType): { readonly type: AvroType; readonly symbols?: EnumType } {
  const branches = reader.kind === 'union' ? reader.branches : [reader];
  const has = (kind: AvroType['kind']): boolean => branches.some((branch) => branch.kind === kind);
  const type = has('string') && !has('bytes') ? withText(writer) : writer;
  const symbols = branches.find((branch) => branch.kind === 'enum');
  return symbols === undefined || has('string') ? { type } : { type, symbols };
}

/** Bytes without a logical type, as text. */
function withText(type: AvroType): AvroType {
  if (type.kind === 'union') return { kind: 'union', branches: type.branches.map(withText) };
  return type.kind === 'bytes' && type.logical === undefined ? { kind: 'bytes', logical: { is: 'text' } } : type;
}
