/** What the ordering needs of an application's records, whatever their events are. */
import type { Rejection } from './rejection.ts';
import type { RecordHeaders } from '../kafka/port.ts';
import type { ValueDecoder } from '../values/value.ts';
import type { InputIndex } from './watermark.ts';

/** Kafka offsets, one for each input, of one partition of all of them. */
export type InputOffsets = readonly number[];

export interface RawKafkaRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Kafka record timestamp, epoch ms; -1 or 0 for none. */
  readonly timestamp: number;
  readonly headers?: RecordHeaders;
}

interface DecodedEvent<E> {
  readonly ok: true;
  readonly key: string;
  /** Event time, epoch ms. */
  readonly ts: number;
  /** Undefined for a record that only moves time. */
  readonly event: E | undefined;
  /** It goes to its workflow at once; what is not rides along with what is, for a bounded time. */
  readonly urgent: boolean;
  /** What it takes besides the record's value, bytes. */
  readonly moreBytes?: number;
}

/** An event, or why the record cannot be used. */
export type Decoded<E> = DecodedEvent<E> | ({ readonly ok: false } & Rejection);

/** A function of the record alone; it never throws, whatever the bytes are. `decoder`: of values, with all the schemas that it needs. */
export type DecodeInput<E> = (input: InputIndex, record: RawKafkaRecord, decoder: ValueDecoder) => Decoded<E>;

/** An event with its place in the log and its effective time, as its workflow is told of it. */
export interface PlacedEvent<E> {
  readonly input: InputIndex;
  readonly offset: number;
  /** Event time, epoch ms. */
  readonly ts: number;
  /** Set only for late records: the watermark when the record was read. It is then the record's effective time; for other records that is `ts`. */
  readonly late?: number;
  readonly event: E;
}
