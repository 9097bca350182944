/**
 * Section 2, for one partition triple read from its beginning to its end: which record is applied when. At the end all
 * three partitions are idle, so that the watermark passes everything still held.
 */
import type { Usable } from './decode.ts';
import { TOPICS } from './types.ts';
import type { LogRecord, Topic, UnusableReason } from './types.ts';

export interface Application {
  readonly record: Usable;
  readonly late: boolean;
  /** Effective time, epoch ms. */
  readonly tau: number;
}

export interface Reading {
  /** In the order of application. */
  readonly applications: readonly Application[];
  readonly deadLetters: readonly { readonly record: LogRecord; readonly reason: UnusableReason }[];
  /** Watermark after the end; -Infinity when nothing was ever held. */
  readonly watermark: number;
}

function inOrderOfApplication(a: Usable, b: Usable): number {
  return a.ts - b.ts || TOPICS.indexOf(a.topic) - TOPICS.indexOf(b.topic) || a.offset - b.offset;
}

/** Each log is read in the order of its offsets; of the three heads the one with the smallest timestamp goes first. */
function* merged(logs: Readonly<Record<Topic, readonly LogRecord[]>>): Generator<LogRecord> {
  const at: Record<Topic, number> = { user: 0, session: 0, money: 0 };
  for (;;) {
    let next: LogRecord | undefined;
    for (const topic of TOPICS) {
      const head = logs[topic][at[topic]];
      if (head !== undefined && (next === undefined || head.timestamp < next.timestamp)) next = head;
    }
    if (next === undefined) return;
    at[next.topic] += 1;
    yield next;
  }
}

export function readTriple(
  logs: Readonly<Record<Topic, readonly LogRecord[]>>,
  outOfOrderness: number,
  decode: (record: LogRecord) => Usable | UnusableReason,
): Reading {
  const applications: Application[] = [];
  const deadLetters: { record: LogRecord; reason: UnusableReason }[] = [];
  const largest: Record<Topic, number> = { user: -Infinity, session: -Infinity, money: -Infinity };
  /** Always sorted by order of application. */
  const held: Usable[] = [];
  let watermark = -Infinity;

  const hold = (record: Usable): void => {
    let place = held.length;
    while (place > 0 && inOrderOfApplication(held[place - 1] as Usable, record) > 0) place -= 1;
    held.splice(place, 0, record);
  };
  const applyHeld = (): void => {
    let count = 0;
    while (count < held.length && (held[count] as Usable).ts < watermark) count += 1;
    for (const record of held.splice(0, count)) applications.push({ record, late: false, tau: record.ts });
  };

  for (const raw of merged(logs)) {
    const record = decode(raw);
    if (typeof record === 'string') {
      deadLetters.push({ record: raw, reason: record });
      continue;
    }
    if (record.ts < watermark) {
      applications.push({ record, late: true, tau: watermark });
      continue;
    }
    hold(record);
    largest[record.topic] = Math.max(largest[record.topic], record.ts);
    const newWatermark = Math.min(largest.user, largest.session, largest.money) - outOfOrderness;
    if (newWatermark > watermark) {
      watermark = newWatermark;
      applyHeld();
    }
  }
  const last = held.at(-1);
  if (last !== undefined) watermark = last.ts + 1;
  applyHeld();
  return { applications, deadLetters, watermark };
}
