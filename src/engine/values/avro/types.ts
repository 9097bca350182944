/** The types of a writer schema, as a tree: what values are checked against. */
import type { Logical } from './logical-type.ts';

export const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const;

export interface PrimitiveType {
  readonly kind: (typeof PRIMITIVES)[number];
  readonly logical?: Logical;
}
export interface FixedType {
  readonly kind: 'fixed';
  /** bytes */
  readonly size: number;
  readonly logical?: Logical;
}
export interface EnumType {
  readonly kind: 'enum';
  readonly symbols: readonly string[];
  /** What a reader takes a symbol for that it does not have. */
  readonly fallback?: string;
}
export interface ArrayType {
  readonly kind: 'array';
  readonly items: AvroType;
  /** Least bytes of an item. */
  minItem: number;
}
export interface MapType {
  readonly kind: 'map';
  readonly values: AvroType;
  /** Least bytes of a key with its value. */
  minItem: number;
}
export interface UnionType {
  readonly kind: 'union';
  readonly branches: readonly AvroType[];
}
export interface RecordType {
  readonly kind: 'record';
  /** Without its namespace. */
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly type: AvroType }[];
  readonly indexes: ReadonlyMap<string, number>;
  /** Least bytes of a value. */
  minSize: number;
}
export type AvroType = PrimitiveType | FixedType | EnumType | ArrayType | MapType | UnionType | RecordType;

/** What a value may be at the top: one of these records; with `union`, their index stands in front. */
export interface WriterSchema {
  readonly records: readonly RecordType[];
  readonly union: boolean;
}
