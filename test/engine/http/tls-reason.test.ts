import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tlsReason } from '../../../src/engine/http/tls-reason.ts';

const failure = (code: string, message = 'error:0A000086:SSL routines') => Object.assign(new Error(message), { code });

test('a failure of TLS is said in words, however deep it lies', () => {
  const deep = new TypeError('fetch failed', { cause: failure('SELF_SIGNED_CERT_IN_CHAIN') });
  assert.equal(
    tlsReason(deep, 'X_SSL'),
    'its certificate comes from an authority that is not trusted here: set X_SSL_CA to the certificate of that authority',
  );
  assert.match(tlsReason(failure('CERT_HAS_EXPIRED'), 'X')!, /^its certificate has expired/);
  assert.match(tlsReason(failure('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'X')!, /set X_CERT and X_KEY/);
  assert.match(tlsReason(failure('ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE'), 'X')!, /set X_CERT and X_KEY/);
  assert.match(tlsReason(failure('ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED'), 'X')!, /renew it/);
  assert.match(tlsReason(failure('ERR_SSL_WRONG_VERSION_NUMBER'), 'X')!, /does not speak TLS/);
  assert.match(tlsReason(failure('ERR_TLS_CERT_ALTNAME_INVALID', 'not for a'), 'X')!, /another host \(not for a\)/);
});

test('what is no failure of TLS has no such reason', () => {
  assert.equal(tlsReason(failure('ECONNREFUSED'), 'X'), undefined);
  assert.equal(tlsReason(new Error('no'), 'X'), undefined);
  assert.equal(tlsReason('no', 'X'), undefined);
  const round = new Error('round');
  round.cause = round;
  assert.equal(tlsReason(round, 'X'), undefined);
});
