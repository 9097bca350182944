import type { InRecord } from './port.ts';

/** What kafkajs has as text; records in the format of Kafka 0.9 (magic 0) have none. */
export function timestampOf(text: string | undefined): Pick<InRecord, 'timestamp' | 'timestampText'> {
  const timestamp = text === undefined ? -1 : Number(text);
  return Number.isSafeInteger(timestamp) ? { timestamp } : { timestamp, timestampText: text! };
}
