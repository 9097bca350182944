/**
 * Bytes that a part of a user's state takes where it is stored: in Avro (schemas/state.avsc), packed (src/engine/stored/packed.ts).
 * Never less than that, and more only by some percent; test/money/domain/stored-size.test.ts holds it against the codec.
 */
import type { Change, Lookup, Money, Output, Pending, Session, SessionInfo, UserInfo } from './types.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** A UUID where it is packed, with the head of the plain bytes before it. */
const PACKED_UUID = 17;
/** What is plain for as long as this needs a longer head. */
const SHORT_PLAIN = 32;
/** A shorter number text is taken as plain text. */
const LONG_NUMBER = 64;
/** Heads, and the digits of the three runs of a number that are too short to be packed. */
const NUMBER_HEADS = 128;

/** Avro's variable length of a signed integer. */
export function longSize(value: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  let size = 1;
  for (; rest >= 128; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

/** In UTF-8, with its length; what is no character of UTF-8 is escaped (src/engine/stored/surrogates.ts). */
export function textSize(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit === 0xfdd0) bytes += 7;
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 3;
    else if (unit < 0xdc00 && at + 1 < text.length && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) {
      bytes += 4;
      at += 1;
    } else bytes += 7;
  }
  return bytes + longSize(bytes);
}

function idSize(id: string): number {
  return id.length === 36 && UUID.test(id) ? PACKED_UUID : withHeads(textSize(id));
}

/** Of a number text: the digits of a long one are packed, two a byte. */
function numberSize(text: string): number {
  return text.length <= LONG_NUMBER ? textSize(text) : Math.ceil(text.length / 2) + NUMBER_HEADS;
}

/** Plain bytes between two that are packed. */
function withHeads(bytes: number): number {
  return bytes + Math.floor(bytes / SHORT_PLAIN) + (bytes >= SHORT_PLAIN ? 1 : 0);
}

export function dedupSize(id: string, ts: number): number {
  return idSize(id) + longSize(ts);
}

export function sessionSize(id: string, { ts, offset, clientCountryCode }: Session): number {
  return idSize(id) + withHeads(longSize(ts) + longSize(offset) + textSize(clientCountryCode));
}

export function changeSize({ ts, offset, value }: Change): number {
  return withHeads(longSize(ts) + longSize(offset) + textSize(value));
}

export function moneyTypeSize(moneyType: string): number {
  return withHeads(textSize(moneyType));
}

/** Of money that waits for its session, with its share of the map that it stands in. */
export function pendingSize({ money, dueAt, wallDueAt, ...rest }: Pending): number {
  return (
    idSize(money.userSessionId) +
    withHeads(4 + waitingSize(rest) + plainMoneySize(money) + longSize(dueAt) + optionalLong(wallDueAt)) +
    moneyIdsSize(money)
  );
}

export function lookupSize({ money, giveUpAt, ...rest }: Lookup): number {
  return withHeads(waitingSize(rest) + plainMoneySize(money) + optionalLong(giveUpAt)) + moneyIdsSize(money);
}

export function outputSize({ partition, offset, enriched }: Output): number {
  const { userId, money, userInfo, sessionInfo } = enriched;
  const plain =
    longSize(partition) +
    longSize(offset) +
    plainMoneySize(money) +
    infoSize(userInfo) +
    sessionInfoSize(sessionInfo) +
    4;
  return idSize(userId) + withHeads(plain) + moneyIdsSize(money);
}

interface Waiting {
  readonly partition: number;
  readonly offset: number;
  readonly userInfo?: UserInfo;
}

function waitingSize({ partition, offset, userInfo }: Waiting): number {
  return longSize(partition) + longSize(offset) + infoSize(userInfo) + 1;
}

/** All of it but its ids. */
function plainMoneySize({
  ts,
  amount,
  currency,
  closingBalance,
  moneyType,
  forwarded,
}: Omit<Money, 'id' | 'userSessionId'>): number {
  return (
    longSize(ts) +
    numberSize(amount) +
    textSize(currency) +
    numberSize(closingBalance) +
    textSize(moneyType) +
    1 +
    forwardedSize(forwarded)
  );
}

function forwardedSize(forwarded: Money['forwarded']): number {
  if (forwarded === undefined) return 1;
  const { headers } = forwarded;
  // The union's branch, the block of the array, its end.
  return headers.reduce((sum, { name, value }) => sum + textSize(name) + textSize(value), 2 + longSize(headers.length));
}

function moneyIdsSize({ id, userSessionId }: Pick<Money, 'id' | 'userSessionId'>): number {
  return idSize(id) + 1 + (userSessionId === undefined ? 0 : idSize(userSessionId));
}

function infoSize(info: UserInfo | undefined): number {
  if (info === undefined) return 1;
  return (
    3 +
    (info.birthYear === undefined ? 0 : textSize(info.birthYear)) +
    (info.residentCountryCode === undefined ? 0 : textSize(info.residentCountryCode))
  );
}

function sessionInfoSize(info: SessionInfo | undefined): number {
  return info === undefined ? 1 : 1 + textSize(info.clientCountryCode);
}

function optionalLong(value: number | undefined): number {
  return value === undefined ? 1 : 1 + longSize(value);
}
