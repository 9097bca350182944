/** What stands in the place of anything: JSON texts that are odd, wrong, huge or nearly right. */
import type { Random } from '../../src/engine/random.ts';
import { FIELD_NAMES } from '../../test/support/field-names.ts';

export const NAMES = [
  ...FIELD_NAMES,
  'extra',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
  'toJSON',
  'then',
  'length',
  '0',
  '',
] as const;

const PROTOTYPE = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
  'toJSON',
  'isPrototypeOf',
];

const NUMBERS = [
  '0',
  '-0',
  '-0.0',
  '0.10',
  '1.50',
  '1e5',
  '1E+2',
  '1E-400',
  '1e999',
  '-1e999',
  '1e99999999999',
  '5e-324',
  '9007199254740993',
  '0.1000000000000000055511151231257827',
  '1e0000000000005',
  '-9.99E-00',
  '01',
  '1.',
  '.5',
  '-',
  '+1',
  '--1',
  '1e',
  '1e+',
  '0x10',
  '1_000',
  '1n',
  'NaN',
  'Infinity',
  '-Infinity',
  '١',
  '1,5',
  '1 000',
  '0b1',
  '00',
  '-01',
  '1.e5',
  '1.2.3',
];

const DATES = [
  '2026-01-31T10:00:00Z',
  '2026-01-31T10:00:00.1Z',
  '2026-01-31T10:00:00.123456789Z',
  '2026-01-31T10:00:00,5Z',
  '2026-01-31T10:00Z',
  '2026-01-31T10:00+02:00',
  '2026-01-31T10Z',
  '2026-01-31T10:00:00',
  '2026-01-31',
  '2026-01-31 10:00:00Z',
  '2026-01-31t10:00:00z',
  '2026-02-29T10:00:00Z',
  '2024-02-29T10:00:00Z',
  '1900-02-29T00:00:00Z',
  '2000-02-29T00:00:00Z',
  '2026-13-01T10:00:00Z',
  '2026-00-01T10:00:00Z',
  '2026-01-00T10:00:00Z',
  '2026-04-31T10:00:00Z',
  '2026-01-31T24:00:00Z',
  '2026-01-31T10:60:00Z',
  '2026-01-31T10:00:60Z',
  '2016-12-31T23:59:60Z',
  '2026-01-31T10:00:00+0200',
  '2026-01-31T10:00:00+02',
  '2026-01-31T10:00:00-00:00',
  '2026-01-31T10:00:00+24:00',
  '2026-01-31T10:00:00+23:59',
  '2026-01-31T10:00:00-23:59',
  '2026-01-31T10:00:00+02:60',
  '2026-01-31T10:00:00+2:00',
  '0000-01-01T00:00:00Z',
  '0000-01-01T00:00:00+00:01',
  '0000-01-01T00:00:00-00:01',
  '0001-01-01T00:00:00Z',
  '0099-12-31T23:59:59Z',
  '1969-12-31T23:59:59.999Z',
  '1970-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '9999-12-31T23:59:59-00:01',
  '9999-12-31T23:59:59.9999+00:00',
  '10000-01-01T00:00:00Z',
  '+002026-01-31T10:00:00Z',
  '-000001-01-01T00:00:00Z',
  '20260131T100000Z',
  '2026-W05-6T10:00:00Z',
  '2026-031T10:00:00Z',
  '2026-01-31T10:00:00.Z',
  '2026-01-31T10:00:00Z ',
  ' 2026-01-31T10:00:00Z',
  '2026-01-31T10:00:00Z\\u0000',
  '2026-01-31T10:00:00\\u2212' + '02:00',
  '２０２６-01-31T10:00:00Z',
  '1700000000000',
  'yesterday',
  'now',
  '2026-01-31T10:00:00.' + '9'.repeat(300) + 'Z',
  '9'.repeat(400) + '-01-01T00:00:00Z',
];

const STRINGS = [
  '',
  'x',
  'EUR',
  'eur',
  'XXX',
  'ZZZ',
  'EURO',
  ' EUR',
  '\\u0045UR',
  'USN',
  'ROL',
  'PaymentEvent',
  '\\u0050aymentEvent',
  'PaymentEvent\\u0000',
  'KindOfWalletEvent',
  'UserSessionCreatedEvent',
  'UserSessionClosedEvent',
  'ChangeAddressEvent',
  'ChangeBirthDateEvent',
  'TransactionEvent',
  'OtherUserEvent',
  'paymentevent',
  '\\ud800',
  '\\udc00x',
  '\\ud83d\\ude00',
  '\\ude00\\ud83d',
  '\\u0000',
  '\\u0000\\u0000\\u0000\\u0000',
  'a\\"b',
  'a\\\\',
  '\\\\\\"',
  '\\/',
  'é',
  '😀',
  '\u2028\u2029',
  '\ufeff',
  '\u202e',
  '\uffff',
  '\u007f',
  '\\u001b[31m',
  'İ',
  'ſ',
  'K',
  "'; DROP TABLE users; --",
  '${jndi:ldap://x}',
  '<script>',
  '../../etc/passwd',
  '%2e%2e',
  'sha256:' + '0'.repeat(64),
  'null',
  'true',
  '12.5',
  '\\x',
  '\\u12',
  '\\',
  '\n',
  '\t',
  '\u0001',
];

