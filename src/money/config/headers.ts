import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';
import { isForwardable, MAX_FORWARDED } from '../domain/forwarded.ts';

/** The context of a trace, as W3C names it: who takes no part in a trace hands it on. */
export const DEFAULT_FORWARD_HEADERS = 'traceparent,tracestate';
const NONE = 'none';

export interface HeadersConfig {
  /** Names of the headers of a money record that its output has too. */
  readonly forwardHeaders: readonly string[];
}

export function readHeaders(read: EnvironmentReader): HeadersConfig {
  const variable = 'ENRICHMENT_FORWARD_HEADERS';
  const text = read.text(variable, DEFAULT_FORWARD_HEADERS);
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 1 && names[0] === NONE) return { forwardHeaders: [] };
  const wrong = names.find((name) => !isForwardable(name));
  if (wrong !== undefined || names.length > MAX_FORWARDED.headers) {
    read.problem(
      variable,
      `at most ${MAX_FORWARDED.headers} names of headers with commas between them, none of them one that outputs have anyway (incarnation, stream, seq, source-partition, source-offset, enrichment), or ${NONE}`,
    );
  }
  return { forwardHeaders: [...new Set(names)] };
}
