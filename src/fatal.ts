import { EnrichmentError } from './errors.ts';

/** What no retry can mend: the process has to end and say what to change. */
export function isFatal(error: unknown): boolean {
  return error instanceof EnrichmentError && (error.code === 'CONFIG' || error.code === 'TOPIC' || error.code === 'LIBRARY');
}
