/** What all codecs of payloads need. */
import type { Payload } from '@temporalio/common';
import { UNREADABLE } from '../workflow/mark.ts';

export const JSON_PLAIN = 'json/plain';

export function encodingOf({ metadata }: Payload): string {
  const encoding = metadata?.['encoding'];
  return encoding ? Buffer.from(encoding).toString() : '';
}

/** What a workflow gets in place of what nobody can read, and drops. */
export function unreadable(why: string): Payload {
  return { metadata: { encoding: Buffer.from(JSON_PLAIN) }, data: Buffer.from(JSON.stringify({ [UNREADABLE]: why })) };
}

/** JSON as it is; what is none in its place is what a workflow drops. */
export function readableJson(payload: Payload): Payload {
  try {
    JSON.parse(Buffer.from(payload.data ?? []).toString());
    return payload;
  } catch {
    return unreadable('json/plain that is no JSON');
  }
}
