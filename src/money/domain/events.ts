/**
 * The pure core: no clock, no randomness, no I/O, no SDK, nothing of Node. The workflow, the tests and everything that
 * reads history run these same functions. Times are epoch milliseconds, money is decimal text, ids are lower-case UUIDs.
 */

import type { Applicable } from './types.ts';

export type { Applicable, Enriched, Money, Output, Rules, SessionInfo, UserInfo } from './types.ts';

/** The three inputs, in the order in which equal times are applied: user < session < money. */
export const INPUTS = ['user', 'session', 'money'] as const;
export type MoneyInput = (typeof INPUTS)[number];

/** Kafka offsets, one for each input, of one partition triple. Indexed like {@link INPUTS}. */
export type Offsets = readonly number[];

/** What a usable record says, as far as the state of a user depends on it. `time` only moves the watermark. */
export type Event = Applicable['event'] | { readonly type: 'time' };

export function inputOf(event: Applicable['event']): MoneyInput {
  switch (event.type) {
    case 'money':
      return 'money';
    case 'session':
      return 'session';
    case 'birthDate':
    case 'address':
      return 'user';
    default:
      return event satisfies never;
  }
}

/** Effective time of an application, epoch ms (semantics, section 2). */
export function effectiveTime(record: Applicable): number {
  return record.late ?? record.ts;
}
