/**
 * What a change of the schemas does to what an earlier release wrote. As in Flink's state evolution: it is compatible as it
 * is, compatible after migration (old values are resolved as they are read, and written anew with the next continue-as-new),
 * or refused. Refused is everything that resolution cannot do, and what it would do without a word: a field that comes back
 * under another name would be lost.
 */
import type { Type } from 'avsc';
import { avscTypes, fingerprintsOf } from './format.ts';
import { isUnion, type FieldSchema, type RecordSchema, type Schema, type SchemaFile } from './schema.ts';

type Compatibility = 'as is' | 'after migration' | 'refused';

export interface SchemaVerdict {
  readonly version: string;
  /** Of each root that the release wrote. */
  readonly roots: readonly { readonly name: string; readonly compatibility: Compatibility }[];
  /** What is refused, and why, in words. */
  readonly refused: readonly string[];
  /** What resolution does to old values. */
  readonly changes: readonly string[];
}

export function verdictOf(released: SchemaFile, today: SchemaFile): SchemaVerdict {
  const refused: string[] = [];
  const changes: string[] = [];
  const [before, now] = [byName(released), byName(today)];
  const [fingerprintsBefore, fingerprintsNow] = [fingerprintsOf(released), fingerprintsOf(today)];
  for (const [name, record] of before) compareRecords(record, now.get(name), { refused, changes });
  const [typesBefore, typesNow] = [avscTypes(released.records), avscTypes(today.records)];
  const roots = [...fingerprintsBefore].map(([name, fingerprint]) => {
    const problem =
      now.get(name)?.root === true
        ? resolutionProblem(typesNow.get(name)!, typesBefore.get(name)!)
        : `${name}: missing, and values of it are stored`;
    if (problem !== undefined) refused.push(problem);
    const compatibility: Compatibility =
      problem !== undefined ? 'refused' : fingerprint === fingerprintsNow.get(name) ? 'as is' : 'after migration';
    return { name, compatibility };
  });
  return { version: released.version, roots, refused: [...new Set(refused)], changes };
}

export function describeVerdict({ version, roots, refused, changes }: SchemaVerdict): string {
  return [
    `${version}: ${roots.map(({ name, compatibility }) => `${name} ${refused.length > 0 && compatibility !== 'as is' ? 'refused' : compatibility}`).join(', ')}`,
    ...refused.map((line) => `  refused: ${line}`),
    ...changes.map((line) => `  ${line}`),
  ].join('\n');
}

interface Findings {
  readonly refused: string[];
  readonly changes: string[];
}

function compareRecords(before: RecordSchema, now: RecordSchema | undefined, { refused, changes }: Findings): void {
  // A record that nothing uses any more went with its field, which is told.
  if (now === undefined) return;
  const fields = new Map(now.fields.map((field) => [field.name, field]));
  const added = now.fields.filter(({ name }) => !before.fields.some((field) => field.name === name));
  const dropped = before.fields.filter(({ name }) => !fields.has(name));
  for (const field of added) {
    if ('default' in field) {
      changes.push(`${now.name}.${field.name} is new: old values get ${JSON.stringify(field.default)}`);
    } else refused.push(`${now.name}.${field.name} is new and has no default: old values have nothing to put there`);
  }
  for (const { name } of dropped) changes.push(`${now.name}.${name} is gone: what old values have there is forgotten`);
  for (const gone of dropped) {
    const same = added.find((field) => sameType(field, gone));
    if (same !== undefined) {
      refused.push(
        `${now.name}.${gone.name} is gone and ${same.name} of the same type is new: if it was renamed, its values would be lost. Keep the name, or release the two changes one after the other`,
      );
    }
  }
  for (const field of before.fields) {
    const other = fields.get(field.name);
    if (other !== undefined && tupleOf(field.type) !== tupleOf(other.type)) {
      refused.push(
        `${now.name}.${field.name} was a tuple of ${tupleOf(field.type) || 'no fixed length'} and is one of ${tupleOf(other.type) || 'no fixed length'}`,
      );
    }
  }
}

function sameType(a: FieldSchema, b: FieldSchema): boolean {
  return JSON.stringify(a.type) === JSON.stringify(b.type);
}

function tupleOf(schema: Schema): string {
  return typeof schema !== 'string' && !isUnion(schema) && 'items' in schema ? (schema.tuple ?? []).join(', ') : '';
}

function resolutionProblem(reader: Type, writer: Type): string | undefined {
  try {
    reader.createResolver(writer);
    return undefined;
  } catch (error) {
    return `${reader.name?.split('.').at(-1)}: ${(error as Error).message}`;
  }
}

function byName({ records }: SchemaFile): ReadonlyMap<string, RecordSchema> {
  return new Map(records.map((record) => [record.name, record]));
}
