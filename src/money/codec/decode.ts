/**
 * Bytes of a record -> its event, or why it cannot be used (semantics, sections 1 and 6). A function of the record and
 * the limits alone. Never throws, whatever the bytes are. Reasons are tried in the order of their precedence.
 */
import { INPUTS } from '../domain/events.ts';
import type { Applicable, Event, MoneyInput } from '../domain/events.ts';
import type { DecodeInput, Decoded, RawKafkaRecord } from '../../engine/ordering/decoded.ts';
import type { Rejection } from '../../engine/ordering/rejection.ts';
import { CURRENCIES } from './iso-4217.ts';
import { isShortText, MAX_CHARACTERS } from './short-text.ts';
import { forward } from '../domain/forwarded.ts';
import { valuesOf, type HeaderValue, type RecordHeaders } from '../../engine/kafka/port.ts';
import { parseTimestamp } from '../../engine/values/timestamp.ts';
import type { ReaderSchema } from '../../engine/values/avro/reader-schema.ts';
import { jsonDecoder } from '../../engine/values/value.ts';
import type { DecodedValue, ValueDecoder } from '../../engine/values/value.ts';

export interface Limits {
  /** Bytes of a value. */
  readonly maxRecordBytes: number;
  /** ms that `processedAt` may be ahead of the Kafka record timestamp. */
  readonly maxFutureSkew: number;
  /** With what names and defaults values with schemas are read. */
  readonly readerSchemas?: ReaderSchemas;
  /** Names of the headers that money hands on to its output; none when absent. */
  readonly forwardHeaders?: readonly string[];
}

export type ReaderSchemas = Readonly<Partial<Record<MoneyInput, ReaderSchema>>>;

export type DecodeResult =
  | {
      readonly ok: true;
      readonly userId: string;
      readonly ts: number;
      readonly event: Event;
      /** Bytes of headers that are handed on. */
      readonly headerBytes?: number;
      /** Names of headers that were to be handed on and are too large. */
      readonly headersDropped?: number;
    }
  | ({ readonly ok: false } & Rejection);

/** For the bridge, and for whoever reads as it does. `onHeadersDropped`: told of what {@link DecodeResult} says of it. */
export function decodeWith(
  limits: Limits,
  onHeadersDropped: (headers: number) => void = () => undefined,
): DecodeInput<Applicable['event']> {
  return (input, record, decoder) => {
    const result = decodeRecord(INPUTS[input]!, record, limits, decoder);
    if (result.ok && result.headersDropped !== undefined) onHeadersDropped(result.headersDropped);
    return decodedOf(result);
  };
}

/** Money is urgent: it is what comes out. */
export function decodedOf(result: DecodeResult): Decoded<Applicable['event']> {
  if (!result.ok) return result;
  const { userId, ts, event, headerBytes } = result;
  return {
    ok: true,
    key: userId,
    ts,
    event: event.type === 'time' ? undefined : event,
    urgent: event.type === 'money',
    ...(headerBytes !== undefined && { moreBytes: headerBytes }),
  };
}

/** The types of each topic. */
const TYPES: Readonly<Record<MoneyInput, ReadonlyMap<string, EventReader>>> = {
  money: new Map<string, EventReader>([
    ['PaymentEvent', (fields) => readMoney(fields, 'paymentRelatedThing')],
    ['TransactionEvent', (fields) => readMoney(fields, 'transactionRelatedThing')],
    ['KindOfWalletEvent', (fields) => readTime(fields, 'somethingInteresting')],
  ]),
  user: new Map<string, EventReader>([
    ['ChangeBirthDateEvent', readBirthDate],
    ['ChangeAddressEvent', readAddress],
    ['OtherUserEvent', (fields) => readTime(fields, 'somethingUtil')],
  ]),
  session: new Map<string, EventReader>([
    ['UserSessionCreatedEvent', readSession],
    ['UserSessionClosedEvent', (fields) => readTime(fields, 'reason')],
  ]),
};

export function eventTypesOf(input: MoneyInput): readonly string[] {
  return [...TYPES[input].keys()];
}

type EventReader = (fields: Fields) => Event;

