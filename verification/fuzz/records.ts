/** Hostile records: valid ones, changed by their structure or by their bytes, and raw bytes. The same seed, the same record. */
import { INPUTS } from '../../src/money/domain/events.ts';
import type { MoneyInput } from '../../src/money/domain/events.ts';
import { Random } from '../../src/engine/random.ts';
import { anyText, NAMES } from './texts.ts';

export interface HostileRecord {
  readonly input: MoneyInput;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Kafka record timestamp, epoch ms. */
  readonly timestamp: number;
}

export interface HostileOptions {
  readonly users: readonly string[];
  /** About the record's timestamp, epoch ms. */
  readonly now: number;
  readonly maxRecordBytes: number;
  readonly maxFutureSkew: number;
  /** Whether Kafka timestamps are hostile too, and not only near `now`. */
  readonly anyTimestamp: boolean;
}

/** A generator of its own for each input, so that one can be repeated without those before it. */
export function randomOf(seed: number, index: number): Random {
  return new Random(seed + index * 2 ** 20 + index * 7919);
}

const LARGE = 100_000;

/** Names and JSON texts. */
type Field = [name: string, text: string];

const MONEY: Field[] = [
  ['amount', '12.50'],
  ['openingBalance', '100.00'],
  ['closingBalance', '87.50'],
  ['currency', '"EUR"'],
  ['moneyType', '"BET"'],
  ['isOldMoneyEvent', 'false'],
];
const TYPES: Record<MoneyInput, readonly (readonly [type: string, fields: readonly Field[]])[]> = {
  money: [
    ['PaymentEvent', [...MONEY, ['paymentRelatedThing', '"p"']]],
    ['TransactionEvent', [...MONEY, ['transactionRelatedThing', '"t"']]],
    ['KindOfWalletEvent', [['somethingInteresting', '"s"']]],
  ],
  user: [
    [
      'ChangeBirthDateEvent',
      [
        ['birthYear', '"1984"'],
        ['birthCityPlace', '"Salto"'],
      ],
    ],
    [
      'ChangeAddressEvent',
      [
        ['address', '"a"'],
        ['residentCountryCode', '"UY"'],
        ['postalCode', '"1"'],
      ],
    ],
    ['OtherUserEvent', [['somethingUtil', '"u"']]],
  ],
  session: [
    ['UserSessionCreatedEvent', [['clientCountryCode', '"UY"']]],
    ['UserSessionClosedEvent', [['reason', '"r"']]],
  ],
};

export function hostileRecord(random: Random, options: HostileOptions): HostileRecord {
  const { users, now } = options;
  const input = random.pick(INPUTS);
  const userId = random.pick(users);
  let timestamp = now + random.below(60_000);
  if (options.anyTimestamp && random.chance(0.03)) {
    timestamp = random.pick([-1, 0, 1, -(2 ** 40), 2 ** 52, 253_402_300_800_000, now - 4e9]);
  }
  let fields = validFields(random, input, userId, timestamp, options);
  const changes = random.chance(0.2) ? 0 : 1 + random.below(3);
  for (let n = 0; n < changes; n += 1) fields = changed(fields, random, options);
  let value: Buffer | null = Buffer.from(rendered(fields, random));
  if (random.chance(0.25)) value = changedBytes(value, random, options);
  return { input: random.chance(0.05) ? random.pick(INPUTS) : input, key: keyOf(random, userId), value, timestamp };
}

function validFields(
  random: Random,
  input: MoneyInput,
  userId: string,
  timestamp: number,
  { maxFutureSkew }: HostileOptions,
): Field[] {
  const [type, own] = random.pick(TYPES[input]);
  // Mostly a little before its record, sometimes at the edge of the future.
  const ts = random.chance(0.1) ? timestamp + maxFutureSkew + random.below(3) - 1 : timestamp - random.below(30_000);
  const session: Field[] =
    input === 'money' && random.chance(0.5)
      ? [['userSessionId', `"${random.chance(0.5) ? random.pick(SESSIONS) : random.uuid()}"`]]
      : [];
  const id = input === 'session' && random.chance(0.5) ? random.pick(SESSIONS) : random.uuid();
  return [
    ['type', `"${type}"`],
    ['id', `"${id}"`],
    ['userId', `"${userId}"`],
    ['processedAt', `"${iso(ts)}"`],
    ...session,
    ...own,
  ];
}

/** Sessions that several records speak of. */
const SESSIONS = Array.from({ length: 8 }, (_, n) => new Random(n).uuid());

function iso(ts: number): string {
  return ts >= -62_167_219_200_000 && ts < 253_402_300_800_000 ? new Date(ts).toISOString() : String(ts);
}

