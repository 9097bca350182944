/** The decoder against the independent model's, record by record: the same verdict, reason and content. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeRecord } from '../../../src/money/codec/decode.ts';
import { CURRENCIES } from '../../../src/money/codec/iso-4217.ts';
import { parseTimestamp } from '../../../src/engine/values/timestamp.ts';
import { INPUTS } from '../../../src/money/domain/events.ts';
import type { MoneyInput } from '../../../src/money/domain/events.ts';
import { trafficOptions } from '../../../src/tools/generate/options.ts';
import { UNUSABLE_KINDS, unusableRecord } from '../../../src/tools/generate/malformed.ts';
import { Random } from '../../../src/engine/random.ts';
import { generateTraffic } from '../../../src/tools/generate/traffic.ts';
import { CURRENCIES as MODEL_CURRENCIES } from '../../../src/money/model/currencies.ts';
import { decode, parseDate, type Content } from '../../../src/money/model/decode.ts';
import { DEFAULT_SETTINGS } from '../../../src/money/model/model.ts';
import { FIELD_NAMES } from '../../support/field-names.ts';

const LIMITS = { maxRecordBytes: 3_000, maxFutureSkew: 3_600_000 };
const START = Date.UTC(2026, 0, 31, 10);
const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';

interface Raw {
  readonly input: MoneyInput;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: number;
}

type Verdict = string | { readonly userId: string; readonly ts: number; readonly content: Content };

function actual({ input, ...record }: Raw): Verdict {
  const result = decodeRecord(input, record, LIMITS);
  if (!result.ok) return result.reason;
  const { userId, ts, event } = result;
  switch (event.type) {
    case 'time':
      return { userId, ts, content: { is: 'time' } };
    case 'birthDate':
      return { userId, ts, content: { is: 'birthYear', value: event.birthYear } };
    case 'address':
      return { userId, ts, content: { is: 'country', value: event.residentCountryCode } };
    case 'session':
      return { userId, ts, content: { is: 'session', sessionId: event.sessionId, country: event.clientCountryCode } };
    case 'money': {
      const { userSessionId, isOldMoneyEvent, ...money } = event.money;
      return {
        userId,
        ts,
        content: { is: 'money', money: { ...money, sessionId: userSessionId ?? null, isOld: isOldMoneyEvent } },
      };
    }
  }
}

function expected({ input, ...record }: Raw): Verdict {
  const result = decode({ topic: input, partition: 0, offset: 0, ...record }, { ...DEFAULT_SETTINGS, ...LIMITS });
  if (typeof result === 'string') return result;
  const { userId, ts, content } = result;
  return { userId, ts, content };
}

function assertAgreement(raw: Raw): Verdict {
  const verdict = actual(raw);
  assert.deepEqual(verdict, expected(raw), `${raw.input} ${raw.key} ${raw.timestamp} ${raw.value}`);
  return verdict;
}

const records: readonly Raw[] = [
  ...generateTraffic(
    trafficOptions({
      users: 5,
      events: 400,
      seed: 7,
      start: START,
      duplicates: 0.1,
      late: 0.1,
      old: 0.1,
      pending: 0.1,
      malformed: 0.2,
      maxRecordBytes: LIMITS.maxRecordBytes,
    }),
  ),
].map(({ input, key, value, timestamp }) => ({ input, key: key === null ? null : Buffer.from(key), value, timestamp }));

/** JSON texts, and what is nearly one, for the place of any value. */
const TEXTS = [
  'null',
  'true',
  'false',
  '""',
  '"x"',
  '0',
  '-0',
  '-0.0',
  '1.50',
  '1e5',
  '1E-400',
  '1e999',
  '01',
  '1.',
  '.5',
  '-',
  '+1',
  'NaN',
  '[]',
  '{}',
  '[[[]]]',
  '{"a":[1,"}"]}',
  '"12.5"',
  `"${USER}"`,
  `"${USER.toUpperCase()}"`,
  `"${USER} "`,
  `" ${USER}"`,
  '"0a7f5c366d0c4f6e9a520f8f1d3b2c11"',
  '"EUR"',
  '"eur"',
  '"XXX"',
  '"ZZZ"',
  '"\\u0045UR"',
  '"PaymentEvent"',
  '"\\u0050aymentEvent"',
  '"KindOfWalletEvent"',
  '"UserSessionCreatedEvent"',
  '"ChangeAddressEvent"',
  '"__proto__"',
  '"constructor"',
  '"\\ud800"',
  '"\\u0000"',
  '"a\\"b"',
  '"a\\\\"',
  '"é"',
  '9'.repeat(400),
  ...[
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
    '2026-13-01T10:00:00Z',
    '2026-00-01T10:00:00Z',
    '2026-01-00T10:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T10:60:00Z',
    '2026-01-31T10:00:60Z',
    '2026-01-31T10:00:00+0200',
    '2026-01-31T10:00:00+02',
    '2026-01-31T10:00:00-00:00',
    '2026-01-31T10:00:00+24:00',
    '2026-01-31T10:00:00+02:60',
    '2026-01-31T10:00:00+2:00',
    '0000-01-01T00:00:00Z',
    '0000-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59.999Z',
    '9999-12-31T23:59:59-00:01',
    '10000-01-01T00:00:00Z',
    '+002026-01-31T10:00:00Z',
    '20260131T100000Z',
    '2026-W05-6T10:00:00Z',
    '2026-031T10:00:00Z',
    '2026-01-31T10:00:00.Z',
    '2026-01-31T10:00:00Z ',
    '1700000000000',
  ].map((date) => `"${date}"`),
];