const DECIMALS = ['amount', 'openingBalance', 'closingBalance'] as const;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function decodeRecord(
  input: MoneyInput,
  record: RawKafkaRecord,
  limits: Limits,
  decoder: ValueDecoder = jsonDecoder,
): DecodeResult {
  const result = judge(input, record, limits, decoder);
  if (result.ok && record.headers !== undefined) return withHeaders(result, record.headers, limits.forwardHeaders);
  const unit = result.ok ? undefined : otherUnit(record.timestamp);
  return result.ok || unit === undefined
    ? result
    : { ...result, detail: `${result.detail}; the record's Kafka timestamp is ${unit}, expected epoch milliseconds` };
}

function withHeaders(
  result: DecodeResult & { readonly ok: true },
  headers: RecordHeaders,
  names: readonly string[] = [],
): DecodeResult {
  const { event } = result;
  const found = event.type === 'money' ? names.filter((name) => Object.hasOwn(headers, name)) : [];
  if (event.type !== 'money' || found.length === 0) return result;
  const { forwarded, bytes, dropped } = forward(found.map((name) => [name, valuesOf(headers[name]).map(latin1)]));
  return {
    ...result,
    ...(forwarded && { event: { type: 'money', money: { ...event.money, forwarded } }, headerBytes: bytes }),
    ...(dropped > 0 && { headersDropped: dropped }),
  };
}

/** A header without a value becomes an empty one. */
function latin1(value: HeaderValue): string {
  return value === null || value === undefined ? '' : Buffer.from(value).toString('latin1');
}

function judge(input: MoneyInput, record: RawKafkaRecord, limits: Limits, decoder: ValueDecoder): DecodeResult {
  const { value, timestamp } = record;
  if (value !== null && value.length > limits.maxRecordBytes) {
    return reject('too-large', `value: ${value.length} bytes, expected at most ${limits.maxRecordBytes}`);
  }
  if (value === null) return reject('malformed', 'value: expected a value, not null');
  if (value.length === 0) return reject('malformed', 'value: expected a value, not nothing');
  const raw = decoder.decode(value, limits.readerSchemas?.[input]);
  if ('malformed' in raw) return reject('malformed', raw.malformed);

  const type = raw.field('type');
  const read = typeof type === 'string' ? TYPES[input].get(type) : undefined;
  if (read === undefined) return reject('unknown-type', describeType(type, input));

  let fields: Fields;
  let event: Event;
  try {
    fields = new Fields(raw);
    event = read(fields);
  } catch (error) {
    if (error instanceof InvalidField) return reject('invalid', error.detail);
    throw error;
  }
  if (!(timestamp > 0) && !(timestamp < -1)) {
    return reject(
      'invalid',
      `no Kafka timestamp (${timestamp}), expected epoch milliseconds: let the producer or the topic (message.timestamp.type) set one; dead-letters retry gives it a new one`,
    );
  }
  if (!keyIs(record.key, fields.userId)) {
    return reject('key-mismatch', 'key: expected the userId of the value, bare or in double quotes');
  }
  if (fields.ts > timestamp + limits.maxFutureSkew) {
    const ahead = fields.ts - timestamp;
    return reject(
      'future',
      `processedAt: ${ahead} ms after the record's timestamp, expected at most ${limits.maxFutureSkew}`,
    );
  }
  return { ok: true, userId: fields.userId, ts: fields.ts, event };
}

function readMoney(fields: Fields, relatedThing: string): Event {
  const userSessionId = fields.optionalUuid('userSessionId');
  const [amount, , closingBalance] = fields.decimals();
  const currency = fields.currency();
  const moneyType = fields.shortText('moneyType');
  fields.string(relatedThing);
  const money = {
    id: fields.id,
    ...(userSessionId === undefined ? {} : { userSessionId }),
    ts: fields.ts,
    amount,
    currency,
    closingBalance,
    moneyType,
    isOldMoneyEvent: fields.boolean('isOldMoneyEvent'),
  };
  return { type: 'money', money };
}

function readBirthDate(fields: Fields): Event {
  const birthYear = fields.shortText('birthYear');
  fields.string('birthCityPlace');
  return { type: 'birthDate', birthYear };
}

function readAddress(fields: Fields): Event {
  fields.string('address');
  const residentCountryCode = fields.shortText('residentCountryCode');
  fields.string('postalCode');
  return { type: 'address', residentCountryCode };
}

function readSession(fields: Fields): Event {
  return { type: 'session', sessionId: fields.id, clientCountryCode: fields.shortText('clientCountryCode') };
}

function readTime(fields: Fields, name: string): Event {
  fields.string(name);
  return { type: 'time' };
}

