/**
 * `processedAt` as epoch milliseconds. Accepted: ISO-8601 extended, `YYYY-MM-DDThh:mm[:ss[.fraction]]` (a comma is a
 * decimal sign too) with `Z`, `+hh:mm`, `+hhmm` or `+hh`; a real date and time of day of the proleptic Gregorian
 * calendar, no `24:00`, no leap second. Digits finer than a millisecond are cut, never rounded.
 */
const ISO =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,3})\d*)?)?(?:Z|([+-])(\d{2})(?::?(\d{2}))?)$/;

/** 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: what four digits of year can write. */
const MIN = -62_167_219_200_000;
const MAX = 253_402_300_799_999;

const MINUTE = 60_000;
const FOUR_CENTURIES = 146_097 * 86_400_000;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Epoch ms, or null for what is not such a time, or lies outside the UTC years 0000 to 9999. */
export function parseTimestamp(text: string): number | null {
  const match = ISO.exec(text);
  if (match === null) return null;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  const hour = Number(match[4]);
  const minute = Number(match[5]);
  const second = Number(match[6] ?? 0);
  const offsetHour = Number(match[9] ?? 0);
  const offsetMinute = Number(match[10] ?? 0);
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return null;
  const ms = Number((match[7] ?? '').padEnd(3, '0'));
  // Date.UTC takes the years 0 to 99 for 1900 to 1999; four centuries on, the calendar is the same.
  const local = Date.UTC(year + 400, month - 1, day, hour, minute, second, ms) - FOUR_CENTURIES;
  const offset = (offsetHour * 60 + offsetMinute) * MINUTE;
  const ts = match[8] === '-' ? local + offset : local - offset;
  return ts >= MIN && ts <= MAX ? ts : null;
}

/** `2026-01-31T10:00:00.000Z`. Throws a RangeError beyond what {@link parseTimestamp} returns. */
export function formatTimestamp(ts: number): string {
  if (!(ts >= MIN && ts <= MAX)) throw new RangeError(`${ts} ms is no time of the years 0000 to 9999`);
  return new Date(ts).toISOString();
}

function daysOf(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return leap ? 29 : (DAYS[month - 1] ?? 0);
}
