/**
 * The least number of bytes that a value of a type can have: so that a count of items can be judged before any item is
 * looked at. Types may refer to each other; a record's size is infinite until those of its fields are known.
 */
import type { ArrayType, AvroType, MapType, RecordType } from './types.ts';

/** Sets all of them. False when a record has no finite value. */
export function finiteSizes(records: readonly RecordType[], collections: readonly (ArrayType | MapType)[]): boolean {
  for (let changed = true; changed;) {
    changed = false;
    for (const record of records) {
      let size = 0;
      for (const { type } of record.fields) size += minSize(type);
      if (size === record.minSize) continue;
      record.minSize = size;
      changed = true;
    }
  }
  for (const collection of collections) {
    collection.minItem = collection.kind === 'array' ? minSize(collection.items) : 1 + minSize(collection.values);
  }
  return records.every((record) => Number.isFinite(record.minSize));
}

function minSize(type: AvroType): number {
  switch (type.kind) {
    case 'null':
      return 0;
    case 'float':
      return 4;
    case 'double':
      return 8;
    case 'fixed':
      return type.size;
    case 'union':
      return type.branches.reduce((least, branch) => Math.min(least, 1 + minSize(branch)), Infinity);
    case 'record':
      return type.minSize;
    case 'boolean':
    case 'int':
    case 'long':
    case 'bytes':
    case 'string':
    case 'enum':
    case 'array':
    case 'map':
      return 1;
    default:
      return type satisfies never;
  }
}
