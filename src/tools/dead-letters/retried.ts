/**
 * Which dead letters were put back on their topic: for each partition of the dead-letter topic a set of offsets, kept as
 * the metadata of an offset of a consumer group that never has a member, committed in the transaction that puts the
 * records back. So a retry that is repeated, or dies in the middle, puts nothing back twice. The broker forgets a group
 * without members after `offsets.retention.minutes` (7 days by default).
 */
import { dropBelow } from '../../engine/workflow/offset-ranges.ts';
import type { OffsetRanges } from '../../engine/workflow/offset-ranges.ts';
import { CodedError } from '../../engine/errors.ts';

/** bytes; the broker takes 4096 (`offset.metadata.max.bytes`). */
const MAX_LENGTH = 4_000;
const FORMAT = '1:';

/**
 * Offsets below `start` have left the topic and are forgotten. What still does not fit is made to: the oldest ranges are
 * joined, so that letters between them count as put back too (and need --force), never the other way round.
 */
export function encodeRetried(ranges: Readonly<OffsetRanges>, start: number): string {
  const kept: OffsetRanges = [...ranges];
  if (kept.length > 0) dropBelow(kept, start);
  for (;;) {
    const text = FORMAT + kept.map((boundary, index) => (boundary - (kept[index - 1] ?? 0)).toString(36)).join(',');
    if (text.length <= MAX_LENGTH) return text;
    kept.splice(1, 2);
  }
}

/** Throws CodedError KAFKA for metadata that this version did not write: better no retry than one too many. */
export function decodeRetried(text: string): OffsetRanges {
  if (text === '') return [];
  if (!/^1:([0-9a-z]+,[0-9a-z]+(,[0-9a-z]+,[0-9a-z]+)*)?$/.test(text)) {
    throw new CodedError(
      'KAFKA',
      `the notes on what was put back ("${text.slice(0, 20)}") are not readable by this version`,
    );
  }
  let boundary = 0;
  return text
    .slice(FORMAT.length)
    .split(',')
    .filter((part) => part !== '')
    .map((part) => (boundary += Number.parseInt(part, 36)));
}
