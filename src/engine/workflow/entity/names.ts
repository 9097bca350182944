/** Names on the wire that every entity has. Never change them. */

/** The signal of the bridge; its single argument is a batch. */
export const EVENTS_SIGNAL = 'events';
/** The signal that wants the run to be continued as new. No payload. */
export const NUDGE_SIGNAL = 'nudge';
/** The type of the failure of an activity that waits for the watermark. Retryable. */
export const WATERMARK_NOT_REACHED = 'WatermarkNotReached';
/** The activity that publishes what a workflow asks to be published. */
export const PUBLISH_ACTIVITY = 'publish';
/** The activity that waits for the watermark of a partition. */
export const READ_WATERMARK_ACTIVITY = 'readWatermark';
