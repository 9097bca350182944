/** What the product accepts, it can carry: the largest payloads that follow from its limits, in the format that is really stored. */
import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { defaultPayloadConverter } from '@temporalio/common';
import { outboxLimits } from '../../../src/engine/ordering/signal-outbox.ts';
import { decodeRecord } from '../../../src/money/codec/decode.ts';
import { MAX_CHARACTERS } from '../../../src/money/codec/short-text.ts';
import { MAX_RECORD_BYTES } from '../../../src/money/config.ts';
import { BOUNDS } from '../../../src/money/domain/bounds.ts';
import type { Applicable, MoneyInput } from '../../../src/money/domain/events.ts';
import {
  addressChanged,
  birthDateChanged,
  moneyEvent,
  render,
  type Field,
} from '../../../src/tools/generate/event-text.ts';
import { dataConverterOf } from '../../../src/engine/temporal/payload-codec.ts';
import { chunksOf, isLarge } from '../../../src/engine/workflow/chunks.ts';
import { type EventBatch } from '../../../workflows/messages.ts';
import { stored } from '../../../src/engine/workflow/mark.ts';
import { noise } from '../../support/noise.ts';

const LIMITS = outboxLimits(0);
/** bytes that a Temporal server takes in one payload, as it is set up by default; a gRPC message may have twice that */
const PAYLOAD_LIMIT = 2_097_152;
const UUID = 'ffffffff-ffff-4fff-8fff-ffffffffffff';
const LAST = 2 ** 52;
const TIME = '9999-12-31T23:59:59.999Z';
/** Characters that are long in JSON, in UTF-8, and in both relative to their number in JavaScript. */
const TEXTS = {
  escapes: '\u0001'.repeat(MAX_CHARACTERS),
  'three bytes': '\u4e16'.repeat(MAX_CHARACTERS),
  'outside of the basic plane': '\u{1f4b6}'.repeat(MAX_CHARACTERS),
  'lone surrogates': '\ud800'.repeat(MAX_CHARACTERS),
};

const digits = (count: number): string => Array.from(noise(count), (byte) => 1 + (byte % 9)).join('');
const moneyFields = (amount: string, moneyType: string): readonly Field[] =>
  moneyEvent(
    {
      type: 'TransactionEvent',
      id: UUID,
      userId: UUID,
      userSessionId: UUID,
      amount,
      openingBalance: '0',
      closingBalance: '0',
      currency: 'EUR',
      moneyType,
      isOldMoneyEvent: false,
    },
    TIME,
  ).fields;

function applicable(input: MoneyInput, fields: readonly Field[]): Applicable & { readonly bytes: number } {
  const value = Buffer.from(render(fields));
  const result = decodeRecord(
    input,
    { key: Buffer.from(UUID), value, timestamp: Date.parse(TIME) },
    { maxRecordBytes: MAX_RECORD_BYTES, maxFutureSkew: 0 },
  );
  assert.ok(result.ok, JSON.stringify(result));
  return {
    offset: LAST,
    ts: result.ts,
    late: result.ts,
    event: result.event as Applicable['event'],
    bytes: value.length,
  };
}

function batchOf(records: readonly Applicable[]): EventBatch {
  const rules = { sessionTtl: LAST, dedupTtl: LAST, pendingTimeout: LAST, lookupGiveUpAfter: LAST, bounds: BOUNDS };
  const log = `${'A'.repeat(22)}~${LAST}`;
  return {
    partition: 2 ** 31 - 1,
    lowWater: [LAST, LAST, LAST],
    logs: { user: log, session: log, money: log },
    rules,
    records,
    userId: UUID,
  };
}

const KEY = { id: 'k'.repeat(100), key: createSecretKey(Buffer.alloc(32)) };
const [FORMAT, , , ENCRYPTION] = dataConverterOf({
  keys: { current: async () => KEY, byId: async () => KEY },
  setting: 'a test',
}).payloadCodecs!;

/** bytes of the payload in its format, before it is packed, encrypted */
async function sizeOf(value: object): Promise<number> {
  const formatted = await FORMAT!.encode([defaultPayloadConverter.toPayload(value)]);
  const [payload] = await ENCRYPTION!.encode(formatted);
  return payload!.data!.length;
}

// Texts have 1,000 characters at most; numbers are kept as they are written, so nothing but digits makes a signal large.
test('a signal with the largest record that may be accepted is a payload that Temporal takes', async () => {
  const amount = digits(MAX_RECORD_BYTES - Buffer.byteLength(render(moneyFields('', ''))));
  const record = applicable('money', moneyFields(amount, ''));
  assert.equal(record.bytes, MAX_RECORD_BYTES);
  const whole = await sizeOf(stored('EventBatch', batchOf([record])));
  assert.ok(whole > amount.length && whole < PAYLOAD_LIMIT - 100_000, `${whole} bytes`);
});

for (const [name, text] of Object.entries(TEXTS)) {
  test(`a signal of as many records as go together is a payload that Temporal takes: ${name}`, async () => {
    const each = [
      applicable('money', moneyFields('1', text)),
      applicable('user', addressChanged(UUID, UUID, TIME, text).fields),
      applicable('user', birthDateChanged(UUID, UUID, TIME, text).fields),
    ];
    for (const record of each) {
      const count = Math.min(LIMITS.maxEvents, Math.max(1, Math.floor(LIMITS.maxBytes / record.bytes)));
      const whole = await sizeOf(stored('EventBatch', batchOf(Array.from({ length: count }, () => record))));
      assert.ok(whole < PAYLOAD_LIMIT / 2, `${whole} bytes`);
    }
  });

  test(`outputs that are the input of an activity in history are a payload that Temporal takes: ${name}`, async () => {
    const money = {
      id: UUID,
      userSessionId: UUID,
      ts: LAST,
      amount: '1',
      currency: 'EUR',
      closingBalance: '1',
      moneyType: text,
      isOldMoneyEvent: false,
    };
    const outputOf = (amount: string) => ({
      partition: 2 ** 31 - 1,
      offset: LAST,
      enriched: {
        userId: UUID,
        money: { ...money, amount },
        userInfo: { birthYear: text, residentCountryCode: text },
        sessionInfo: { clientCountryCode: text },
        firstOccurrence: true,
      },
      incomplete: true,
    });
    const largest = outputOf(digits(MAX_RECORD_BYTES));
    const chunks = chunksOf([...Array.from({ length: 300 }, () => outputOf('1')), largest, outputOf('1')]);
    assert.equal(chunks.flat().length, 302);
    assert.deepEqual(
      chunks.filter(isLarge),
      [[largest]],
      'that one goes to a local activity, whose input is in no history',
    );
    for (const outputs of chunks.filter((chunk) => !isLarge(chunk))) {
      const whole = await sizeOf({
        userId: UUID,
        incarnation: { startedAt: LAST, runId: UUID },
        stream: 'resolved',
        first: LAST,
        outputs,
      });
      assert.ok(whole < PAYLOAD_LIMIT - 500_000, `${whole} bytes`);
    }
  });
}

test('records of the least bytes, as many as go together, are a payload that Temporal takes', async () => {
  const whole = await sizeOf(
    stored(
      'EventBatch',
      batchOf(Array.from({ length: LIMITS.maxEvents }, () => applicable('money', moneyFields('1', '')))),
    ),
  );
  assert.ok(whole < PAYLOAD_LIMIT / 4, `${whole} bytes`);
});
