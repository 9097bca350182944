/**
 * The records of the dead-letter topic (semantics, section 6): raw key and value, the record's own headers, and after them
 * headers that say why and whence, by our names and by those of Kafka Connect. A name that occurs twice is the record's own
 * first: ours is always the last one.
 */
import { createHash } from 'node:crypto';
import { bytesOf, headerBytes, valuesOf } from '../kafka/port.ts';
import type { OutRecord, RecordHeaders } from '../kafka/port.ts';
import { DEAD_LETTER_REASONS, type Rejection } from '../ordering/rejection.ts';
import { connectHeaders, endWith, textOf } from './connect-headers.ts';

/** Where a record was read. */
export interface RecordSource {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Kafka record timestamp, epoch ms. */
  readonly timestamp: number;
  /** Its very digits, where the number is not exact (nanoseconds). */
  readonly timestampText?: string;
}

/** The record as it was read. */
export interface LetterContent {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: RecordHeaders;
}

type Always = 'reason' | 'detail' | 'source-topic' | 'source-partition' | 'source-offset' | 'source-timestamp';
type DeadLetterHeaders = Readonly<Record<Always, string>>;

const ALWAYS: readonly Always[] = [
  'reason',
  'detail',
  'source-topic',
  'source-partition',
  'source-offset',
  'source-timestamp',
];
/** Only of what was cut: bytes and SHA-256 (lower-case hex) of the whole. */
const OF_CUT = [
  'value-bytes',
  'value-sha256',
  'value-cut',
  'key-bytes',
  'key-sha256',
  'key-cut',
  'headers-bytes',
  'headers-cut',
] as const;
/** Says of a part whether it was cut. */
const MARKS = ['value-cut', 'key-cut', 'headers-cut'] as const;

/** What a dead letter lacks of the record that it stands for. */
export interface Cut {
  readonly value?: { readonly bytes: number; readonly sha256: string };
  readonly key?: { readonly bytes: number; readonly sha256: string };
  /** Its own headers were left out. */
  readonly headers?: { readonly bytes: number };
}

function deadLetterHeaders(
  source: RecordSource,
  rejection: Rejection,
): DeadLetterHeaders & Readonly<Record<string, string>> {
  return {
    reason: rejection.reason,
    detail: rejection.detail,
    'source-topic': source.topic,
    'source-partition': String(source.partition),
    'source-offset': String(source.offset),
    'source-timestamp': source.timestampText ?? String(source.timestamp),
    ...connectHeaders(source, rejection),
  };
}

/** The record to write; a null key or value stays null. */
export function deadLetter(
  source: RecordSource,
  { key, value, headers = {} }: LetterContent,
  rejection: Rejection,
): OutRecord {
  return { key, value, headers: after(headers, deadLetterHeaders(source, rejection)) };
}

/**
 * The same of a record that no request can carry: what is too much is cut until a request of `limit` bytes takes it, the value
 * first of all, the key and the record's own headers only where they alone are too much.
 */
export function cutDeadLetter(
  source: RecordSource,
  { key, value, headers = {} }: LetterContent,
  rejection: Rejection,
  limit: number,
): OutRecord {
  const ours = deadLetterHeaders(source, rejection);
  const marked: Record<string, string> = { ...ours };
  let own = headers;
  if (headerBytes(own) > limit / 4) {
    own = {};
    Object.assign(marked, { 'headers-bytes': String(headerBytes(headers)), 'headers-cut': 'true' });
  }
  let shortKey = key;
  if (key !== null && key.length > limit / 4) {
    shortKey = key.subarray(0, Math.floor(limit / 4));
    Object.assign(marked, { 'key-bytes': String(key.length), 'key-sha256': sha256(key), 'key-cut': 'true' });
  }
  const room = (more: Record<string, string>): number =>
    limit - bytesOf({ key: shortKey, value: null, headers: after(own, { ...marked, ...more }) });
  let shortValue = value;
  if (value !== null && value.length > room({})) {
    const cut = { 'value-bytes': String(value.length), 'value-sha256': sha256(value), 'value-cut': 'true' };
    shortValue = value.subarray(0, Math.max(0, room(cut)));
    Object.assign(marked, cut);
  }
  return { key: shortKey, value: shortValue, headers: after(own, marked) };
}

