/** Records of the bridge, as they are fetched and as they are read, in short. */
import type { Checkpoint } from '../../../src/engine/ordering/checkpoint.ts';
import type { Fetched } from '../../../src/engine/ordering/merge-queue.ts';
import type { ReadRecord } from '../../../src/engine/ordering/read-record.ts';
import type { InputIndex } from '../../../src/engine/ordering/watermark.ts';
import type { Applicable, Event, Offsets } from '../../../src/money/domain/events.ts';
import { decodedOf } from '../../../src/money/codec/decode.ts';

export const USER_INPUT = 0;
export const SESSION_INPUT = 1;
export const MONEY_INPUT = 2;
export const NOWHERE: Checkpoint = { next: [0, 0, 0], maxTs: [-Infinity, -Infinity, -Infinity], watermark: -Infinity };

/** An event of the topic: money, a session, an address. `time`: one that only moves time. */
function event(input: InputIndex, ts: number, time = false): Event {
  if (time) return { type: 'time' };
  if (input === USER_INPUT) return { type: 'address', residentCountryCode: 'UY' };
  if (input === SESSION_INPUT) return { type: 'session', sessionId: 's', clientCountryCode: 'UY' };
  return {
    type: 'money',
    money: {
      id: 'm',
      ts,
      amount: '1.00',
      currency: 'EUR',
      closingBalance: '2.00',
      moneyType: 'BET',
      isOldMoneyEvent: false,
    },
  };
}

export interface FetchedFields {
  readonly ts: number;
  /** Kafka timestamp; `ts` when absent. */
  readonly timestamp?: number;
  readonly userId?: string;
  readonly bytes?: number;
  readonly time?: boolean;
}

export function fetched(
  input: InputIndex,
  offset: number,
  { ts, timestamp = ts, userId = 'u', bytes = 10, time = false }: FetchedFields,
): Fetched<Applicable['event']> {
  return { offset, timestamp, bytes, decoded: decodedOf({ ok: true, userId, ts, event: event(input, ts, time) }) };
}

export function unusable(offset: number, timestamp: number): Fetched {
  const raw = { key: Buffer.from('k'), value: Buffer.from('no JSON') };
  return {
    offset,
    timestamp,
    bytes: raw.value.length,
    decoded: { ok: false, reason: 'malformed', detail: 'value: expected JSON' },
    raw,
  };
}

/** Read at `before.next`, which is [n, n, n] for a place n of the reading order. */
export function read(
  place: number,
  input: InputIndex,
  ts: number,
  { userId = 'u', bytes = 10, offset = place } = {},
): ReadRecord {
  const before: Checkpoint = { next: [place, place, place] as Offsets, maxTs: [ts, ts, ts], watermark: ts };
  return {
    input,
    offset,
    ts,
    timestamp: ts,
    key: userId,
    bytes,
    before,
    urgent: input === MONEY_INPUT,
    applicable: { input, offset, ts, event: event(input, ts) as Applicable['event'] },
  };
}
