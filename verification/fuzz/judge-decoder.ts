/** What must hold of every record that goes through the decoder. The expected verdict is the independent model's. */
import { isDeepStrictEqual } from 'node:util';
import { deadLetter, readDeadLetterHeaders } from '../../src/engine/bridge/dead-letter.ts';
import { DEAD_LETTER_REASONS } from '../../src/engine/ordering/rejection.ts';
import type { decodeRecord, DecodeResult, Limits } from '../../src/money/codec/decode.ts';
import { encodeEnriched } from '../../src/money/codec/enriched.ts';
import { decode as modelDecode } from '../../src/money/model/decode.ts';
import type { Content } from '../../src/money/model/decode.ts';
import { DEFAULT_SETTINGS } from '../../src/money/model/model.ts';
import { DEAD_LETTER_HEADERS } from '../../test/support/dead-letter-headers.ts';
import type { HostileRecord } from './records.ts';
import { stopwatch } from './stopwatch.ts';

export type Decode = typeof decodeRecord;

/** ms that one record may hold up everything else. */
export const MAX_STALL = 100;
/** Characters: what is said of a record is short, whatever its size. */
const MAX_DETAIL = 400;

export interface Judgement {
  /** `used`, or the reason of the dead letter. */
  readonly verdict: string;
  /** What does not hold; undefined when all does. */
  readonly failure?: string;
  /** ms that the decoder took. */
  readonly ms: number;
}

export function judge(record: HostileRecord, limits: Limits, decode: Decode): Judgement {
  const { input, key, value, timestamp } = record;
  const before = { key: copy(key), value: copy(value) };
  const elapsed = stopwatch();
  let result: DecodeResult;
  try {
    result = decode(input, { key, value, timestamp }, limits);
  } catch (error) {
    return { verdict: 'exception', failure: `it threw ${String(error)}`, ms: elapsed() };
  }
  const ms = elapsed();
  const verdict = result.ok ? 'used' : result.reason;
  const failure =
    disagreement(record, limits, result) ??
    (result.ok ? outputProblem(result) : deadLetterProblem(record, result)) ??
    sideEffect(record, before);
  return { verdict, ms, ...(failure === undefined ? {} : { failure }) };
}

function disagreement({ input, ...record }: HostileRecord, limits: Limits, result: DecodeResult): string | undefined {
  const expected = modelDecode(
    { topic: input, partition: 0, offset: 0, ...record },
    { ...DEFAULT_SETTINGS, ...limits },
  );
  if (typeof expected === 'string') {
    return result.ok || result.reason !== expected
      ? `expected ${expected}, got ${result.ok ? 'a used record' : result.reason}`
      : undefined;
  }
  const { userId, ts, content } = expected;
  const want = { userId, ts, content };
  const got = result.ok ? { userId: result.userId, ts: result.ts, content: contentOf(result) } : result;
  return isDeepStrictEqual(got, want) ? undefined : `expected ${shown(want)}, got ${shown(got)}`;
}

function contentOf({ event }: DecodeResult & { ok: true }): Content {
  switch (event.type) {
    case 'time':
      return { is: 'time' };
    case 'birthDate':
      return { is: 'birthYear', value: event.birthYear };
    case 'address':
      return { is: 'country', value: event.residentCountryCode };
    case 'session':
      return { is: 'session', sessionId: event.sessionId, country: event.clientCountryCode };
    case 'money': {
      const { userSessionId, isOldMoneyEvent, ...money } = event.money;
      return { is: 'money', money: { ...money, sessionId: userSessionId ?? null, isOld: isOldMoneyEvent } };
    }
  }
}

/** What is used can be written, and read by any JSON reader; the number texts are those of the record. */
function outputProblem({ event, userId }: DecodeResult & { ok: true }): string | undefined {
  if (event.type !== 'money') return undefined;
  const { money } = event;
  const text = encodeEnriched({
    userId,
    money,
    userInfo: { birthYear: money.moneyType },
    sessionInfo: { clientCountryCode: money.moneyType },
    firstOccurrence: true,
  });
  const read = JSON.parse(text) as {
    money: { moneyType: string };
    userInfo: { birthYear: string };
    firstOccurrence: boolean;
  };
  const same =
    read.money.moneyType === money.moneyType && read.userInfo.birthYear === money.moneyType && read.firstOccurrence;
  return same && text.includes(`"amount":${money.amount},"currency"`) ? undefined : `its output is ${shown(text)}`;
}

function deadLetterProblem(
  { input, key, value, timestamp }: HostileRecord,
  result: DecodeResult & { ok: false },
): string | undefined {
  if (!DEAD_LETTER_REASONS.includes(result.reason)) return `"${result.reason}" is no reason of the table`;
  const { detail } = result;
  if (detail === '' || detail.length > MAX_DETAIL || /[^\x20-\x7e]/.test(detail)) {
    return `its detail is ${shown(detail)}`;
  }
  const source = { topic: input, partition: 3, offset: 7, timestamp };
  const letter = deadLetter(source, { key, value }, result);
  if (letter.key !== key || letter.value !== value) return 'its dead letter has another key or value';
  const headers = letter.headers ?? {};
  if (
    Object.keys(headers).join() !== DEAD_LETTER_HEADERS.join() ||
    !Object.values(headers).every((text) => typeof text === 'string' && text !== '')
  ) {
    return `its headers are ${shown(headers)}`;
  }
  if (!isDeepStrictEqual(readDeadLetterHeaders(headers), { reason: result.reason, detail, source })) {
    return `its headers do not say what they are of: ${shown(headers)}`;
  }
  return undefined;
}

function sideEffect({ key, value }: HostileRecord, before: Pick<HostileRecord, 'key' | 'value'>): string | undefined {
  if (!same(key, before.key) || !same(value, before.value)) return 'it changed the bytes of the record';
  const left = Object.keys(Object.prototype);
  return left.length === 0 && !('polluted' in {}) ? undefined : `it changed Object.prototype: ${left.join()}`;
}

function copy(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}

function same(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}… (${text.length} characters)` : text;
}
