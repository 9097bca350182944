/** What options and arguments of several commands are read with. */
import { InvalidArgumentError } from 'commander';
import { EnrichmentError } from '../errors.ts';
import { printable } from './output.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** For commander: a whole number in the range. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}.`);
  };
}

/** In lower case, as ids are compared. Throws EnrichmentError CONFIG that names `what`. */
export function uuid(what: string, text: string): string {
  if (!UUID.test(text)) throw new EnrichmentError('CONFIG', `${what} "${printable(text)}": expected a UUID`);
  return text.toLowerCase();
}