/** The record's own headers, and ours after them: also where it has some of our names. */
function after(own: RecordHeaders, ours: Readonly<Record<string, string>>): RecordHeaders {
  const all: Record<string, string> = { ...ours };
  // A header of its own that is named like the mark of a cut would be read as one.
  for (const name of MARKS) if (own[name] !== undefined) all[name] ??= 'false';
  const names = Object.keys(own);
  if (!names.some((name) => Object.hasOwn(all, name))) return { ...own, ...all };
  const others = Object.entries(own).filter(([name]) => !Object.hasOwn(all, name));
  const merged = Object.entries(all).map(
    ([name, text]) => [name, Object.hasOwn(own, name) ? [...valuesOf(own[name]), text] : text] as const,
  );
  return Object.fromEntries<RecordHeaders[string]>([...others, ...merged]);
}

/** What the headers of a dead letter say, or null for a record that this product did not write. */
export function readDeadLetterHeaders(
  headers: RecordHeaders,
): (Rejection & { readonly source: RecordSource; readonly cut?: Cut }) | null {
  const text = (name: Always | (typeof OF_CUT)[number]): string => textOf(valuesOf(headers[name]).at(-1));
  const reason = DEAD_LETTER_REASONS.find((known) => known === text('reason'));
  const topic = text('source-topic');
  const numbers = [text('source-partition'), text('source-offset')];
  const digits = text('source-timestamp');
  if (
    reason === undefined ||
    topic === '' ||
    !numbers.every((number) => /^-?\d{1,16}$/.test(number)) ||
    !/^-?\d{1,20}$/.test(digits)
  ) {
    return null;
  }
  const [partition = 0, offset = 0] = numbers.map(Number);
  const timestamp = Number(digits);
  const exact = Number.isSafeInteger(timestamp) ? {} : { timestampText: digits };
  const whole = (part: 'value' | 'key') =>
    text(`${part}-cut`) === 'true'
      ? { [part]: { bytes: Number(text(`${part}-bytes`)), sha256: text(`${part}-sha256`) } }
      : {};
  const lost = text('headers-cut') === 'true' ? { headers: { bytes: Number(text('headers-bytes')) } } : {};
  const cut: Cut = { ...whole('value'), ...whole('key'), ...lost };
  return {
    reason,
    detail: text('detail'),
    source: { topic, partition, offset, timestamp, ...exact },
    ...(Object.keys(cut).length > 0 && { cut }),
  };
}

/** The headers that the record had of its own: those of a dead letter without ours. */
export function ownHeaders(headers: RecordHeaders): RecordHeaders {
  const names: ReadonlySet<string> = new Set<string>([...ALWAYS, ...OF_CUT]);
  const isCut = MARKS.some((mark) => headers[mark] !== undefined);
  const said = readDeadLetterHeaders(headers);
  const connect = said === null ? {} : connectHeaders(said.source, said);
  // Letters of releases before 0.3.0 have none of these.
  const hasConnect = endWith(headers, connect);
  const isOurs = (name: string): boolean =>
    names.has(name)
      ? ALWAYS.includes(name as Always) || isOfCut(name, headers, isCut)
      : hasConnect && Object.hasOwn(connect, name);
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, values]) => {
      const rest = isOurs(name) ? valuesOf(values).slice(0, -1) : valuesOf(values);
      return rest.length === 0 ? [] : [[name, rest.length === 1 ? rest[0] : rest] as const];
    }),
  );
}

/** Whether the last header of this name is ours: a mark always is, the others only beside a mark that says so. */
function isOfCut(name: string, headers: RecordHeaders, isCut: boolean): boolean {
  if (!isCut) return false;
  const mark = MARKS.find((one) => name.startsWith(one.slice(0, -'cut'.length)));
  return mark !== undefined && (name === mark || textOf(valuesOf(headers[mark]).at(-1)) === 'true');
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