const NAMES = [...FIELD_NAMES, 'extra', '__proto__', 'constructor', ''];

/** Changes of the text of a value. */
const MUTATIONS: ((text: string, random: Random) => string)[] = [
  // The value of a field.
  (text, random) =>
    text.replace(
      new RegExp(`("${random.pick(NAMES)}":)("(?:[^"\\\\]|\\\\.)*"|[^,}]*)`),
      (_, name: string) => `${name}${random.pick(TEXTS)}`,
    ),
  // A field more, at the end or at the begin: of equal names the last one counts.
  (text, random) => text.replace(/}\s*$/, () => `,"${random.pick(NAMES)}":${random.pick(TEXTS)}}`),
  (text, random) => text.replace(/^\s*{/, () => `{"${random.pick(NAMES)}":${random.pick(TEXTS)},`),
  // A field less.
  (text, random) => text.replace(new RegExp(`"${random.pick(NAMES)}":("(?:[^"\\\\]|\\\\.)*"|[^,}]*),?`), ''),
  // The name of a field, written with an escape or in another case.
  (text, random) => {
    const name = random.pick(NAMES);
    return text.replace(`"${name}"`, () =>
      random.chance(0.7)
        ? `"\\u${(name.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}${name.slice(1)}"`
        : `"${name.toUpperCase()}"`,
    );
  },
  // White space where it may be, and where it may not.
  (text, random) =>
    text.replaceAll(
      random.pick([',', ':', '{', '}']),
      (sign) => `${random.pick([' ', '\n', '\t', '\r', '\f', '\u00a0'])}${sign} `,
    ),
  // A character less, more or other.
  (text, random) => {
    const at = random.below(text.length + 1);
    return (
      text.slice(0, at) +
      random.pick(['', '"', '\\', '}', '{', ',', '0', 'e', '\u0000', 'é', '😀']) +
      text.slice(at + random.below(2))
    );
  },
  // Padding up to around the limit.
  (text, random) => text.padEnd(LIMITS.maxRecordBytes - 1 + random.below(3)),
];

function mutated(raw: Raw, random: Random): Raw {
  let { input, key, value, timestamp } = raw;
  let text = value?.toString('utf8');
  for (let n = 1 + random.below(3); n > 0 && text !== undefined; n -= 1) text = random.pick(MUTATIONS)(text, random);
  if (text !== undefined) value = Buffer.from(text);
  if (random.chance(0.1) && value !== null && value.length > 0) value[random.below(value.length)] = random.below(256);
  if (random.chance(0.1)) input = random.pick(INPUTS);
  if (random.chance(0.1)) timestamp += random.pick([-LIMITS.maxFutureSkew, LIMITS.maxFutureSkew]) + random.below(3) - 1;
  if (random.chance(0.15)) {
    const bare = key?.toString().replaceAll('"', '') ?? USER;
    key = random.pick([
      null,
      Buffer.from(bare),
      Buffer.from(`"${bare}"`),
      Buffer.from(bare.toUpperCase()),
      Buffer.from(`"${bare}`),
      Buffer.from(`'${bare}'`),
      Buffer.from(` ${bare}`),
      Buffer.from(`""${bare}""`),
      Buffer.from([0xff, ...Buffer.from(bare).subarray(1)]),
    ]);
  }
  return { input, key, value, timestamp };
}

