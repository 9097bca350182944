/** Why a record of an input is put aside (semantics, section 6). */

/** In the order of precedence: where several fit, the first is the reason. */
export const DEAD_LETTER_REASONS = [
  'too-large',
  'malformed',
  'unknown-type',
  'invalid',
  'key-mismatch',
  'future',
] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

/** Why a record cannot be used. `detail` names fields and expectations and carries no personal data. */
export interface Rejection {
  readonly reason: DeadLetterReason;
  readonly detail: string;
}
