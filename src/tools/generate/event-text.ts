/**
 * Events as JSON text, written by hand: a number is a text from the beginning, so that trailing zeros, exponents and
 * forty digits reach the topic as they are.
 */
import type { MoneyInput } from '../../money/domain/events.ts';
import type { Random } from '../../engine/random.ts';

/** A field: its name and the JSON text of its value. */
export type Field = readonly [name: string, json: string];

export interface EventText {
  readonly input: MoneyInput;
  readonly userId: string;
  readonly fields: readonly Field[];
}

export function render(fields: readonly Field[]): string {
  return `{${fields.map(([name, json]) => `"${name}":${json}`).join(',')}}`;
}

export const quoted = (text: string): string => JSON.stringify(text);

/** The key of every input record: the user id in double quotes. */
export const keyOf = (userId: string): string => `"${userId}"`;

/** `ts` (epoch ms) in one of the notations that mean the same event time; mostly the plain one. */
export function dateText(random: Random, ts: number): string {
  const plain = new Date(ts).toISOString();
  if (!random.chance(0.1)) return plain;
  const shifted = (minutes: number): string => new Date(ts + minutes * 60_000).toISOString().slice(0, -1);
  switch (random.below(5)) {
    case 0:
      return `${shifted(120)}+02:00`;
    case 1:
      return `${shifted(-210)}-03:30`;
    case 2:
      return `${plain.slice(0, -1)}${random.digits(3)}Z`; // microseconds: cut by the reader
    case 3:
      return `${shifted(540)}+0900`;
    default:
      return plain.replace('.000Z', 'Z');
  }
}

/** The text of a decimal number: mostly plain amounts, sometimes what breaks binary floats. */
export function decimalText(random: Random): string {
  const sign = random.chance(0.2) ? '-' : '';
  const whole = String(random.below(10_000));
  switch (random.below(12)) {
    case 0:
      return `${sign}${whole}`;
    case 1:
      return `${sign}${whole}.${random.digits(1)}0`;
    case 2:
      return `${sign}0.${random.digits(1)}0`;
    case 3:
      return `${sign}${1 + random.below(9)}${random.pick(['E+', 'e', 'E-', 'e+0'])}${random.below(10)}`;
    case 4:
      return `${sign}${1 + random.below(9)}${random.digits(19 + random.below(20))}`;
    case 5:
      return `${sign}0.${random.digits(39)}`;
    case 6:
      return `${sign}${1 + random.below(9)}${random.digits(19)}.${random.digits(18)}00`;
    case 7:
      return random.pick(['0', '0.00', '-0.0', '0E-10']);
    default:
      return `${sign}${whole}.${random.digits(2)}`;
  }
}

function common(type: string, id: string, userId: string, processedAt: string): Field[] {
  return [
    ['type', quoted(type)],
    ['id', quoted(id)],
    ['userId', quoted(userId)],
    ['processedAt', quoted(processedAt)],
  ];
}

/** The types of money events, and the field that each has of its own. */
const OWN_FIELD = {
  PaymentEvent: 'paymentRelatedThing',
  TransactionEvent: 'transactionRelatedThing',
} as const;

type MoneyEventType = keyof typeof OWN_FIELD;

export const MONEY_EVENT_TYPES = Object.keys(OWN_FIELD) as MoneyEventType[];

export interface MoneyText {
  readonly type: MoneyEventType;
  readonly id: string;
  readonly userId: string;
  readonly userSessionId: string | null;
  readonly amount: string;
  readonly openingBalance: string;
  readonly closingBalance: string;
  readonly currency: string;
  readonly moneyType: string;
  readonly isOldMoneyEvent: boolean;
}

export function moneyEvent(money: MoneyText, processedAt: string): EventText {
  return {
    input: 'money',
    userId: money.userId,
    fields: [
      ...common(money.type, money.id, money.userId, processedAt),
      ...(money.userSessionId === null ? [] : [['userSessionId', quoted(money.userSessionId)] as const]),
      ['amount', money.amount],
      ['openingBalance', money.openingBalance],
      ['closingBalance', money.closingBalance],
      ['currency', quoted(money.currency)],
      ['moneyType', quoted(money.moneyType)],
      [OWN_FIELD[money.type], quoted('thing')],
      ['isOldMoneyEvent', String(money.isOldMoneyEvent)],
    ],
  };
}

/** `userSessionId: null` says the same as no `userSessionId`. */
export function withNullSession(event: EventText): EventText {
  return { ...event, fields: [...event.fields, ['userSessionId', 'null']] };
}

export function sessionCreated(id: string, userId: string, processedAt: string, country: string): EventText {
  const fields: Field[] = [
    ...common('UserSessionCreatedEvent', id, userId, processedAt),
    ['clientCountryCode', quoted(country)],
  ];
  return { input: 'session', userId, fields };
}

export function birthDateChanged(id: string, userId: string, processedAt: string, birthYear: string): EventText {
  const own: Field[] = [
    ['birthYear', quoted(birthYear)],
    ['birthCityPlace', quoted('Montevideo')],
  ];
  return { input: 'user', userId, fields: [...common('ChangeBirthDateEvent', id, userId, processedAt), ...own] };
}

export function addressChanged(id: string, userId: string, processedAt: string, country: string): EventText {
  const own: Field[] = [
    ['address', quoted('Calle "18 de Julio" 1234, Peñarol')],
    ['residentCountryCode', quoted(country)],
    ['postalCode', quoted('11100')],
  ];
  return { input: 'user', userId, fields: [...common('ChangeAddressEvent', id, userId, processedAt), ...own] };
}

/** An event that changes no state and only moves time. */
export function timeEvent(input: MoneyInput, id: string, userId: string, processedAt: string): EventText {
  const [type, name] = (
    {
      user: ['OtherUserEvent', 'somethingUtil'],
      session: ['UserSessionClosedEvent', 'reason'],
      money: ['KindOfWalletEvent', 'somethingInteresting'],
    } as const
  )[input];
  return { input, userId, fields: [...common(type, id, userId, processedAt), [name, quoted('something')]] };
}
