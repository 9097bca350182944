/**
 * A writer schema as it came from a registry -> the tree that values are checked against, or why it cannot be used.
 * It is somebody else's text: its size, nesting and number of types are bounded, nothing of it becomes code, and its
 * names are only ever compared. Docs and orders are ignored, and so are defaults and aliases, which are a reader's.
 */
import { finiteSizes } from './min-size.ts';
import { logicalTypeOf } from './logical-type.ts';
import { PRIMITIVES } from './types.ts';
import type {
  ArrayType,
  AvroType,
  EnumType,
  FixedType,
  MapType,
  RecordType,
  UnionType,
  WriterSchema,
} from './types.ts';

/** UTF-16 units of the schema's text. */
const MAX_SCHEMA_LENGTH = 256 * 1024;
export const MAX_SCHEMA_DEPTH = 32;
const MAX_SCHEMA_TYPES = 5_000;

/** Thrown in here only. */
class Unusable {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/**
 * `references`: texts of the schemas that it refers to, each before those that need it. Never throws; `unusable` quotes at
 * most names of types and fields.
 */
export function parseWriterSchema(
  text: string,
  references: readonly string[] = [],
): WriterSchema | { readonly unusable: string } {
  const length = references.reduce((sum, reference) => sum + reference.length, text.length);
  if (length > MAX_SCHEMA_LENGTH) {
    return { unusable: `it is ${length} characters long, expected at most ${MAX_SCHEMA_LENGTH}` };
  }
  try {
    const parser = new Parser();
    for (const reference of references) parser.parse(jsonOf(reference), '', 0);
    const top = parser.parse(jsonOf(text), '', 0);
    if (!finiteSizes(parser.records, parser.collections)) {
      throw new Unusable('it has a record that contains itself without end');
    }
    const records = top.kind === 'union' ? top.branches : [top];
    if (!records.every((type) => type.kind === 'record')) {
      throw new Unusable('expected a record, or a union of records');
    }
    return { records, union: top.kind === 'union' };
  } catch (error) {
    if (error instanceof Unusable) return { unusable: error.why };
    throw error;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A bare name is what some registries answer for a primitive type; the check of the top says what is expected.
    throw new Unusable('it is not JSON');
  }
}

export type Json = Readonly<Record<string, unknown>>;

class Parser {
  readonly records: RecordType[] = [];
  readonly collections: (ArrayType | MapType)[] = [];
  readonly #named = new Map<string, AvroType>();
  #types = 0;

  parse(schema: unknown, namespace: string, depth: number): AvroType {
    this.#types += 1;
    if (this.#types > MAX_SCHEMA_TYPES) throw new Unusable(`it has more than ${MAX_SCHEMA_TYPES} types`);
    if (depth > MAX_SCHEMA_DEPTH) throw new Unusable(`its types are nested deeper than ${MAX_SCHEMA_DEPTH}`);
    if (typeof schema === 'string') return this.#reference(schema, namespace);
    if (Array.isArray(schema)) return this.#union(schema, namespace, depth);
    if (typeof schema !== 'object' || schema === null) throw new Unusable('expected a type');
    const json = schema as Json;
    const type = own(json, 'type');
    switch (type) {
      case 'record':
        return this.#record(json, namespace, depth);
      case 'enum':
        return this.#enumeration(json, namespace);
      case 'fixed':
        return this.#fixed(json, namespace);
      case 'array': {
        const array: ArrayType = {
          kind: 'array',
          items: this.parse(own(json, 'items'), namespace, depth + 1),
          minItem: 0,
        };
        this.collections.push(array);
        return array;
      }
      case 'map': {
        const map: MapType = { kind: 'map', values: this.parse(own(json, 'values'), namespace, depth + 1), minItem: 0 };
        this.collections.push(map);
        return map;
      }
      default: {
        const primitive = PRIMITIVES.find((kind) => kind === type);
        if (primitive === undefined) return this.parse(type, namespace, depth + 1);
        const logical = logicalTypeOf(primitive, json);
        return logical === undefined ? { kind: primitive } : { kind: primitive, logical };
      }
    }
  }

  #reference(name: string, namespace: string): AvroType {
    const primitive = PRIMITIVES.find((kind) => kind === name);
    if (primitive !== undefined) return { kind: primitive };
    const type = this.#named.get(qualified(name, namespace));
    if (type === undefined) throw new Unusable(`there is no type ${quoted(name)} in it`);
    return type;
  }

