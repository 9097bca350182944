/** The change that docs/a-change.md shows fits this tree, and does what the page says. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as Codec from '../src/money/codec/decode.ts';
import { encodeOutput } from '../src/money/codec/output-record.ts';
import { applyBatch } from '../src/money/domain/apply.ts';
import { initialState } from '../src/money/domain/state.ts';
import { DEFAULT_SETTINGS } from '../src/money/model/model.ts';
import type * as Model from '../src/money/model/model.ts';
import type * as Generator from '../src/tools/generate/event-text.ts';
import type * as Malformed from '../src/tools/generate/malformed.ts';
import { Random } from '../src/engine/random.ts';
import { RULES } from './money/domain/given.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const AT = '2026-01-31T10:00:00.000Z';

interface Hunk {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

let copy = '';

/** Of all diffs of the page. */
function hunksOf(page: string): Hunk[] {
  const blocks = [...page.matchAll(/```diff\n([^]*?)```/g)].map(([, block]) => block!);
  return blocks.flatMap((block) =>
    block.split(/^diff --git .*\n/m).flatMap((part) => {
      const file = /^\+\+\+ b\/(.+)$/m.exec(part)?.[1];
      const [, ...hunks] = part.split(/^@@ .*\n/m);
      const linesOf = (hunk: string, but: string): string =>
        hunk.replace(/[^\n]*\n/g, (line) => (line.startsWith(but) ? '' : line.slice(1)));
      return hunks.map((hunk) => ({ file: file!, before: linesOf(hunk, '+'), after: linesOf(hunk, '-') }));
    }),
  );
}

/** Whole lines of `text`, found once. */
function replaced(text: string, { file, before, after }: Hunk): string {
  const parts = `\n${text}`.split(`\n${before}`);
  assert.equal(
    parts.length,
    2,
    `docs/a-change.md, ${file}: these lines are there ${parts.length - 1} times\n${before}`,
  );
  return parts.join(`\n${after}`).slice(1);
}

before(() => {
  copy = mkdtempSync(join(tmpdir(), 'a-change-'));
  for (const name of ['src', 'workflows', 'activities', 'schemas', 'test', 'verification', 'package.json']) {
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
});
after(() => rmSync(copy, { recursive: true, force: true }));

test('the change fits, and then a reversal is generated, decoded and enriched as the model says', async () => {
  const hunks = hunksOf(readFileSync(join(ROOT, 'docs/a-change.md'), 'utf8'));
  assert.equal(new Set(hunks.map(({ file }) => file)).size, 8);
  for (const hunk of hunks) {
    const file = join(copy, hunk.file);
    writeFileSync(file, replaced(readFileSync(file, 'utf8'), hunk));
  }

  const load = async (file: string): Promise<unknown> => import(pathToFileURL(join(copy, file)).href);
  const { moneyEvent, render } = (await load('src/tools/generate/event-text.ts')) as typeof Generator;
  const { decodeRecord } = (await load('src/money/codec/decode.ts')) as typeof Codec;
  const { model } = (await load('src/money/model/model.ts')) as typeof Model;
  const money = {
    type: 'ReversalEvent' as 'PaymentEvent',
    id: '11111111-2222-4333-8444-555555555555',
    userId: USER,
    userSessionId: null,
    amount: '-7.10',
    openingBalance: '10.00',
    closingBalance: '2.90',
    currency: 'EUR',
    moneyType: 'REVERSAL',
    isOldMoneyEvent: false,
  };
  const text = render(moneyEvent(money, AT).fields);
  assert.match(text, /"reversalRelatedThing":/);
  const record = { key: Buffer.from(USER), value: Buffer.from(text), timestamp: Date.parse(AT) };

  const enriched =
    `{"money":{"id":"${money.id}","userId":"${USER}","processedAt":"${AT}","amount":-7.10,"currency":"EUR",` +
    `"closingBalance":2.90,"moneyType":"REVERSAL","isOldMoneyEvent":false},"firstOccurrence":true}`;

  const decoded = decodeRecord('money', record, { maxRecordBytes: 10_000, maxFutureSkew: 0 });
  assert.ok(decoded.ok && decoded.event.type === 'money', JSON.stringify(decoded));
  const { applied } = applyBatch(
    initialState(),
    {
      partition: 0,
      lowWater: [0, 0, 0],
      rules: RULES,
      records: [{ offset: 0, ts: decoded.ts, event: decoded.event }],
    },
    { userId: decoded.userId, now: null },
  );
  assert.deepEqual(
    applied.map((output) => encodeOutput(output, decoded.userId).value),
    [enriched],
  );

  const { outputs, deadLetters } = model({
    records: [{ topic: 'money', partition: 0, offset: 0, ...record }],
    settings: DEFAULT_SETTINGS,
    sessionService: () => 'ZZ',
  });
  assert.deepEqual(deadLetters, []);
  assert.deepEqual(
    outputs.map(({ value }) => value),
    [enriched],
  );

  // No record that is to be unusable became usable by it: the generator's types that are in no table still are in none.
  const { UNUSABLE_KINDS, unusableRecord } = (await load('src/tools/generate/malformed.ts')) as typeof Malformed;
  for (const [index, { kind, reason }] of UNUSABLE_KINDS.entries()) {
    const limits = { maxRecordBytes: 10_000, maxFutureSkew: 0 };
    const context = { random: new Random(index), userId: USER, timestamp: Date.parse(AT), ...limits };
    const { input, key, value } = unusableRecord(index, context);
    const raw = { key: key === null ? null : Buffer.from(key), value, timestamp: Date.parse(AT) };
    const result = decodeRecord(input, raw, limits);
    assert.equal(result.ok ? 'ok' : result.reason, reason, kind);
  }
});
