/** Section 6 and the field table of section 1: what a raw record says, or why it cannot be used. */
import { CURRENCIES } from './currencies.ts';
import { readFields } from './json-text.ts';
import type { Token } from './json-text.ts';
import type { LogRecord, ModelSettings, Topic, UnusableReason } from './types.ts';

export interface MoneyContent {
  readonly id: string;
  readonly sessionId: string | null;
  readonly ts: number;
  /** Number texts, exactly as they came in. */
  readonly amount: string;
  readonly closingBalance: string;
  readonly currency: string;
  readonly moneyType: string;
  readonly isOld: boolean;
}

export type Content =
  | { readonly is: 'money'; readonly money: MoneyContent }
  | { readonly is: 'birthYear'; readonly value: string }
  | { readonly is: 'country'; readonly value: string }
  | { readonly is: 'session'; readonly sessionId: string; readonly country: string }
  | { readonly is: 'time' };

export interface Usable {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: number;
  readonly userId: string;
  /** `processedAt`, epoch ms */
  readonly ts: number;
  readonly content: Content;
}

type FieldKind = 'uuid' | 'date' | 'string' | 'short' | 'number' | 'boolean' | 'currency' | 'optional uuid';

const COMMON: Readonly<Record<string, FieldKind>> = { id: 'uuid', userId: 'uuid', processedAt: 'date' };
const MONEY: Readonly<Record<string, FieldKind>> = {
  ...COMMON,
  userSessionId: 'optional uuid',
  amount: 'number',
  openingBalance: 'number',
  closingBalance: 'number',
  currency: 'currency',
  moneyType: 'short',
  isOldMoneyEvent: 'boolean',
};

const TYPES: Readonly<Record<Topic, ReadonlyMap<string, Readonly<Record<string, FieldKind>>>>> = {
  money: new Map([
    ['PaymentEvent', { ...MONEY, paymentRelatedThing: 'string' }],
    ['TransactionEvent', { ...MONEY, transactionRelatedThing: 'string' }],
    ['KindOfWalletEvent', { ...COMMON, somethingInteresting: 'string' }],
  ]),
  user: new Map([
    ['ChangeBirthDateEvent', { ...COMMON, birthYear: 'short', birthCityPlace: 'string' }],
    ['ChangeAddressEvent', { ...COMMON, address: 'string', residentCountryCode: 'short', postalCode: 'string' }],
    ['OtherUserEvent', { ...COMMON, somethingUtil: 'string' }],
  ]),
  session: new Map([
    ['UserSessionCreatedEvent', { ...COMMON, clientCountryCode: 'short' }],
    ['UserSessionClosedEvent', { ...COMMON, reason: 'string' }],
  ]),
};

/** Seconds may be left out, and a comma is a decimal sign as well. */
const DATE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)$/;
const YEAR_0 = -62167219200000; // 0000-01-01T00:00:00.000Z
const YEAR_10000 = 253402300800000;

/** ISO-8601 extended date-time with offset or Z -> epoch ms, finer digits cut; null when it is not one. */
export function parseDate(text: string): number | null {
  const m = DATE.exec(text);
  if (m === null) return null;
  const [year, month, day, hour, minute] = m.slice(1, 6).map(Number) as [number, number, number, number, number];
  const second = Number(m[6] ?? 0);
  if (hour > 23 || minute > 59 || second > 59) return null;
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  // Date rolls 30 February over to March: such a day is not a date.
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return null;
  const ms = Number((m[7] ?? '').padEnd(3, '0').slice(0, 3));
  const [offsetHours, offsetMinutes] = [Number(m[9] ?? 0), Number(m[10] ?? 0)];
  if (offsetHours > 23 || offsetMinutes > 59) return null;
  const offset = (offsetHours * 60 + offsetMinutes) * 60_000 * (m[8] === '-' ? -1 : 1);
  const ts = midnight.getTime() + hour * 3_600_000 + minute * 60_000 + second * 1000 + ms - offset;
  return ts >= YEAR_0 && ts < YEAR_10000 ? ts : null;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function fits(kind: FieldKind, token: Token | undefined): boolean {
  if (token === undefined || token.kind === 'null') return kind === 'optional uuid';
  if (kind === 'number' || kind === 'boolean') return token.kind === kind;
  if (token.kind !== 'string') return false;
  const text = JSON.parse(token.text) as string;
  if (kind === 'date') return parseDate(text) !== null;
  if (kind === 'currency') return CURRENCIES.has(text);
  if (kind === 'short') return Array.from(text).length <= 1000;
  return kind === 'string' || UUID.test(text);
}

function utf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function contentOf(type: string, ts: number, text: (name: string) => string, has: (name: string) => boolean): Content {
  if (type === 'ChangeBirthDateEvent') return { is: 'birthYear', value: text('birthYear') };
  if (type === 'ChangeAddressEvent') return { is: 'country', value: text('residentCountryCode') };
  if (type === 'UserSessionCreatedEvent') {
    return { is: 'session', sessionId: text('id').toLowerCase(), country: text('clientCountryCode') };
  }
  if (type !== 'PaymentEvent' && type !== 'TransactionEvent') return { is: 'time' };
  return {
    is: 'money',
    money: {
      id: text('id').toLowerCase(),
      sessionId: has('userSessionId') ? text('userSessionId').toLowerCase() : null,
      ts,
      amount: text('amount'),
      closingBalance: text('closingBalance'),
      currency: text('currency'),
      moneyType: text('moneyType'),
      isOld: text('isOldMoneyEvent') === 'true',
    },
  };
}

/** The reasons are tried in the order of section 6: the first that fits is the one. */
export function decode(record: LogRecord, settings: ModelSettings): Usable | UnusableReason {
  if (record.value !== null && record.value.length > settings.maxRecordBytes) return 'too-large';
  const json = record.value === null ? null : utf8(record.value);
  const fields = json === null ? null : readFields(json);
  if (fields === null) return 'malformed';

  /** Text of a number or boolean; unescaped text of a string. */
  const text = (name: string): string => {
    const token = fields.get(name) as Token;
    return token.kind === 'string' ? (JSON.parse(token.text) as string) : token.text;
  };
  const has = (name: string): boolean => (fields.get(name)?.kind ?? 'null') !== 'null';

  const type = fields.get('type')?.kind === 'string' ? text('type') : '';
  const wanted = TYPES[record.topic].get(type);
  if (wanted === undefined) return 'unknown-type';
  if (!Object.entries(wanted).every(([name, kind]) => fits(kind, fields.get(name)))) return 'invalid';
  if (record.timestamp === -1 || record.timestamp === 0) return 'invalid';

  const userId = text('userId').toLowerCase();
  const key = record.key === null ? null : utf8(record.key)?.toLowerCase();
  if (key !== userId && key !== `"${userId}"`) return 'key-mismatch';
  const ts = parseDate(text('processedAt')) as number;
  if (ts > record.timestamp + settings.maxFutureSkew) return 'future';
  const { topic, partition, offset } = record;
  return { topic, partition, offset, userId, ts, content: contentOf(type, ts, text, has) };
}
