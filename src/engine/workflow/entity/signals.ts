/** The signals of every entity. Never change them. */

/** Of the bridge; its single argument is a batch. */
export const EVENTS_SIGNAL = 'events';
/** Continue as new when you can. No payload. */
export const NUDGE_SIGNAL = 'nudge';