function changed(fields: readonly Field[], random: Random, { users, maxRecordBytes }: HostileOptions): Field[] {
  const at = random.below(fields.length);
  const [name, text] = fields[at] ?? ['extra', '1'];
  // Where the limit is that of production, everything is as large as it may be.
  const size = maxRecordBytes > LARGE || random.chance(0.02) ? maxRecordBytes : 400;
  const other = (): string => anyText(random, users, size);
  const replaced = (field: Field): Field[] => fields.with(at, field);
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return replaced([name, other()]);
    case 4:
      return fields.toSpliced(at, 1);
    case 5:
      return [...fields, [random.pick(NAMES), other()]];
    case 6:
      return [[random.pick(NAMES), other()], ...fields];
    // Equal names: the last one counts.
    case 7:
      return [...fields, [name, random.chance(0.5) ? text : other()]];
    case 8:
      return [[name, other()], ...fields];
    case 9:
      return replaced([name, (random.pick(fields) ?? ['', '1'])[1]]);
    case 10:
      return replaced([random.pick([escaped(name), name.toUpperCase(), ` ${name}`, `${name}\\u0000`, ...NAMES]), text]);
    default:
      return replaced([name, text.startsWith('"') ? text.slice(1, -1) : `"${text}"`]);
  }
}

function escaped(name: string): string {
  return `\\u${(name.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}${name.slice(1)}`;
}

function rendered(fields: readonly Field[], random: Random): string {
  const space = random.chance(0.15)
    ? () => random.pick(['', ' ', '\n', '\t', '\r\n', '\f', '\u00a0', '\ufeff'])
    : () => '';
  const json = fields.map(([name, text]) => `${space()}"${name}"${space()}:${space()}${text}`).join(',');
  return `${space()}{${json}${space()}}${space()}`;
}

function changedBytes(value: Buffer, random: Random, { maxRecordBytes }: HostileOptions): Buffer | null {
  const at = random.below(value.length + 1);
  const insert = (...bytes: number[]) =>
    Buffer.concat([value.subarray(0, at), Buffer.from(bytes), value.subarray(at + random.below(2))]);
  switch (random.below(14)) {
    case 0:
      return insert(random.below(256));
    case 1:
      return insert(0x80 + random.below(128), random.below(256));
    // Overlong, surrogate halves and beyond the last code point, in UTF-8.
    case 2:
      return insert(
        ...random.pick([
          [0xc0, 0xaf],
          [0xed, 0xa0, 0x80],
          [0xed, 0xbf, 0xbf],
          [0xf4, 0x90, 0x80, 0x80],
          [0xf8, 0x88, 0x80, 0x80, 0x80],
          [0xe2, 0x82],
          [0xff, 0xfe],
        ]),
      );
    case 3:
      return Buffer.concat([
        Buffer.from(
          random.pick([
            [0xef, 0xbb, 0xbf],
            [0xff, 0xfe],
            [0xfe, 0xff],
            [0],
            [0, 0, 0, 0],
            [0, 0, 0, 0, 1],
            [0x1f, 0x8b],
          ]),
        ),
        value,
      ]);
    case 4:
      return insert(0);
    case 5:
      return value.subarray(0, at);
    case 6:
      return value.subarray(at);
    case 7:
      return Buffer.concat([value, value]);
    // Around the limit, as white space that JSON allows or as a string that counts.
    case 8:
      return Buffer.concat([
        value,
        Buffer.alloc(Math.max(0, maxRecordBytes + random.below(3) - 1 - value.length), 0x20),
      ]);
    case 9:
      return Buffer.from(
        random.pick([
          '',
          ' ',
          '\n',
          'null',
          'true',
          '0',
          '""',
          '[]',
          '{}',
          '"PaymentEvent"',
          '[{}]',
          '{"type":"PaymentEvent"}',
          '{"__proto__":{"type":"PaymentEvent"}}',
        ]),
      );
    case 10:
      return null;
    case 11:
      return Buffer.from(value.toString('utf8'), random.pick(['utf16le', 'latin1'] as const));
    case 12:
      return Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256)));
    default:
      return Buffer.from(
        '{}[]",:\\0e-.tfn u'
          .split('')
          .flatMap((sign) => Array.from({ length: random.below(6) }, () => sign))
          .sort(() => random.below(3) - 1)
          .join(''),
      );
  }
}

function keyOf(random: Random, userId: string): Buffer | null {
  if (random.chance(0.8)) return Buffer.from(random.chance(0.5) ? `"${userId}"` : userId);
  return random.pick<() => Buffer | null>([
    () => null,
    () => Buffer.alloc(0),
    () => Buffer.alloc(4),
    () => Buffer.from([0, 0, 0, 1]),
    () => Buffer.alloc(random.below(5_000), random.below(256)),
    () => Buffer.from(userId.toUpperCase()),
    () => Buffer.from(`"${userId.toUpperCase()}"`),
    () => Buffer.from(`"${userId}`),
    () => Buffer.from(`${userId}"`),
    () => Buffer.from(`'${userId}'`),
    () => Buffer.from(`""${userId}""`),
    () => Buffer.from(`\u201c${userId}\u201d`),
    () => Buffer.from(` ${userId}`),
    () => Buffer.from(`${userId}\0`),
    () => Buffer.from(`"${userId}"\n`),
    () => Buffer.from(`\ufeff${userId}`),
    () => Buffer.from(userId, 'utf16le'),
    () => Buffer.from([0xff, ...Buffer.from(userId).subarray(1)]),
    () => Buffer.from(userId.replace(/[a-f]/, 'g')),
    () => Buffer.from(random.uuid()),
    () => Buffer.from(random.pick(['__proto__', 'constructor', 'toString', 'null', '{}'])),
  ])();
}
