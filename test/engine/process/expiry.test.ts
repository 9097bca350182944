import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateExpiry, expiryWarning, type Expiring } from '../../../src/engine/process/expiry.ts';
import { CERTIFICATE } from '../../support/pem.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const one = (kind: Expiring['kind'], life: number | undefined): Expiring => ({
  kind,
  name: 'kafka-client',
  expiresAt: 1_000 * DAY,
  issuedAt: life === undefined ? undefined : 1_000 * DAY - life,
});

test('a certificate says when it ends', () => {
  assert.deepEqual(certificateExpiry('x', CERTIFICATE), {
    kind: 'certificate',
    name: 'x',
    issuedAt: Date.UTC(2026, 10, 27, 17, 6, 1),
    expiresAt: Date.UTC(2100, 9, 30, 17, 6, 1),
  });
  assert.equal(certificateExpiry('x', 'no'), undefined);
  assert.equal(certificateExpiry('x', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'), undefined);
});

const cases: readonly [what: string, expiring: Expiring, left: number, says: string | undefined][] = [
  ['a year, 31 days left', one('certificate', 365 * DAY), 31 * DAY, undefined],
  ['a year, 29 days left', one('certificate', 365 * DAY), 29 * DAY, '1972-09-27T00:00:00.000Z, in 29 days: renew it'],
  ['a day, nine hours left', one('certificate', DAY), 9 * HOUR, undefined],
  ['a day, seven hours left', one('certificate', DAY), 7 * HOUR, '1972-09-27T00:00:00.000Z, in 7 hours: renew it'],
  ['a token of an hour, seven minutes left', one('token', HOUR), 7 * 60_000, undefined],
  [
    'a token of an hour, five minutes left',
    one('token', HOUR),
    5 * 60_000,
    '1972-09-27T00:00:00.000Z, in 5 minutes: renew it',
  ],
  ['a token, eleven minutes left', one('token', undefined), 11 * 60_000, undefined],
  [
    'a token, nine minutes left',
    one('token', undefined),
    9 * 60_000,
    '1972-09-27T00:00:00.000Z, in 9 minutes: renew it',
  ],
];
for (const [what, expiring, left, says] of cases) {
  test(`${what}: ${says === undefined ? 'nothing is said' : 'it is said'}`, () =>
    assert.equal(
      expiryWarning(expiring, expiring.expiresAt - left),
      says === undefined ? undefined : `the ${expiring.kind} kafka-client expires at ${says}`,
    ));
}

test('what has ended is said as such', () => {
  assert.equal(
    expiryWarning(one('certificate', DAY), 1_000 * DAY),
    'the certificate kafka-client has expired at 1972-09-27T00:00:00.000Z: renew it',
  );
});
