/**
 * Section 2, for one partition triple read from its beginning to its end: which record is applied when. At the end all
 * three partitions are idle, so that the watermark passes everything still held. Where it is told when the records arrived, it reads
 * as a bridge that was there, to which a partition may be silent before its end too.
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

/** How a reader that was there met the logs: it read each record at once. */
export interface Presence {
  /** ms of one clock. */
  readonly since: number;
  readonly arrivedAt: (record: LogRecord) => number;
  /** ms */
  readonly idleTimeout: number;
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

/** What came at one moment, by topic. */
type Burst = Readonly<Record<Topic, readonly LogRecord[]>>;

function burstsOf(logs: Burst, arrivedAt: Presence['arrivedAt']): { readonly at: number; readonly burst: Burst }[] {
  const moments = [...new Set(TOPICS.flatMap((topic) => logs[topic].map(arrivedAt)))].sort((a, b) => a - b);
  return moments.map((at) => {
    const of = (topic: Topic): LogRecord[] => logs[topic].filter((record) => arrivedAt(record) === at);
    return { at, burst: { user: of('user'), session: of('session'), money: of('money') } };
  });
}

export function readTriple(
  logs: Readonly<Record<Topic, readonly LogRecord[]>>,
  outOfOrderness: number,
  decode: (record: LogRecord) => Usable | UnusableReason,
  presence?: Presence,
): Reading {
  const applications: Application[] = [];
  const deadLetters: { record: LogRecord; reason: UnusableReason }[] = [];
  const largest: Record<Topic, number> = { user: -Infinity, session: -Infinity, money: -Infinity };
  /** Always sorted by order of application. */
  const held: Usable[] = [];
  const idle = new Set<Topic>();
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
  const raiseWatermark = (): void => {
    const counting = TOPICS.filter((topic) => !idle.has(topic));
    const last = held.at(-1);
    const reached =
      counting.length > 0
        ? Math.min(...counting.map((topic) => largest[topic])) - outOfOrderness
        : (last?.ts ?? -Infinity) + 1;
    if (reached <= watermark) return;
    watermark = reached;
    applyHeld();
  };
  const read = (raw: LogRecord): void => {
    const record = decode(raw);
    if (typeof record === 'string') {
      deadLetters.push({ record: raw, reason: record });
      return;
    }
    largest[record.topic] = Math.max(largest[record.topic], record.ts);
    if (record.ts < watermark) applications.push({ record, late: true, tau: watermark });
    else hold(record);
    raiseWatermark();
  };
  const fallSilent = (topics: readonly Topic[]): void => {
    for (const topic of topics) idle.add(topic);
    raiseWatermark();
  };

  if (presence === undefined) {
    for (const raw of merged(logs)) read(raw);
  } else {
    const { since, arrivedAt, idleTimeout } = presence;
    /** Since when each has been silent: what cannot be used breaks no silence. */
    const silentSince: Record<Topic, number> = { user: since, session: since, money: since };
    for (const { at, burst } of burstsOf(logs, arrivedAt)) {
      const silent = TOPICS.filter((topic) => !idle.has(topic) && silentSince[topic] + idleTimeout <= at);
      for (const topic of silent.sort((a, b) => silentSince[a] - silentSince[b])) fallSilent([topic]);
      for (const topic of TOPICS) {
        if (!burst[topic].some((raw) => typeof decode(raw) !== 'string')) continue;
        silentSince[topic] = at;
        idle.delete(topic);
      }
      for (const raw of merged(burst)) read(raw);
    }
  }
  fallSilent(TOPICS);
  return { applications, deadLetters, watermark };
}
