/** Where generated traffic goes: into topics, at full speed or as its timestamps come, or as lines of text. */
import { setTimeout as pause } from 'node:timers/promises';
import { INPUTS } from '../../money/domain/events.ts';
import type { MoneyInput } from '../../money/domain/events.ts';
import type { GeneratedRecord } from './traffic.ts';

interface ProducedRecord {
  readonly key: string | null;
  readonly value: Buffer | null;
  /** epoch ms */
  readonly timestamp: number;
}

/** Resolves when the records are written; those of one key in their order. */
type Produce = (topic: string, records: readonly ProducedRecord[]) => Promise<void>;
export type TrafficTopics = Readonly<Record<MoneyInput, string>>;

export interface ProduceOptions {
  readonly topics: TrafficTopics;
  readonly produce: Produce;
  /** A record is not sent before the wall clock has reached its timestamp. */
  readonly paced: boolean;
  /** Called with the number of records sent so far, after every batch. */
  readonly onSent?: (sent: number) => void;
  readonly signal?: AbortSignal;
}

const BATCH_RECORDS = 1000;
const BATCH_BYTES = 4_000_000;
/** ms between batches when paced: the records of this time go together. */
const PACE = 100;

/** Sends everything, batch after batch, and returns how many were sent; fewer only when aborted. */
export async function produceTraffic(records: Iterable<GeneratedRecord>, options: ProduceOptions): Promise<number> {
  const { topics, produce, paced, onSent, signal } = options;
  let batch: GeneratedRecord[] = [];
  let bytes = 0;
  let sent = 0;
  const flush = async (): Promise<void> => {
    const [records, count] = [batch, batch.length];
    [batch, bytes] = [[], 0];
    await Promise.all(
      INPUTS.map(async (input) => {
        const own = records.filter((record) => record.input === input);
        if (own.length > 0) {
          await produce(
            topics[input],
            own.map(({ key, value, timestamp }) => ({ key, value, timestamp })),
          );
        }
      }),
    );
    sent += count;
    onSent?.(sent);
  };
  const begun = Date.now() - performance.now();
  const aborted = (): boolean => signal?.aborted === true;
  for (const record of records) {
    if (batch.length >= BATCH_RECORDS || bytes >= BATCH_BYTES) await flush();
    while (paced && record.timestamp > begun + performance.now() && !aborted()) {
      if (batch.length > 0) await flush();
      // An abort ends the pause early; the loop then ends as well.
      await pause(PACE, undefined, { signal }).catch(() => undefined);
    }
    if (aborted()) return sent;
    batch.push(record);
    bytes += record.value?.length ?? 0;
  }
  if (batch.length > 0) await flush();
  return sent;
}

/** One JSON object: topic, key, value, timestamp; `valueBase64` instead of `value` for what is not UTF-8. */
export function ndjsonLine({ input, key, value, timestamp }: GeneratedRecord, topics: TrafficTopics): string {
  const text = value === null ? null : utf8(value);
  const content = text === undefined ? { valueBase64: value?.toString('base64') } : { value: text };
  return `${JSON.stringify({ topic: topics[input], key, ...content, timestamp })}\n`;
}

/** Undefined: not UTF-8. */
function utf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
