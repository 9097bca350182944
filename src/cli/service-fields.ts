import { hostname } from 'node:os';
import { productVersion } from '../engine/process/version.ts';

/** Of each line of a log that is collected. */
export function serviceFields(service: string): Readonly<Record<string, string>> {
  return { hostname: hostname(), service: `money-enrichment-${service}`, version: productVersion() };
}
