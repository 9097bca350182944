/** Records that cannot be used: every kind of them, each with the reason that its dead letter must carry. */
import type { MoneyInput } from '../../money/domain/events.ts';
import { isoOf } from '../../engine/workflow/iso.ts';
import { keyOf, moneyEvent, quoted, render, sessionCreated, timeEvent, addressChanged } from './event-text.ts';
import type { Field } from './event-text.ts';
import type { Random } from '../../engine/random.ts';

export type Reason = 'too-large' | 'malformed' | 'unknown-type' | 'invalid' | 'key-mismatch' | 'future';

export interface MalformedRecord {
  readonly input: MoneyInput;
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly reason: Reason;
  /** What is wrong with it, in words; unique among the kinds. */
  readonly kind: string;
}

export interface UnusableContext {
  readonly random: Random;
  readonly userId: string;
  /** Timestamp that the record will have in Kafka, epoch ms. */
  readonly timestamp: number;
  readonly maxFutureSkew: number;
  readonly maxRecordBytes: number;
}

type Build = (context: UnusableContext) => { input?: MoneyInput; key?: string | null; value: Buffer | string | null };
type Kind = readonly [kind: string, reason: Reason, build: Build];

function goodMoney({ random, userId, timestamp }: UnusableContext): Field[] {
  const money = {
    type: 'PaymentEvent',
    id: random.uuid(),
    userId,
    userSessionId: random.uuid(),
    amount: '12.50',
    openingBalance: '100.00',
    closingBalance: '87.50',
    currency: 'EUR',
    moneyType: 'BET',
    isOldMoneyEvent: false,
  } as const;
  return [...moneyEvent(money, isoOf(timestamp)).fields];
}

const set = (fields: readonly Field[], name: string, json: string): Field[] =>
  fields.map((field) => (field[0] === name ? [name, json] : field));
const without = (fields: readonly Field[], name: string): Field[] => fields.filter((field) => field[0] !== name);

const withMoney = (
  kind: string,
  reason: Reason,
  change: (fields: Field[], context: UnusableContext) => string,
): Kind => [kind, reason, (context) => ({ value: change(goodMoney(context), context) })];
const text = (kind: string, value: Buffer | string | null): Kind => [kind, 'malformed', () => ({ value })];
const invalid = (name: string, json: string): Kind =>
  withMoney(`${name} is ${json}`, 'invalid', (fields) => render(set(fields, name, json)));
const missing = (name: string): Kind =>
  withMoney(`${name} is missing`, 'invalid', (fields) => render(without(fields, name)));
const keyed = (kind: string, key: (context: UnusableContext) => string | null): Kind => [
  kind,
  'key-mismatch',
  (context) => ({ key: key(context), value: render(goodMoney(context)) }),
];

const REQUIRED = [
  'id',
  'userId',
  'processedAt',
  'amount',
  'openingBalance',
  'closingBalance',
  'currency',
  'moneyType',
  'paymentRelatedThing',
  'isOldMoneyEvent',
];

