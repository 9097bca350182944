/** The decimal text of a number, in the grammar of JSON numbers; null for what is not a finite number. */
import type { Logical } from './logical-type.ts';

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A string counts as a number when it is written like one, and is taken as it is: `0.10`, `1E+2`, forty digits. */
export function stringText(text: string): string | null {
  return JSON_NUMBER.test(text) ? text : null;
}

/** The shortest text that reads back as the same double; `-0` keeps its sign. */
export function doubleText(value: number): string | null {
  if (!Number.isFinite(value)) return null;
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The shortest text that reads back as the same float: 0.1, and not the 0.10000000149011612 that it is as a double. */
export function floatText(value: number): string | null {
  if (!Number.isFinite(value)) return null;
  for (let digits = 1; digits < 9; digits += 1) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return doubleText(shorter);
  }
  return doubleText(Number(value.toPrecision(9)));
}

/**
 * Two's complement, high byte first, as the exact number with `scale` digits after the point: 1050 of scale 2 is `10.50`.
 * Null for no bytes, and for more digits than the precision.
 */
export function scaledText(bytes: Buffer, { precision, scale }: Extract<Logical, { is: 'decimal' }>): string | null {
  const short = withoutSignExtension(bytes);
  // 10^p needs less than p / 2 bytes: what is longer is out of range, and is not turned into digits at all.
  if (short.length === 0 || short.length > precision / 2 + 2) return null;
  const unscaled = BigInt.asIntN(8 * short.length, BigInt(`0x${short.toString('hex')}`));
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString();
  if (digits.length > precision) return null;
  const sign = unscaled < 0n ? '-' : '';
  if (scale === 0) return sign + digits;
  const padded = digits.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

function withoutSignExtension(bytes: Buffer): Buffer {
  let from = 0;
  while (
    from + 1 < bytes.length &&
    (bytes[from] === 0 || bytes[from] === 0xff) &&
    (bytes[from]! & 0x80) === (bytes[from + 1]! & 0x80)
  ) {
    from += 1;
  }
  return bytes.subarray(from);
}
