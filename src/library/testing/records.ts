/** The records of a test: their places in Kafka, and the order in which the bridge signals them. */
import assert from 'node:assert';
import type { Random } from '../../engine/random.ts';
import type { ReceivedRecord } from '../../engine/workflow/received.ts';

/** A record as a test writes it; its offset is its place among those of its input. */
export interface GivenRecord<E> {
  /** Index of its input, as the bridge is given them. 0 when absent. */
  readonly input?: number;
  /** Event time, epoch ms. */
  readonly ts: number;
  /** For a record that came late: the watermark when it was read, epoch ms, not before `ts`. */
  readonly late?: number;
  /** JSON. */
  readonly event: E;
}

/** Event time that has been reached when the record is applied. */
export function effective({ ts, late }: Pick<ReceivedRecord<unknown>, 'ts' | 'late'>): number {
  return late ?? ts;
}

/** In the order of application: as the bridge orders them, or would if it had read them so. */
export function inOrder<E>(records: readonly GivenRecord<E>[]): ReceivedRecord<E>[] {
  const ends: number[] = [];
  const placed = records.map(({ input = 0, ts, late, event }, index) => {
    const isRight =
      Number.isSafeInteger(input) &&
      input >= 0 &&
      Number.isSafeInteger(ts) &&
      (late === undefined || (Number.isSafeInteger(late) && late >= ts));
    assert.ok(isRight, `record ${index}: input ${input}, ts ${ts}, late ${late} are not what a record has`);
    const offset = ends[input] ?? 0;
    ends[input] = offset + 1;
    return { input, offset, ts, ...(late !== undefined && { late }), event };
  });
  return placed.sort((a, b) => effective(a) - effective(b) || a.input - b.input || a.offset - b.offset);
}

/** As if its producer had written some of the records twice: beside the first, or so that it comes late, after all others. */
export function withSecondCopies<E>(records: readonly GivenRecord<E>[], random: Random): GivenRecord<E>[] {
  const last = Math.max(...records.map(effective));
  const late: GivenRecord<E>[] = [];
  const all = records.flatMap((record) => {
    const copy = random.pick(['none', 'beside', 'late']);
    if (copy === 'late') late.push({ ...record, late: last });
    return copy === 'beside' ? [record, record] : [record];
  });
  return [...all, ...late];
}
