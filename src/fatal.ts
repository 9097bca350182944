import { EnrichmentError } from './errors.ts';

/** What no retry can mend, whenever it happens: the process has to end and say what to change. */
export function isFatal(error: unknown): boolean {
  return error instanceof EnrichmentError && (error.code === 'CONFIG' || error.code === 'LIBRARY');
}

/**
 * Also what a person has to mend when it is so at the start: a topic that is missing. Of one that was there before it is the
 * word of a broker that lags behind or has just started, and waited for.
 */
export function isFatalAtStart(error: unknown): boolean {
  return isFatal(error) || (error instanceof EnrichmentError && error.code === 'TOPIC');
}
