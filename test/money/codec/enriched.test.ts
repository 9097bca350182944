import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeEnriched, outputKey } from '../../../src/money/codec/enriched.ts';
import type { Enriched } from '../../../src/money/domain/events.ts';

const userId = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const enriched: Enriched = {
  userId,
  money: {
    id: '11111111-2222-4333-8444-555555555555',
    userSessionId: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee',
    ts: 1_769_853_600_000,
    amount: '0.10',
    currency: 'EUR',
    closingBalance: '1E+2',
    moneyType: 'DEPOSIT',
    isOldMoneyEvent: false,
  },
  userInfo: { birthYear: '1990', residentCountryCode: 'UY' },
  sessionInfo: { clientCountryCode: 'AR' },
  firstOccurrence: true,
};

test('all parts, in the order of the contract, numbers as they came', () => {
  assert.equal(
    encodeEnriched(enriched),
    '{"money":{"id":"11111111-2222-4333-8444-555555555555","userId":"0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11",' +
      '"userSessionId":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","processedAt":"2026-01-31T10:00:00.000Z","amount":0.10,' +
      '"currency":"EUR","closingBalance":1E+2,"moneyType":"DEPOSIT","isOldMoneyEvent":false},' +
      '"userInfo":{"birthYear":"1990","residentCountryCode":"UY"},"sessionInfo":{"clientCountryCode":"AR"},' +
      '"firstOccurrence":true}',
  );
});

test('absent parts are left out', () => {
  const { userSessionId: _, ...money } = enriched.money;
  assert.equal(
    encodeEnriched({ userId, money: { ...money, isOldMoneyEvent: true }, firstOccurrence: false }),
    '{"money":{"id":"11111111-2222-4333-8444-555555555555","userId":"0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11",' +
      '"processedAt":"2026-01-31T10:00:00.000Z","amount":0.10,"currency":"EUR","closingBalance":1E+2,' +
      '"moneyType":"DEPOSIT","isOldMoneyEvent":true},"firstOccurrence":false}',
  );
});

test('one known field of the user is written alone, none leaves userInfo out', () => {
  assert.match(encodeEnriched({ ...enriched, userInfo: { birthYear: '1990' } }), /"userInfo":\{"birthYear":"1990"\},/);
  assert.match(
    encodeEnriched({ ...enriched, userInfo: { residentCountryCode: 'UY' } }),
    /"userInfo":\{"residentCountryCode":"UY"\},/,
  );
  assert.doesNotMatch(encodeEnriched({ ...enriched, userInfo: {} }), /userInfo/);
});

test('text of any kind is valid JSON', () => {
  const odd = 'a"\\\n\u0000\ud800é😀\u2028';
  const json = encodeEnriched({ ...enriched, money: { ...enriched.money, moneyType: odd } });
  assert.equal((JSON.parse(json) as { money: { moneyType: string } }).money.moneyType, odd);
  assert.equal(Buffer.from(json, 'utf8').toString('utf8'), json);
});

test('the key is the user id in double quotes', () => {
  assert.equal(outputKey(userId), '"0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11"');
});
