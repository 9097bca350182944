/**
 * Events of JSON text as Avro that says the same, in the ways in which producers do it: the type as a field or as the name
 * of the record; times as text or as timestamps; amounts as text, as decimals or as doubles, where these keep the text.
 */
import avsc from 'avsc';
import type { MoneyInput } from '../../src/money/domain/events.ts';
import { readFields, type Token } from '../../src/money/model/json-text.ts';
import { parseDate } from '../../src/money/model/decode.ts';

const nullable = (type: unknown) => ({ type: ['null', type], default: null });
const DECIMAL = { type: 'bytes', logicalType: 'decimal', precision: 30, scale: 2 };
const AMOUNTS = ['amount', 'openingBalance', 'closingBalance'];
const STRINGS = [
  'currency',
  'moneyType',
  'paymentRelatedThing',
  'transactionRelatedThing',
  'somethingInteresting',
  'birthYear',
  'birthCityPlace',
  'address',
  'residentCountryCode',
  'postalCode',
  'somethingUtil',
  'clientCountryCode',
  'reason',
];

interface Variant {
  readonly schema: (name: string) => object;
  readonly amount: (text: string) => unknown;
  readonly fits: (text: string) => boolean;
}

function schemaOf(
  name: string,
  options: { readonly typed: boolean; readonly amount: unknown; readonly time: unknown },
): object {
  const fields = [
    ...(options.typed ? [{ name: 'type', type: 'string' }] : []),
    { name: 'traceParents', type: { type: 'map', values: { type: 'array', items: 'long' } } },
    { name: 'id', type: 'string' },
    { name: 'userId', type: { type: 'string', logicalType: 'uuid' } },
    { name: 'processedAt', type: options.time },
    { name: 'userSessionId', ...nullable('string') },
    ...AMOUNTS.map((amount) => ({ name: amount, ...nullable(options.amount) })),
    ...STRINGS.map((string) => ({ name: string, ...nullable('string') })),
    { name: 'isOldMoneyEvent', ...nullable('boolean') },
  ];
  return { type: 'record', name, namespace: 'com.example.wallet', fields };
}

const VARIANTS: readonly Variant[] = [
  {
    schema: () => schemaOf('Envelope', { typed: true, amount: 'string', time: 'string' }),
    amount: (text) => text,
    fits: () => true,
  },
  {
    schema: (name) =>
      schemaOf(name, { typed: false, amount: DECIMAL, time: { type: 'long', logicalType: 'timestamp-millis' } }),
    amount: unscaled,
    fits: (text) => /^-?(0|[1-9]\d{0,20})\.\d\d$/.test(text) && text !== '-0.00',
  },
  {
    schema: (name) =>
      schemaOf(name, { typed: false, amount: 'double', time: { type: 'long', logicalType: 'timestamp-micros' } }),
    amount: Number,
    fits: (text) => String(Number(text)) === text,
  },
];

/** Two's complement of the number of hundredths. */
function unscaled(text: string): Buffer {
  const number = BigInt(text.replace('.', ''));
  const bytes = Buffer.alloc(16);
  bytes.writeBigInt64BE(number >> 64n);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, number), 8);
  return bytes;
}

export interface AvroEvents {
  /** In the Confluent wire format. `value`: JSON text of an object with a type, a time and numbers that are numbers. */
  encode(input: MoneyInput, value: Buffer): Buffer;
  /** Schemas used. */
  readonly used: ReadonlySet<number>;
}

/** `register` gives a schema its id. */
export function createAvroEvents(register: (schema: object) => number): AvroEvents {
  const types = new Map<string, { readonly id: number; readonly type: avsc.Type }>();
  const used = new Set<number>();
  let turn = 0;
  return {
    used,
    encode(_, value) {
      const fields = readFields(value.toString())!;
      const amounts = AMOUNTS.flatMap((name) => fields.get(name)?.text ?? []);
      const fitting = VARIANTS.filter(({ fits }) => amounts.every(fits));
      const variant = fitting[turn++ % fitting.length]!;
      const name = textOf(fields.get('type')!) as string;
      const schema = variant.schema(name);
      const key = JSON.stringify(schema);
      const known = types.get(key) ?? { id: register(schema), type: avsc.Type.forSchema(schema as avsc.Schema) };
      types.set(key, known);
      used.add(known.id);
      const time = textOf(fields.get('processedAt')!) as string;
      const ms = parseDate(time)!;
      const written: Record<string, unknown> = {
        traceParents: { a: [1, 2], constructor: [] },
        isOldMoneyEvent: fields.has('isOldMoneyEvent') ? fields.get('isOldMoneyEvent')!.text === 'true' : null,
      };
      for (const string of ['type', 'id', 'userId', 'userSessionId', ...STRINGS]) {
        written[string] = textOf(fields.get(string));
      }
      for (const amount of AMOUNTS) {
        written[amount] = fields.has(amount) ? variant.amount(fields.get(amount)!.text) : null;
      }
      const timeType = (schema as { fields: { name: string; type: { logicalType?: string } }[] }).fields.find(
        (field) => field.name === 'processedAt',
      )!.type;
      written['processedAt'] =
        timeType.logicalType === undefined ? time : timeType.logicalType === 'timestamp-millis' ? ms : ms * 1000 + 999;
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(known.id, 1);
      return Buffer.concat([prefix, known.type.toBuffer(written)]);
    },
  };
}

function textOf(token: Token | undefined): string | null {
  return token === undefined || token.kind === 'null' ? null : (JSON.parse(token.text) as string);
}

/** The JSON text that an output in Avro says, with its amounts as they are. */
export function jsonOfOutput(value: object): string {
  const { money, userInfo, sessionInfo, firstOccurrence } = value as {
    money: Record<string, string | boolean | null>;
    userInfo: Record<string, string | null> | null;
    sessionInfo: Record<string, string> | null;
    firstOccurrence: boolean;
  };
  const raw = new Set(['amount', 'closingBalance']);
  const object = (fields: Record<string, string | boolean | null>) =>
    `{${Object.entries(fields)
      .flatMap(([name, one]) =>
        one === null ? [] : [`"${name}":${raw.has(name) ? String(one) : JSON.stringify(one)}`],
      )
      .join(',')}}`;
  const parts = [`"money":${object(money)}`];
  if (userInfo !== null) parts.push(`"userInfo":${object(userInfo)}`);
  if (sessionInfo !== null) parts.push(`"sessionInfo":${object(sessionInfo)}`);
  return `{${[...parts, `"firstOccurrence":${firstOccurrence}`].join(',')}}`;
}
