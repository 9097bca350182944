import type { Rejection } from './rejection.ts';
import { headerBytes } from '../kafka/port.ts';
import type { RecordHeaders } from '../kafka/port.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { PlacedEvent } from './decoded.ts';
import type { InputIndex } from './watermark.ts';

/** A usable record as it was read, in the merged order of its partition triple. */
export interface ReadRecord<E = unknown> {
  readonly input: InputIndex;
  readonly offset: number;
  /** Event time, epoch ms. */
  readonly ts: number;
  /** Kafka timestamp, epoch ms; -1 or 0 for none. */
  readonly timestamp: number;
  readonly key: string;
  /** What its workflow is told; undefined for a record that only moves time. */
  readonly applicable: PlacedEvent<E> | undefined;
  /** It goes at once. */
  readonly urgent: boolean;
  /** Size of its value, bytes. */
  readonly bytes: number;
  /** The place just before it: where a restart goes on as long as it is not acknowledged. */
  readonly before: Checkpoint;
}

/** A record that cannot be used, until it is written to the dead letters. */
export interface UnusableRecord {
  readonly input: InputIndex;
  readonly offset: number;
  /** Kafka record timestamp, epoch ms, and its very number where a double has not all its digits. */
  readonly timestamp: number;
  readonly timestampText?: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Its own. */
  readonly headers?: RecordHeaders;
  readonly rejection: Rejection;
}

/** About what such a record takes besides its key and value. */
const UNUSABLE_OVERHEAD = 300;

/** Bytes of memory, about. Key and headers count: they may be as large as any value, and of nothing but those there may be many. */
export function unusableBytes({ key, value, headers = {} }: Pick<UnusableRecord, 'key' | 'value' | 'headers'>): number {
  return UNUSABLE_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0) + headerBytes(headers);
}
