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
