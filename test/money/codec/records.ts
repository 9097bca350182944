/** Records as producers write them, and what becomes of them. */
import type { DecodeResult } from '../../../src/money/codec/decode.ts';
import { decodeRecord } from '../../../src/money/codec/decode.ts';
import type { MoneyInput } from '../../../src/money/domain/events.ts';

export const ID = '11111111-2222-4333-8444-55555555555a';
export const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
export const SESSION = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
export const AT = '2026-01-31T10:00:00.000Z';
export const TS = 1_769_853_600_000;
export const LIMITS = { maxRecordBytes: 1_048_576, maxFutureSkew: 3_600_000 };

const common = { id: ID, userId: USER, processedAt: AT };
export const payment = {
  type: 'PaymentEvent',
  ...common,
  userSessionId: SESSION,
  amount: 1.5,
  openingBalance: 10,
  closingBalance: 11.5,
  currency: 'EUR',
  moneyType: 'DEPOSIT',
  paymentRelatedThing: 'card',
  isOldMoneyEvent: false,
};
const { paymentRelatedThing, ...rest } = payment;
export const transaction = { ...rest, type: 'TransactionEvent', transactionRelatedThing: paymentRelatedThing };
export const wallet = { type: 'KindOfWalletEvent', ...common, somethingInteresting: 'x' };
export const birthDate = { type: 'ChangeBirthDateEvent', ...common, birthYear: '1990', birthCityPlace: 'Salto' };
export const address = {
  type: 'ChangeAddressEvent',
  ...common,
  address: 'a',
  residentCountryCode: 'UY',
  postalCode: '11000',
};
export const otherUser = { type: 'OtherUserEvent', ...common, somethingUtil: 'x' };
export const created = { type: 'UserSessionCreatedEvent', ...common, clientCountryCode: 'AR' };
export const closed = { type: 'UserSessionClosedEvent', ...common, reason: 'logout' };

export const money = {
  id: ID,
  userSessionId: SESSION,
  ts: TS,
  amount: '1.5',
  currency: 'EUR',
  closingBalance: '11.5',
  moneyType: 'DEPOSIT',
  isOldMoneyEvent: false,
};

export function bytes(
  input: MoneyInput,
  value: Buffer | string | null,
  key: string | null = USER,
  timestamp = TS,
): DecodeResult {
  const record = {
    key: key === null ? null : Buffer.from(key),
    value: typeof value === 'string' ? Buffer.from(value) : value,
    timestamp,
  };
  return decodeRecord(input, record, LIMITS);
}

export function decode(input: MoneyInput, value: object): DecodeResult {
  return bytes(input, JSON.stringify(value));
}

export function reasonOf(result: DecodeResult): string {
  return result.ok ? 'ok' : `${result.reason} | ${result.detail}`;
}

export function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v)) ?? 'null';
  } catch {
    return '{"cyclic":true}';
  }
}
