/** What workflows emit that have no place in Kafka yet. */
import type { Identified } from './publish-request.ts';

/** A record on its way to the publisher. It is of no Kafka record: in the place of an offset is a print of what it says. */
export interface Emitted<R> extends Identified {
  readonly record: R;
}

export function emitted<R>(record: R): Emitted<R> {
  return { partition: -1, offset: printOf(JSON.stringify(record)), record };
}

/** 32 bits (FNV-1a). */
function printOf(text: string): number {
  let print = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) print = Math.imul(print ^ text.charCodeAt(at), 0x01000193);
  return print >>> 0;
}
