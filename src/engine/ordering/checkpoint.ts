/**
 * A place in the merged reading order of a partition triple, with what the watermark knew there: what is committed to
 * the consumer group, and where a restart goes on with the very same classification of every record.
 */
import { isAhead, type Ahead } from './ahead.ts';
import type { Stop } from './brake.ts';
import type { InputOffsets } from './decoded.ts';
import type { KnownLogs, LogNames } from './log-identity.ts';
import { metadataFields, metadataText } from './offset-metadata.ts';
import { markOf, type RecordMark } from './record-mark.ts';
import type { MaxTs } from './watermark.ts';

export interface Checkpoint {
  /** Next offset to read of each input. */
  readonly next: InputOffsets;
  /** Largest event time read before `next`, epoch ms; -Infinity for none. */
  readonly maxTs: MaxTs;
  /** Epoch ms; -Infinity before there is one. */
  readonly watermark: number;
}

/** Nothing was read before these offsets. */
export function beginningAt(next: InputOffsets): Checkpoint {
  return { next, maxTs: next.map(() => -Infinity), watermark: -Infinity };
}

/** What rides as metadata on each committed offset. Every dead letter below `deadLettersBelow` was written. */
export interface OffsetMetadata {
  readonly maxTs: number;
  readonly watermark: number;
  readonly deadLettersBelow: number;
  /** Absent in what a bridge before 0.3 committed. */
  readonly logs?: KnownLogs;
  /** Of the last record read of this input, which may be behind the offset; absent where none is known, and in what a bridge before 0.3 committed. */
  readonly last?: RecordMark;
  /** On the offset of the first input only. */
  readonly ahead?: Ahead;
  /** The log was read up to here, and then it ended before: whatever it has by now, a person decides. */
  readonly cutBelow?: number;
  /** The brake stopped before this record of this input: whether it goes on, a person decides. */
  readonly stopped?: StoppedAt;
  /** Records of this input below this offset pass the brake. */
  readonly releasedBelow?: number;
}

export type StoppedAt = Omit<Stop, 'input'>;

export function encodeMetadata({
  maxTs,
  watermark,
  deadLettersBelow,
  logs,
  last,
  ahead,
  cutBelow,
  stopped,
  releasedBelow,
}: OffsetMetadata): string {
  const known =
    logs === undefined || logs.names.every((name) => name === '')
      ? {}
      : { logs: logs.names, partitions: logs.partitions };
  const more = {
    ...(last && { last: [last.offset, last.print] }),
    ...(ahead && { ahead }),
    ...(cutBelow !== undefined && { cutBelow }),
    ...(stopped && { stopped: [stopped.offset, stopped.unusable, stopped.records] }),
    ...(releasedBelow !== undefined && { releasedBelow }),
  };
  return metadataText({ maxTs: finite(maxTs), watermark: finite(watermark), deadLettersBelow, ...known, ...more });
}

/** Undefined for metadata that this bridge did not write: nothing is known of the time before the offset then. */
export function decodeMetadata(text: string): OffsetMetadata | undefined {
  const fields = metadataFields(text) ?? {};
  const { maxTs, watermark, deadLettersBelow, logs, partitions, last, ahead, cutBelow, releasedBelow } = fields;
  if (typeof deadLettersBelow !== 'number') return undefined;
  const known = isNames(logs)
    ? { logs: { names: logs, partitions: typeof partitions === 'number' ? partitions : 0 } }
    : {};
  const mark = markOf(last);
  const more = {
    ...(mark && { last: mark }),
    ...(isAhead(ahead) && { ahead }),
    ...(typeof cutBelow === 'number' && { cutBelow }),
    ...stoppedIn(fields['stopped']),
    ...(typeof releasedBelow === 'number' && { releasedBelow }),
  };
  return { maxTs: orMinusInfinity(maxTs), watermark: orMinusInfinity(watermark), deadLettersBelow, ...known, ...more };
}

export function sameCheckpoint(a: Checkpoint, b: Checkpoint): boolean {
  return (
    a.watermark === b.watermark &&
    a.next.every((offset, input) => offset === b.next[input] && a.maxTs[input] === b.maxTs[input])
  );
}

function stoppedIn(value: unknown): { readonly stopped?: StoppedAt } {
  if (!Array.isArray(value) || value.length < 3 || !value.every(Number.isSafeInteger)) return {};
  const [offset, unusable, records] = value as [number, number, number];
  return { stopped: { offset, unusable, records } };
}

function isNames(value: unknown): value is LogNames {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

const finite = (ms: number) => (Number.isFinite(ms) ? ms : null);
const orMinusInfinity = (ms: unknown) => (typeof ms === 'number' ? ms : -Infinity);
