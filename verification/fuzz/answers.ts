/** Answers that a session service might give: bytes on a connection, and what a lookup must make of them. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Random } from '../../src/engine/random.ts';

/** `any`: whatever of the documented outcomes; the bytes are not well-formed enough to say which. */
export type Expected =
  { readonly is: 'found'; readonly country: string } | { readonly is: 'not-found' | 'no-answer' | 'any' };

export interface Answer {
  readonly kind: string;
  readonly bytes: Buffer;
  /** What the server does with the connection after them. */
  readonly then: 'keep' | 'close' | 'reset' | 'hang' | 'drip' | 'flood';
  readonly expected: Expected;
}

const MAX_BODY = 64 * 1024;
const NO: Expected = { is: 'no-answer' };
const ANY: Expected = { is: 'any' };
const found = (country: string): Expected => ({ is: 'found', country });

const head = (status: string, headers: Readonly<Record<string, string | number>>): string =>
  `HTTP/1.1 ${status}\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;

function whole(status: string, body: Buffer | string, headers: Readonly<Record<string, string | number>> = {}): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([
    Buffer.from(head(status, { 'content-type': 'application/json', 'content-length': bytes.length, ...headers })),
    bytes,
  ]);
}

function chunked(random: Random, body: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from(head('200 OK', { 'transfer-encoding': 'chunked' }))];
  for (let at = 0; at < body.length;) {
    const part = body.subarray(at, at + 1 + random.below(20));
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
    at += part.length;
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

const COUNTRIES = [
  'UY',
  'DE',
  'XX',
  '',
  ' ',
  'uruguay',
  'UY\u0000',
  '😀',
  '__proto__',
  'null',
  '"',
  '\\',
  '\u2028',
  'x'.repeat(5_000),
];

/** Bodies with their country, or null where they have none. */
function body(random: Random): readonly [text: Buffer | string, country: string | null] {
  const country = random.pick(COUNTRIES);
  const json = JSON.stringify({ clientCountryCode: country });
  const usable = country.length > 0 && [...country].length <= 1_000 ? country : null;
  const padded = (size: number): readonly [Buffer, string | null] => [
    Buffer.concat([Buffer.from(json), Buffer.alloc(size, ' ')], size),
    size > MAX_BODY ? null : usable,
  ];
  return random.pick<() => readonly [Buffer | string, string | null]>([
    () => [json, usable],
    () => [JSON.stringify({ a: [1, { b: null }], clientCountryCode: country, z: 1e300 }), usable],
    () => [`{"clientCountryCode":"A","clientCountryCode":${JSON.stringify(country)}}`, usable],
    () => [`{"clientCountryCode":"A","clientCountryCode":1}`, null],
    () => ['{"\\u0063lientCountryCode":"\\u0055Y"}', 'UY'],
    () => ['{"clientCountryCode":"\\ud800"}', '\ufffd'],
    () => padded(MAX_BODY - 1),
    () => padded(MAX_BODY),
    () => padded(MAX_BODY + 1),
    () => [JSON.stringify({ clientCountryCode: 'x'.repeat(MAX_BODY) }), null],
    () => [
      JSON.stringify({ clientCountryCode: random.pick<unknown>([null, 1, true, {}, [], ['UY'], { toString: 1 }]) }),
      null,
    ],
    () => ['{"__proto__":{"clientCountryCode":"UY"}}', null],
    () => ['{"constructor":{"prototype":{"clientCountryCode":"UY"}}}', null],
    () => ['{"clientcountrycode":"UY"}', null],
    () => [JSON.stringify(random.pick<unknown>([null, 0, 'UY', [], [{ clientCountryCode: 'UY' }], true, {}])), null],
    () => [
      random.pick([
        '',
        ' ',
        'UY',
        '{',
        '}',
        '{"clientCountryCode":"UY"',
        '{"clientCountryCode":"UY"}}',
        "{'clientCountryCode':'UY'}",
        '{"clientCountryCode":UY}',
        '<html>',
        '\0',
        'NaN',
        '{"clientCountryCode":"U\nY"}',
      ]),
      null,
    ],
    () => ['['.repeat(random.below(MAX_BODY)), null],
    () => [`{"a":${'['.repeat(20_000)}${']'.repeat(20_000)},"clientCountryCode":"UY"}`, 'UY'],
    () => [Buffer.from('{"clientCountryCode":"\xff"}', 'latin1'), null],
    () => [Buffer.from(json, 'utf16le'), null],
    () => [Buffer.from(Array.from({ length: 1 + random.below(200) }, () => 128 + random.below(64))), null],
  ])();
}

const ANSWERS: readonly (readonly [kind: string, make: (random: Random, trap: string) => Omit<Answer, 'kind'>])[] = [
  [
    'a body',
    (random) => {
      const [text, country] = body(random);
      const expected = country === null ? NO : found(country);
      const bytes = Buffer.from(text);
      return random.pick<() => Omit<Answer, 'kind'>>([
        () => ({ bytes: whole('200 OK', bytes), then: 'keep', expected }),
        () => ({ bytes: chunked(random, bytes), then: 'keep', expected }),
        () => ({
          bytes: Buffer.concat([Buffer.from(head('200 OK', { connection: 'close' })), bytes]),
          then: 'close',
          expected,
        }),
        () => ({
          bytes: whole('200 OK', bytes, {
            'content-type': random.pick(['text/html', 'image/png', '', 'application/json; charset=utf-16']),
          }),
          then: 'keep',
          expected,
        }),
      ])();
    },
  ],
  [
    '404',
    (random) => {
      const text = Buffer.from(body(random)[0]);
      return {
        bytes: whole('404 Not Found', text),
        then: 'keep',
        expected: text[0] === 0x3c ? NO : { is: 'not-found' },
      };
    },
  ],
  [
    'another status',
    (random) => {
      const status = random.pick([
        201, 202, 203, 206, 226, 300, 304, 305, 400, 401, 403, 405, 408, 409, 410, 418, 421, 425, 429, 451, 500, 501,
        502, 503, 504, 511, 599, 600, 999,
      ]);
      const silent = status === 304;
      return {
        bytes: silent
          ? Buffer.from(head('304 Not Modified', {}))
          : whole(`${status} X`, '{"clientCountryCode":"UY"}', { 'retry-after': 0 }),
        then: 'close',
        expected: NO,
      };
    },
  ],
  ['204', () => ({ bytes: Buffer.from(head('204 No Content', {})), then: 'keep', expected: NO })],
  [
    'a redirect',
    (random, trap) => {
      const status = random.pick([301, 302, 303, 307, 308]);
      const location = random.pick([
        `http://${trap}/sessions/x`,
        `//${trap}/sessions/x`,
        '/elsewhere',
        'sessions/x',
        `http://x@${trap}/`,
        'file:///etc/passwd',
        'data:application/json,{"clientCountryCode":"XX"}',
        '',
        `http://${trap}\r\nx: y`,
      ]);
      return {
        bytes: whole(`${status} X`, '', { location, refresh: `0; url=http://${trap}/`, 'alt-svc': `h2="${trap}"` }),
        then: 'close',
        expected: NO,
      };
    },
  ],
  [
    'compressed',
    (random) => {
      const [name, compress] = random.pick([
        ['gzip', gzipSync],
        ['deflate', deflateSync],
        ['br', brotliCompressSync],
      ] as const);
      const [text, country] = random.pick([
        ['{"clientCountryCode":"UY"}', 'UY'],
        ['{', null],
        ['{"clientCountryCode":"UY"}'.padEnd(MAX_BODY), 'UY'],
        [' '.repeat(BOMB), null],
      ] as const);
      const bytes = compressed(`${name} ${text.length}`, () => compress(text));
      const expected = country === null ? NO : found(country);
      if (random.chance(0.2)) {
        return {
          bytes: whole('200 OK', bytes.subarray(0, random.below(bytes.length)), { 'content-encoding': name }),
          then: 'close',
          expected: ANY,
        };
      }
      if (random.chance(0.1)) {
        return { bytes: whole('200 OK', 'no such thing', { 'content-encoding': name }), then: 'close', expected: NO };
      }
      return { bytes: whole('200 OK', bytes, { 'content-encoding': name }), then: 'close', expected };
    },
  ],
  [
    'a wrong length',
    (random) => {
      const json = '{"clientCountryCode":"UY"}';
      const length = random.pick([
        json.length + 1 + random.below(100),
        '9'.repeat(30),
        '-1',
        '1e3',
        'x',
        '0x1a',
        '+26',
        `${json.length}, ${json.length + 1}`,
        2 ** 40,
      ]);
      return { bytes: whole('200 OK', json, { 'content-length': length }), then: 'close', expected: NO };
    },
  ],
  [
    'too short a length',
    (random) => ({
      bytes: whole('200 OK', '{"clientCountryCode":"UY"}', { 'content-length': random.below(26) }),
      then: 'close',
      expected: NO,
    }),
  ],
  [
    'length and chunks',
    () => ({
      bytes: Buffer.from(
        `${head('200 OK', { 'content-length': 5, 'transfer-encoding': 'chunked' })}1a\r\n{"clientCountryCode":"UY"}\r\n0\r\n\r\n`,
      ),
      then: 'close',
      expected: ANY,
    }),
  ],
  [
    'bad chunks',
    (random) => ({
      bytes: Buffer.from(
        head('200 OK', { 'transfer-encoding': 'chunked' }) +
          random.pick(['-1\r\n', 'ffffffffffffffffff\r\n', 'zz\r\n', '1a;' + 'x'.repeat(100_000) + '\r\n', '\r\n']),
      ),
      then: 'close',
      expected: NO,
    }),
  ],
  // The two bytes behind a chunk are not looked at by every reader.
  [
    'a chunk without an end',
    () => ({
      bytes: Buffer.from(
        `${head('200 OK', { 'transfer-encoding': 'chunked' })}1a\r\n{"clientCountryCode":"UY"}XX0\r\n\r\n`,
      ),
      then: 'close',
      expected: ANY,
    }),
  ],
  [
    '1xx first',
    (random) => {
      const first = random.pick([
        head('100 Continue', {}),
        head('103 Early Hints', { link: '</x>; rel=preload' }),
        head('102 Processing', {}),
      ]);
      return {
        bytes: Buffer.concat([
          Buffer.from(first.repeat(1 + random.below(random.chance(0.1) ? 2_000 : 3))),
          whole('200 OK', '{"clientCountryCode":"UY"}'),
        ]),
        then: 'close',
        expected: ANY,
      };
    },
  ],
  [
    'another protocol',
    (random, trap) => ({
      bytes: Buffer.from(
        head('101 Switching Protocols', {
          connection: 'upgrade',
          upgrade: random.pick(['websocket', 'h2c', `http://${trap}`]),
        }),
      ),
      then: 'close',
      expected: NO,
    }),
  ],
  [
    'headers',
    (random) => {
      const json = '{"clientCountryCode":"UY"}';
      const headers = random.pick<() => Record<string, string>>([
        () => Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`x-${n}`, 'y'])),
        () => ({ 'x-large': 'y'.repeat(100_000) }),
        () => ({ 'set-cookie': 'a=b; domain=.com' }),
        () => ({ __proto__x: '1', constructor: '2' }),
        () => ({ 'x\0y': 'z' }),
        () => ({ x: 'a\0b' }),
        () => ({ x: '\xff\xfe' }),
        () => ({ '': 'empty' }),
        () => ({ ' content-length': '3' }),
        () => ({ x: 'a\nb: c' }),
      ])();
      return { bytes: Buffer.from(whole('200 OK', json, headers)), then: 'close', expected: ANY };
    },
  ],
  [
    'a cut answer',
    (random) => {
      const bytes = whole('200 OK', '{"clientCountryCode":"UY"}');
      return {
        bytes: bytes.subarray(0, random.below(bytes.length)),
        then: random.pick(['close', 'reset'] as const),
        expected: NO,
      };
    },
  ],
  [
    'no answer in time',
    (random) => {
      const bytes = whole('200 OK', '{"clientCountryCode":"UY"}');
      return {
        bytes: bytes.subarray(0, random.below(bytes.length)),
        then: random.pick(['hang', 'drip'] as const),
        expected: NO,
      };
    },
  ],
  [
    'an endless answer',
    (random) => ({
      bytes: Buffer.from(
        random.pick([
          head('200 OK', {}),
          head('200 OK', { 'content-length': 1e12 }),
          head('404 X', {}),
          'HTTP/1.1 200 OK\r\nx: ',
        ]),
      ),
      then: 'flood',
      expected: ANY,
    }),
  ],
  [
    'no HTTP',
    (random) => ({
      bytes: Buffer.from(
        random.pick([
          'SSH-2.0-x\r\n',
          '\x16\x03\x01\x02\x00',
          'HTTP/9.9 200 OK\r\n\r\n',
          'HTTP/1.1\r\n\r\n',
          'HTTP/1.1 2000 OK\r\n\r\n',
          'HTTP/1.1 -20 OK\r\n\r\n',
          '200 OK\r\n\r\n{}',
          'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
          '\r\n\r\n\r\n',
        ]),
      ),
      then: 'close',
      expected: NO,
    }),
  ],
  [
    'changed bytes',
    (random) => {
      const bytes = whole('200 OK', '{"clientCountryCode":"UY"}');
      for (let n = 1 + random.below(4); n > 0; n -= 1) bytes[random.below(bytes.length)] = random.below(256);
      return { bytes, then: 'close', expected: ANY };
    },
  ],
  [
    'raw bytes',
    (random) => ({
      bytes: Buffer.from(Array.from({ length: random.below(400) }, () => random.below(256))),
      then: 'close',
      expected: ANY,
    }),
  ],
];

/** bytes, of spaces */
const BOMB = 20_000_000;
/** Compressing is slow, and the service and its client share a thread here: once each. */
const cache = new Map<string, Buffer>();
function compressed(key: string, make: () => Buffer): Buffer {
  const known = cache.get(key) ?? make();
  cache.set(key, known);
  return known;
}

/** What takes a whole time-out is rare. */
const SLOW = new Set(['no answer in time', 'an endless answer']);

/** `trap`: host and port to which nothing may ever be sent. */
export function answerOf(random: Random, trap: string): Answer {
  let [kind, make] = random.pick(ANSWERS);
  if (SLOW.has(kind) && random.chance(0.95)) [kind, make] = ANSWERS[0]!;
  return { kind, ...make(random, trap) };
}
