/** The logical types that mean something here. As Avro has it, one that is unknown or does not fit is no logical type. */

export type Logical =
  | { readonly is: 'decimal'; readonly precision: number; readonly scale: number }
  /** Time since 1970 in units of which `perMs` make a millisecond. */
  | { readonly is: 'timestamp'; readonly perMs: bigint }
  | { readonly is: 'uuid' }
  /** Bytes that a reader takes for a string. */
  | { readonly is: 'text' };

/** Digits of a decimal: turning bytes into digits takes time that grows with their square. */
const MAX_PRECISION = 1_000;

const TIMESTAMPS: ReadonlyMap<unknown, bigint> = new Map([
  ['timestamp-millis', 1n],
  ['timestamp-micros', 1_000n],
  ['timestamp-nanos', 1_000_000n],
]);

export function logicalTypeOf(kind: string, attributes: Readonly<Record<string, unknown>>): Logical | undefined {
  const { logicalType, precision, scale = 0, size } = attributes;
  const perMs = TIMESTAMPS.get(logicalType);
  if (kind === 'long' && perMs !== undefined) return { is: 'timestamp', perMs };
  if (kind === 'fixed' && logicalType === 'uuid' && size === 16) return { is: 'uuid' };
  if ((kind !== 'bytes' && kind !== 'fixed') || logicalType !== 'decimal') return undefined;
  if (!isCount(precision) || !isCount(scale) || precision < 1 || precision > MAX_PRECISION || scale > precision) {
    return undefined;
  }
  return { is: 'decimal', precision, scale };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