/** Thrown by {@link Fields} only, and caught in {@link decodeRecord}: not an Error, because it needs no stack. */
class InvalidField {
  readonly detail: string;

  constructor(name: string, expected: string) {
    this.detail = `${name}: expected ${expected}`;
  }
}

/** The fields of a record, each checked as it is taken. The three that all types have are taken first. */
class Fields {
  readonly id: string;
  readonly userId: string;
  readonly ts: number;
  readonly #raw: DecodedValue;

  constructor(raw: DecodedValue) {
    this.#raw = raw;
    this.id = this.#uuid('id');
    this.userId = this.#uuid('userId');
    const ts = parseTimestamp(this.string('processedAt'));
    if (ts === null) throw new InvalidField('processedAt', 'an ISO-8601 date and time with an offset or Z');
    this.ts = ts;
  }

  string(name: string): string {
    const value = this.#raw.field(name);
    if (typeof value !== 'string') throw new InvalidField(name, `a string, ${found(value)}`);
    return value;
  }

  /** What is remembered of a user. */
  shortText(name: string): string {
    const value = this.string(name);
    if (!isShortText(value)) throw new InvalidField(name, `at most ${MAX_CHARACTERS} characters`);
    return value;
  }

  boolean(name: string): boolean {
    const value = this.#raw.field(name);
    if (typeof value !== 'boolean') throw new InvalidField(name, `true or false, ${found(value)}`);
    return value;
  }

  optionalUuid(name: string): string | undefined {
    const value = this.#raw.field(name);
    return value === undefined || value === null ? undefined : this.#uuid(name);
  }

  currency(): string {
    const code = this.string('currency');
    if (CURRENCIES.has(code)) return code;
    throw new InvalidField('currency', `a code of ISO 4217, not ${quoted(code)}`);
  }

  decimals(): [amount: string, openingBalance: string, closingBalance: string] {
    const texts = this.#raw.decimalTexts(DECIMALS);
    const [amount, openingBalance, closingBalance] = DECIMALS.map((name, index) => {
      const text = texts[index];
      if (text === null || text === undefined) {
        throw new InvalidField(name, `a decimal number, ${found(this.#raw.field(name))}`);
      }
      return text;
    }) as [string, string, string];
    return [amount, openingBalance, closingBalance];
  }

  #uuid(name: string): string {
    const value = this.string(name);
    if (!UUID.test(value)) throw new InvalidField(name, 'a UUID');
    return value.toLowerCase();
  }
}

/** What a timestamp looks like that is no time of any event in milliseconds: as seconds, micro- or nanoseconds, from 1973 on. */
function otherUnit(timestamp: number): string | undefined {
  if (timestamp === GO_ZERO_TIME) return `Go's zero time (${timestamp})`;
  if (timestamp < -1) return `before 1970 (${timestamp})`;
  if (timestamp < 1e8) return undefined;
  if (timestamp < 1e11) return 'probably in seconds';
  if (timestamp < 1e14) return undefined;
  return timestamp < 1e17 ? 'probably in microseconds' : 'probably in nanoseconds';
}

/** 0001-01-01T00:00:00Z, as a client makes 64 bits of it. */
const GO_ZERO_TIME = -6_795_364_578_871;

function keyIs(key: Buffer | null, userId: string): boolean {
  if (key === null || (key.length !== 36 && key.length !== 38)) return false;
  const text = key.toString('latin1').toLowerCase();
  return text === userId || text === `"${userId}"`;
}

function reject(reason: Rejection['reason'], detail: string): DecodeResult {
  return { ok: false, reason, detail };
}

function describeType(type: unknown, input: MoneyInput): string {
  const known = eventTypesOf(input).join(', ');
  if (type === undefined || type === null) return `type: missing, expected one of ${known}`;
  return `type: expected one of ${known}, ${typeof type === 'string' ? `not ${quoted(type)}` : found(type)}`;
}

/** A short quotation, for the two fields that are not personal. In ASCII: it ends in headers and on terminals. */
function quoted(text: string): string {
  const json = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
  return json.replace(/[^\x20-\x7e]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function found(value: unknown): string {
  if (value === undefined || value === null) return 'but it is missing';
  if (Array.isArray(value)) return 'not an array';
  return typeof value === 'object' ? 'not an object' : `not a ${typeof value}`;
}
