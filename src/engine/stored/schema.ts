/**
 * The schemas of what outlives a deployment, as files: `ledger.avsc` has what the engine stores by itself, `state.avsc` what the
 * workflows of the application store, with types of the former in it. Today's are in `schemas`, those of the releases in
 * `schemas/released/<version>`, and those that stood on main between releases, where people may have run them, in
 * `schemas/unreleased/<number>`. A file is a list of named types in the order of their dependencies; the roots among them are
 * what is stored. Attributes that Avro does not know say how a type looks in TypeScript and JSON:
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

/** The types of a version, by name without namespace. */
export interface SchemaFile {
  /** `today`, the version of a release, or `unreleased <number>`. */
  readonly version: string;
  readonly records: readonly RecordSchema[];
}

const TODAY = 'today';
const LEDGER = 'ledger.avsc';
const STATE = 'state.avsc';

/** Of the engine alone. */
export function ledgerSchemas(): SchemaFile {
  return readSchemas(TODAY, SCHEMAS, [LEDGER]);
}

/** Of the engine alone: of all that may have written what is stored. */
export function olderLedgerSchemas(): SchemaFile[] {
  return [...released([LEDGER]), ...unreleased([LEDGER])];
}

export function todaysSchemas(): SchemaFile {
  return readSchemas(TODAY, SCHEMAS, [LEDGER, STATE]);
}

/** In the order of their versions. */
export function releasedSchemas(): SchemaFile[] {
  return released([LEDGER, STATE]);
}

/** In the order of their numbers; the last one is today's, unless that is a release's. */
export function unreleasedSchemas(): SchemaFile[] {
  return unreleased([LEDGER, STATE]);
}

/** Of all that may have written what is stored. */
export function olderSchemas(): SchemaFile[] {
  return [...releasedSchemas(), ...unreleasedSchemas()];
}

function released(files: readonly string[]): SchemaFile[] {
  return inFolder('released').map(({ name, url }) => readSchemas(name, url, files));
}

function unreleased(files: readonly string[]): SchemaFile[] {
  return inFolder('unreleased').map(({ name, url }) => readSchemas(`unreleased ${name}`, url, files));
}

function inFolder(name: string): { readonly name: string; readonly url: URL }[] {
  const folder = new URL(`${name}/`, SCHEMAS);
  return readdirSync(folder)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((version) => ({ name: version, url: new URL(`${version}/`, folder) }));
}

/** The releases before 0.3.0 had all types in `state.avsc`: those of the ledger stand in both files of them, and are the same. */
function readSchemas(version: string, folder: URL, files: readonly string[]): SchemaFile {
  const records = new Map<string, RecordSchema>();
  for (const file of files) {
    for (const record of JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as RecordSchema[]) {
      if (!records.has(record.name)) records.set(record.name, record);
    }
  }
  return { version, records: [...records.values()] };
}