const OTHERS = [
  'null',
  'true',
  'false',
  'TRUE',
  'undefined',
  '',
  '[]',
  '{}',
  '[[[]]]',
  '[null]',
  '{"a":[1,"}"]}',
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"toJSON":1}',
  '{"then":1}',
  '"',
  "'x'",
  '/**/1',
  '1//',
  '[1,]',
  '{"a":1,}',
];

/** UUIDs and what is nearly one. */
function uuidText(random: Random, users: readonly string[]): string {
  const id = random.chance(0.5) ? random.pick(users) : random.uuid();
  const at = random.below(id.length);
  return random.pick([
    id,
    id,
    id.toUpperCase(),
    `${id} `,
    ` ${id}`,
    `{${id}}`,
    `urn:uuid:${id}`,
    id.replaceAll('-', ''),
    id.slice(1),
    `${id}0`,
    `${id.slice(0, at)}g${id.slice(at + 1)}`,
    `${id.slice(0, at)}\\u0030${id.slice(at + 1)}`,
    `${id}\\n`,
    `${id}\\u0000`,
    `${id.slice(0, -1)}ı`,
    id.replaceAll('-', '\u2010'),
    `${id},${id}`,
    '..',
    `${id}/../x`,
  ]);
}

function number(random: Random): string {
  if (random.chance(0.6)) return random.pick(NUMBERS);
  const sign = random.pick(['', '', '-', '+']);
  const whole = random.digits(1 + random.below(random.chance(0.02) ? 2_000 : 20));
  const fraction = random.chance(0.5) ? `.${random.digits(random.below(random.chance(0.02) ? 2_000 : 30))}` : '';
  const exponent = random.chance(0.4)
    ? `${random.pick(['e', 'E'])}${random.pick(['', '+', '-'])}${random.digits(random.below(12))}`
    : '';
  return sign + whole + fraction + exponent;
}

/** Brackets that are closed, or not. */
function nested(random: Random, depth: number): string {
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['[[', ']]'],
    ['{"__proto__":', '}'],
  ] as const);
  const closed = random.chance(0.8) ? depth : random.below(depth + 2);
  return open.repeat(depth) + random.pick(['1', '"x"', 'null', '']) + close.repeat(closed);
}

/** Many members, of one name or of as many; names that are numbers are kept elsewhere by an engine. */
function wide(random: Random, count: number): string {
  const name = random.pick<(n: number) => string>([
    () => 'a',
    (n) => `k${n}`,
    (n) => String(n),
    (n) => String(2 ** 32 - 2 - n),
    (n) => String(n * 131_072),
    () => '__proto__',
  ]);
  const members = Array.from({ length: count }, (_, n) => `"${name(n)}":${n % 10}`);
  return random.chance(0.2) ? `[${members.map(() => '0').join()}]` : `{${members.join()}}`;
}

/** `size`: of huge things, characters. */
export function anyText(random: Random, users: readonly string[], size: number): string {
  switch (random.below(10)) {
    case 0:
      return number(random);
    case 1:
      return `"${number(random)}"`;
    case 2:
      return `"${random.pick(DATES)}"`;
    case 3:
      return `"${uuidText(random, users)}"`;
    case 4:
      return `"${random.pick(STRINGS)}"`;
    case 5:
      return `"${random.pick(PROTOTYPE)}"`;
    case 6:
      return nested(random, random.chance(0.1) ? 1 + random.below(size) : 1 + random.below(20));
    case 7:
      return random.chance(0.15)
        ? `"${random.pick(['x', '\\u0041', 'é', '\\"', '\\\\', '😀', '\\ud800']).repeat(random.below(size / 6))}"`
        : `"${random.pick(STRINGS)}${random.pick(STRINGS)}"`;
    case 8:
      return random.chance(0.2) ? wide(random, 1 + random.below(size / 12)) : random.pick(OTHERS);
    default:
      return random.pick(OTHERS);
  }
}