const KINDS: readonly Kind[] = [
  [
    'value over the limit',
    'too-large',
    (context) => ({ value: render(goodMoney(context)).padEnd(context.maxRecordBytes + 1) }),
  ],
  ['value over the limit and not JSON', 'too-large', (context) => ({ value: 'x'.repeat(context.maxRecordBytes + 1) })],

  text('null value', null),
  text('empty value', ''),
  text('white space only', ' \n'),
  text('plain text', 'this is not JSON'),
  text('JSON null', 'null'),
  text('JSON array', '[{"type":"PaymentEvent"}]'),
  text('JSON string', '"PaymentEvent"'),
  text('JSON number', '42'),
  text('binary', Buffer.from([0, 0, 0, 0, 1, 0xff, 0xfe])),
  withMoney('cut off', 'malformed', (fields) => render(fields).slice(0, -7)),
  withMoney('two objects', 'malformed', (fields) => render(fields).repeat(2)),
  withMoney('byte order mark', 'malformed', (fields) => `\uFEFF${render(fields)}`),
  withMoney('trailing comma', 'malformed', (fields) => render(fields).replace(/}$/, ',}')),
  withMoney('single quotes', 'malformed', (fields) => render(fields).replaceAll('"', "'")),
  ...['NaN', 'Infinity', '01', '.5', '1.', '+1', '0x10'].map((number) =>
    withMoney(`amount is ${number}`, 'malformed', (fields) => render(set(fields, 'amount', number))),
  ),
  withMoney('raw line break in a string', 'malformed', (fields) => render(set(fields, 'moneyType', '"A\nB"'))),
  [
    'not UTF-8',
    'malformed',
    (context) => ({ value: Buffer.from(render(set(goodMoney(context), 'moneyType', '"\xff\xfe"')), 'latin1') }),
  ],
  [
    'overlong UTF-8',
    'malformed',
    (context) => ({ value: Buffer.from(render(set(goodMoney(context), 'moneyType', '"\xc0\xaf"')), 'latin1') }),
  ],

  withMoney('type is missing', 'unknown-type', (fields) => render(without(fields, 'type'))),
  withMoney('type is null', 'unknown-type', (fields) => render(set(fields, 'type', 'null'))),
  withMoney('type is a number', 'unknown-type', (fields) => render(set(fields, 'type', '1'))),
  withMoney('type in another case', 'unknown-type', (fields) => render(set(fields, 'type', '"paymentevent"'))),
  withMoney('type is not in any table', 'unknown-type', (fields) => render(set(fields, 'type', '"RefundEvent"'))),
  withMoney('type is a name of every object', 'unknown-type', (fields) => render(set(fields, 'type', '"constructor"'))),
  ['type of another topic', 'unknown-type', (context) => ({ input: 'session', value: render(goodMoney(context)) })],
  ['empty object', 'unknown-type', () => ({ value: '{}' })],

  ...REQUIRED.map(missing),
  ...REQUIRED.map((name) => invalid(name, 'null')),
  invalid('id', '"not-a-uuid"'),
  invalid('id', '12'),
  invalid('userSessionId', '"1234"'),
  invalid('userSessionId', '""'),
  invalid('userSessionId', 'false'),
  invalid('processedAt', '"yesterday"'),
  invalid('processedAt', '1767225600000'),
  invalid('processedAt', '"2026-02-30T10:00:00Z"'),
  invalid('processedAt', '"2026-01-31T25:00:00Z"'),
  invalid('processedAt', '"2026-01-31T10:00:00"'),
  invalid('processedAt', '"2026-01-31"'),
  invalid('amount', '"12.50"'),
  invalid('amount', '{"units":12}'),
  invalid('openingBalance', 'true'),
  invalid('closingBalance', '[1]'),
  invalid('currency', '"EURO"'),
  invalid('currency', '"eur"'),
  invalid('currency', '"QQQ"'),
  invalid('currency', '978'),
  invalid('moneyType', '7'),
  invalid('isOldMoneyEvent', '"false"'),
  invalid('isOldMoneyEvent', '0'),
  withMoney('equal names, the last one wrong', 'invalid', (fields) => render([...fields, ['amount', '"12.50"']])),
  [
    'session without a country',
    'invalid',
    ({ random, userId, timestamp }) => {
      const { fields } = sessionCreated(random.uuid(), userId, isoOf(timestamp), 'UY');
      return { input: 'session', value: render(without(fields, 'clientCountryCode')) };
    },
  ],
  [
    'address without a country',
    'invalid',
    ({ random, userId, timestamp }) => {
      const { fields } = addressChanged(random.uuid(), userId, isoOf(timestamp), 'UY');
      return { input: 'user', value: render(without(fields, 'residentCountryCode')) };
    },
  ],
  [
    'time event without its field',
    'invalid',
    ({ random, userId, timestamp }) => {
      const { fields } = timeEvent('user', random.uuid(), userId, isoOf(timestamp));
      return { input: 'user', value: render(without(fields, 'somethingUtil')) };
    },
  ],
  [
    'invalid under a wrong key',
    'invalid',
    (context) => ({
      key: keyOf(context.random.uuid()),
      value: render(set(goodMoney(context), 'currency', '"EURO"')),
    }),
  ],

  keyed('key of another user', ({ random }) => keyOf(random.uuid())),
  keyed('null key', () => null),
  keyed('empty key', () => ''),
  keyed('key with one quote', ({ userId }) => `"${userId}`),
  keyed('key with a space', ({ userId }) => `${userId} `),
  [
    'wrong key and from the future',
    'key-mismatch',
    (context) => {
      const ts = context.timestamp + context.maxFutureSkew + 60_000;
      return {
        key: keyOf(context.random.uuid()),
        value: render(set(goodMoney(context), 'processedAt', quoted(isoOf(ts)))),
      };
    },
  ],

  withMoney('one ms beyond the skew', 'future', (fields, { timestamp, maxFutureSkew }) =>
    render(set(fields, 'processedAt', quoted(isoOf(timestamp + maxFutureSkew + 1)))),
  ),
  withMoney('a year ahead', 'future', (fields, { timestamp, maxFutureSkew }) =>
    render(set(fields, 'processedAt', quoted(isoOf(timestamp + maxFutureSkew + 365 * 86_400_000)))),
  ),
  [
    'time event from the future',
    'future',
    ({ random, userId, timestamp, maxFutureSkew }) => {
      const { fields } = timeEvent('session', random.uuid(), userId, isoOf(timestamp + maxFutureSkew + 1));
      return { input: 'session', value: render(fields) };
    },
  ],
];

export const UNUSABLE_KINDS: readonly { readonly kind: string; readonly reason: Reason }[] = KINDS.map(
  ([kind, reason]) => ({
    kind,
    reason,
  }),
);

/** The record of the n-th kind of {@link UNUSABLE_KINDS}, counted round. */
export function unusableRecord(index: number, context: UnusableContext): MalformedRecord {
  const [kind, reason, build] = KINDS[index % KINDS.length] as Kind;
  const { input = 'money', key = keyOf(context.userId), value } = build(context);
  return { input, key, value: value === null ? null : Buffer.from(value as string), reason, kind };
}
