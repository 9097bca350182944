/** What options and arguments of several commands are read with. */
import { InvalidArgumentError } from 'commander';
import { CodedError } from '../engine/errors.ts';
import { parseTimestamp } from '../engine/values/timestamp.ts';
import { printable } from '../engine/printable.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** For commander: a whole number in the range. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}.`);
  };
}

/** For commander: a number above 0, which may have a fraction. */
export function positive(most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : 0;
    if (value > 0 && value <= most) return value;
    throw new InvalidArgumentError(`expected a number above 0, ${most} at most.`);
  };
}

/** For commander: a time, written as `processedAt` is; epoch ms. Without a zone it would be another in each place. */
export function time(text: string): number {
  const ts = parseTimestamp(text);
  if (ts === null) {
    throw new InvalidArgumentError(
      'expected a date and time that exist, with their zone, such as 2026-01-31T10:00:00Z or 2026-01-31T11:00:00+01:00.',
    );
  }
  return ts;
}

/** In lower case, as ids are compared. Throws CodedError CONFIG that names `what`. */
export function uuid(what: string, text: string): string {
  if (!UUID.test(text)) throw new CodedError('CONFIG', `${what} "${printable(text)}": expected a UUID`);
  return text.toLowerCase();
}
