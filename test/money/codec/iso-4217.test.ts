import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CURRENCIES } from '../../../src/money/codec/iso-4217.ts';

test('active, fund, metal, testing and withdrawn codes are known', () => {
  for (const code of [
    'EUR',
    'USD',
    'UYU',
    'ZWG',
    'XCG',
    'CHE',
    'CLF',
    'XAU',
    'XDR',
    'XTS',
    'XXX',
    'BGN',
    'DEM',
    'ITL',
    'HRK',
    'ZWL',
  ]) {
    assert.ok(CURRENCIES.has(code), code);
  }
});

test('what ISO 4217 never had is not known', () => {
  for (const code of ['', 'eur', 'EU', 'EURO', 'BTC', 'AAA', '978', 'constructor', ' EUR']) {
    assert.ok(!CURRENCIES.has(code), code);
  }
});

test('178 active codes and 129 withdrawn ones, each of three capitals', () => {
  assert.equal(CURRENCIES.size, 178 + 129);
  for (const code of CURRENCIES) assert.match(code, /^[A-Z]{3}$/);
});