  #union(schemas: readonly unknown[], namespace: string, depth: number): UnionType {
    if (schemas.length === 0) throw new Unusable('it has a union of nothing');
    const branches = schemas.map((schema) => this.parse(schema, namespace, depth + 1));
    if (branches.some(({ kind }) => kind === 'union')) throw new Unusable('it has a union directly in a union');
    return { kind: 'union', branches };
  }

  #record(json: Json, outer: string, depth: number): RecordType {
    const { name, namespace } = this.#nameOf(json, outer);
    const fields: { name: string; type: AvroType }[] = [];
    const indexes = new Map<string, number>();
    const record: RecordType = { kind: 'record', name, fields, indexes, minSize: Infinity };
    this.#define(qualified(name, namespace), record);
    this.records.push(record);
    const listed = own(json, 'fields');
    if (!Array.isArray(listed)) throw new Unusable(`${quoted(name)} has no fields`);
    for (const field of listed as readonly unknown[]) {
      const fieldName = typeof field === 'object' && field !== null ? own(field as Json, 'name') : undefined;
      if (typeof fieldName !== 'string') throw new Unusable(`${quoted(name)} has a field without a name`);
      if (indexes.has(fieldName)) throw new Unusable(`${quoted(name)} has two fields ${quoted(fieldName)}`);
      indexes.set(fieldName, fields.length);
      fields.push({ name: fieldName, type: this.parse(own(field as Json, 'type'), namespace, depth + 1) });
    }
    return record;
  }

  #enumeration(json: Json, outer: string): EnumType {
    const { name, namespace } = this.#nameOf(json, outer);
    const symbols = own(json, 'symbols');
    if (!Array.isArray(symbols) || symbols.length === 0 || !symbols.every((symbol) => typeof symbol === 'string')) {
      throw new Unusable(`${quoted(name)} has no symbols`);
    }
    const fallback = (symbols as string[]).find((symbol) => symbol === own(json, 'default'));
    const type: EnumType = {
      kind: 'enum',
      symbols: symbols as string[],
      ...(fallback === undefined ? {} : { fallback }),
    };
    this.#define(qualified(name, namespace), type);
    return type;
  }

  #fixed(json: Json, outer: string): FixedType {
    const { name, namespace } = this.#nameOf(json, outer);
    const size = own(json, 'size');
    if (!Number.isSafeInteger(size) || (size as number) < 0) throw new Unusable(`${quoted(name)} has no size`);
    const logical = logicalTypeOf('fixed', json);
    const type: FixedType = { kind: 'fixed', size: size as number, ...(logical === undefined ? {} : { logical }) };
    this.#define(qualified(name, namespace), type);
    return type;
  }

  #nameOf(json: Json, outer: string): { readonly name: string; readonly namespace: string } {
    const name = own(json, 'name');
    if (typeof name !== 'string' || name === '') throw new Unusable('it has a type without a name');
    const dot = name.lastIndexOf('.');
    if (dot >= 0) return { name: name.slice(dot + 1), namespace: name.slice(0, dot) };
    const namespace = own(json, 'namespace');
    return { name, namespace: typeof namespace === 'string' ? namespace : outer };
  }

  #define(name: string, type: AvroType): void {
    if (this.#named.has(name)) throw new Unusable(`it has two types ${quoted(name)}`);
    this.#named.set(name, type);
  }
}

export function own(json: Json, name: string): unknown {
  return Object.hasOwn(json, name) ? json[name] : undefined;
}

function qualified(name: string, namespace: string): string {
  return namespace === '' || name.includes('.') ? name : `${namespace}.${name}`;
}

/** In ASCII: it ends in headers and on terminals. */
function quoted(name: string): string {
  const json = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}...` : name);
  return json.replace(/[^\x20-\x7e]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
