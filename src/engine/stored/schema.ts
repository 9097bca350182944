/**
 * The schemas of what outlives a deployment, as files: `schemas/state.avsc` today's, `schemas/released/<version>/state.avsc`
 * those of the releases. A file is a list of named types in the order of their dependencies; the roots among them are what
 * is stored. Attributes that Avro does not know say how a type looks in TypeScript and JSON:
 *
 * - `root`           is stored by itself;
 * - `discriminator`  of a record in a union: the value of its property `type`;
 * - `nullable`       of a field whose union has null: null is null; without it, null is an absent property;
 * - `tuple`          of an array: the names of its items, of which there are always as many;
 * - `mutable`        of a record: its properties are changed in place.
 */
import { readdirSync, readFileSync } from 'node:fs';

const SCHEMAS = new URL('../../../schemas/', import.meta.url);

export interface FieldSchema {
  readonly name: string;
  readonly type: Schema;
  readonly doc?: string;
  readonly default?: unknown;
  readonly nullable?: true;
}
export interface RecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly namespace: string;
  readonly doc?: string;
  readonly fields: readonly FieldSchema[];
  readonly root?: true;
  readonly discriminator?: string;
  readonly mutable?: true;
}
interface ArraySchema {
  readonly type: 'array';
  readonly items: Schema;
  readonly tuple?: readonly string[];
}
interface MapSchema {
  readonly type: 'map';
  readonly values: Schema;
}
/** A primitive or the name of a record, a union, or one of the above. */
export type Schema = string | readonly Schema[] | ArraySchema | MapSchema;

export function isUnion(schema: Schema): schema is readonly Schema[] {
  return Array.isArray(schema);
}

/** The types of one file, by name without namespace. */
export interface SchemaFile {
  /** `today`, or the version of a release. */
  readonly version: string;
  readonly records: readonly RecordSchema[];
}

const TODAY = 'today';

export function todaysSchemas(): SchemaFile {
  return readSchemas(TODAY, new URL('state.avsc', SCHEMAS));
}

/** In the order of their versions. */
export function releasedSchemas(): SchemaFile[] {
  return versionsIn(new URL('released/', SCHEMAS)).map((version) =>
    readSchemas(version, new URL(`released/${version}/state.avsc`, SCHEMAS)),
  );
}

function versionsIn(folder: URL): string[] {
  return readdirSync(folder).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

function readSchemas(version: string, file: URL): SchemaFile {
  return { version, records: JSON.parse(readFileSync(file, 'utf8')) as RecordSchema[] };
}