describe('the decoder agrees with the independent model', () => {
  it('on generated traffic, usable and not', () => {
    const verdicts = new Set(records.map((raw) => JSON.stringify(assertAgreement(raw))));
    assert.ok(verdicts.size > 300);
  });

  it('on every kind of unusable record, and both give its reason', () => {
    for (const [index, { kind, reason }] of UNUSABLE_KINDS.entries()) {
      const context = { random: new Random(index), userId: USER, timestamp: START, ...LIMITS };
      const { input, key, value } = unusableRecord(index, context);
      const raw = { input, key: key === null ? null : Buffer.from(key), value, timestamp: START };
      assert.equal(assertAgreement(raw), reason, kind);
    }
  });

  it('on mutated records', () => {
    const counts = new Map<string, number>();
    fc.assert(
      fc.property(fc.nat(records.length - 1), fc.integer({ min: 0, max: 2 ** 31 }), (index, seed) => {
        const verdict = assertAgreement(mutated(records[index]!, new Random(seed)));
        const name = typeof verdict === 'string' ? verdict : 'usable';
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }),
      { numRuns: 6_000 },
    );
    // Teeth: every verdict was met often.
    for (const name of ['usable', 'too-large', 'malformed', 'unknown-type', 'invalid', 'key-mismatch']) {
      assert.ok((counts.get(name) ?? 0) > 30, `${name}: ${counts.get(name)}`);
    }
  });

  it('on every text in the place of every field', () => {
    const [payment] = records.filter(({ value }) => value?.includes('PaymentEvent') && !value.includes('null'));
    for (const name of NAMES) {
      for (const text of TEXTS) {
        const value = payment!.value!.toString().replace(/}$/, () => `,"${name}":${text}}`);
        assertAgreement({ ...payment!, value: Buffer.from(value) });
      }
    }
  });

  it('on long texts', () => {
    for (const name of [
      'moneyType',
      'birthYear',
      'residentCountryCode',
      'clientCountryCode',
      'address',
      'reason',
      'paymentRelatedThing',
    ]) {
      for (const text of [
        'x'.repeat(1_000),
        'x'.repeat(1_001),
        '\u{1f600}'.repeat(501),
        '\ud800'.repeat(1_000),
        '\ud800'.repeat(1_001),
      ]) {
        for (const raw of records.slice(0, 50)) {
          const value = raw.value?.toString().replace(/}$/, () => `,"${name}":${JSON.stringify(text)}}`);
          if (value !== undefined && value.length < LIMITS.maxRecordBytes) {
            assertAgreement({ ...raw, value: Buffer.from(value) });
          }
        }
      }
    }
  });

  it('on dates', () => {
    const digits = (length: number) => fc.stringMatching(new RegExp(`^\\d{${length}}$`));
    const part = (numbers: fc.Arbitrary<number>, length: number) =>
      numbers.map((number) => String(number).padStart(length, '0'));
    const date = fc
      .tuple(
        fc.oneof(digits(4), fc.constantFrom('0000', '1900', '2000', '2024', '9999')),
        part(fc.integer({ min: 0, max: 13 }), 2),
        part(fc.integer({ min: 0, max: 32 }), 2),
        part(fc.integer({ min: 0, max: 24 }), 2),
        part(fc.integer({ min: 0, max: 60 }), 2),
        fc.option(part(fc.integer({ min: 0, max: 60 }), 2)),
        fc.option(fc.tuple(fc.constantFrom('.', ','), fc.integer({ min: 0, max: 9 }).chain(digits))),
        fc.oneof(
          fc.constantFrom('Z', '', 'z'),
          fc
            .tuple(
              fc.constantFrom('+', '-'),
              part(fc.integer({ min: 0, max: 24 }), 2),
              fc.constantFrom('', ':00', '30', ':59', ':60'),
            )
            .map((parts) => parts.join('')),
        ),
      )
      .map(
        ([year, month, day, hour, minute, second, fraction, zone]) =>
          `${year}-${month}-${day}T${hour}:${minute}${second === null ? '' : `:${second}`}${fraction?.join('') ?? ''}${zone}`,
      );
    fc.assert(
      fc.property(date, (text) => {
        assert.equal(parseTimestamp(text), parseDate(text), text);
      }),
      { numRuns: 3_000 },
    );
  });

  it('on currencies', () => {
    assert.deepEqual([...CURRENCIES].sort(), [...MODEL_CURRENCIES].sort());
  });
});
