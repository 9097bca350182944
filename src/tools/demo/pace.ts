/**
 * Sending the scenario at a steady pace. What makes the verdict exact: the records of a slice all carry the time of its
 * end as their Kafka timestamp and are written topic after topic in the order user, session, money, each
 * acknowledged before the next. So at any moment the logs hold a beginning of the merged order (semantics, section 2),
 * and the bridge reads in that order however fast or slow it is.
 *
 * Beats, records that only move time, go to every partition of every topic at regular intervals: no partition is silent
 * for long, and the watermark follows everywhere.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { INPUTS } from '../../money/domain/events.ts';
import type { MoneyInput } from '../../money/domain/events.ts';
import type { OutRecord } from '../../engine/kafka/port.ts';
import { clockUsers } from '../generate/clock-users.ts';
import { keyOf, render, timeEvent } from '../generate/event-text.ts';
import { Random } from '../../engine/random.ts';
import type { PlannedRecord } from './plan.ts';

/** Records a second. */
const RATE = 60;
/** Few records take their time as well: the watermark has to move often enough for what is late to be late. */
const MIN_BEATS = 40;
const SENDS_PER_SECOND = 4;
/** Event time that passes after the last record, ms: more than the out-of-orderness. */
const AFTERWARDS = 60_000;

interface Slice {
  /** Of all its records, epoch ms. */
  readonly timestamp: number;
  readonly records: Readonly<Record<MoneyInput, readonly OutRecord[]>>;
  /** Of these records, how many are of the scenario. */
  readonly events: number;
}

export interface Pace {
  readonly slices: readonly Slice[];
  /** ms from one slice to the next. */
  readonly interval: number;
  readonly total: number;
}

/** `records` in the order of arrival. */
export function paceOf(records: readonly PlannedRecord[], partitions: number, seed: number): Pace {
  const random = new Random(seed + 1);
  const clocks = clockUsers(random, partitions);
  const seconds = records.length / RATE;
  const beats = Math.max(MIN_BEATS, Math.ceil(seconds));
  const sends = Math.max(1, Math.floor((SENDS_PER_SECOND * seconds) / beats));
  const count = beats * sends;
  const slices: Slice[] = [];
  let timestamp = records[0]?.arrival ?? 0;
  const at = (index: number): number => Math.floor((records.length * index) / count);
  for (let index = 0; index < count; index += 1) {
    const part = records.slice(at(index), at(index + 1));
    timestamp = part.at(-1)?.arrival ?? timestamp;
    slices.push(sliceOf(part, timestamp, (index + 1) % sends === 0 ? clocks : [], random));
  }
  slices.push(sliceOf([], timestamp + AFTERWARDS, clocks, random));
  const total = slices.reduce(
    (sum, { records: own }) => sum + INPUTS.reduce((all, input) => all + own[input].length, 0),
    0,
  );
  return { slices, interval: (seconds * 1_000) / count, total };
}

function sliceOf(part: readonly PlannedRecord[], timestamp: number, clocks: readonly string[], random: Random): Slice {
  const records = Object.fromEntries(
    INPUTS.map((input) => {
      const own: OutRecord[] = part
        .filter((record) => record.input === input)
        .map(({ key, value }) => ({ key, value, timestamp }));
      for (const userId of clocks) {
        const { fields } = timeEvent(input, random.uuid(), userId, new Date(timestamp).toISOString());
        own.push({ key: keyOf(userId), value: render(fields), timestamp });
      }
      return [input, own];
    }),
  ) as unknown as Record<MoneyInput, OutRecord[]>;
  return { timestamp, records, events: part.length };
}

export interface Progress {
  /** Records written, beats among them. */
  readonly written: number;
  /** Event time of the last slice, epoch ms. */
  readonly eventTime: number;
  /** Slices written, as a fraction of all. */
  readonly fraction: number;
}

/**
 * Writes all slices; returns the longest time between two of them, ms. `send` resolves when the records are written.
 * Errors: those of `send`, the signal's reason.
 */
export async function sendPaced(
  pace: Pace,
  send: (input: MoneyInput, records: readonly OutRecord[]) => Promise<void>,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<number> {
  const begun = performance.now();
  let [written, longest, last] = [0, 0, begun];
  for (const [index, slice] of pace.slices.entries()) {
    const wait = begun + index * pace.interval - performance.now();
    if (wait > 0) await pause(wait, undefined, { signal });
    for (const input of INPUTS) {
      signal.throwIfAborted();
      const records = slice.records[input];
      if (records.length > 0) await send(input, records);
      written += records.length;
    }
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    onProgress({ written, eventTime: slice.timestamp, fraction: (index + 1) / pace.slices.length });
  }
  return longest;
}
