/** Of every dead letter, in their order: docs/dead-letters.md. */
export const DEAD_LETTER_HEADERS = [
  'reason',
  'detail',
  'source-topic',
  'source-partition',
  'source-offset',
  'source-timestamp',
  '__connect.errors.topic',
  '__connect.errors.partition',
  '__connect.errors.offset',
  '__connect.errors.stage',
  '__connect.errors.exception.class.name',
  '__connect.errors.exception.message',
] as const;
