import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tlsProblems, type TlsMaterial } from '../../../src/engine/process/tls-material.ts';
import { CERTIFICATE, ENCRYPTED_KEY, KEY, OTHER_KEY, PASSPHRASE } from '../../support/pem.ts';

const JUNK = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

const cases: readonly [what: string, material: TlsMaterial, problems: readonly string[]][] = [
  ['nothing', {}, []],
  ['a chain', { ca: CERTIFICATE + CERTIFICATE }, []],
  ['a certificate with its key', { cert: CERTIFICATE, key: KEY }, []],
  ['a key with its passphrase', { cert: CERTIFICATE, key: ENCRYPTED_KEY, passphrase: PASSPHRASE }, []],
  ['what gives them', { cert: () => CERTIFICATE, key: () => ENCRYPTED_KEY, passphrase: () => PASSPHRASE }, []],
  [
    'a key without its passphrase',
    { cert: CERTIFICATE, key: ENCRYPTED_KEY },
    ['P_KEY is encrypted: expected its passphrase in P_KEY_PASSPHRASE'],
  ],
  [
    'another passphrase',
    { cert: CERTIFICATE, key: ENCRYPTED_KEY, passphrase: 'open' },
    ['P_KEY_PASSPHRASE="***": expected the passphrase of the key in P_KEY, which it does not open'],
  ],
  [
    'the key of another certificate',
    { cert: CERTIFICATE, key: OTHER_KEY },
    ['P_CERT: it is not the certificate of the key in P_KEY'],
  ],
  [
    'what is no certificate',
    { ca: CERTIFICATE + JUNK, cert: KEY, key: KEY },
    [
      'P_CA: expected one or more certificates in PEM, and what is there cannot be read as such',
      'P_CERT: expected a certificate in PEM, and what is there cannot be read as such',
    ],
  ],
  [
    'a certificate for a key',
    { cert: CERTIFICATE, key: CERTIFICATE },
    ['P_KEY: expected a private key in PEM, and what is there cannot be read as such'],
  ],
];

for (const [what, material, problems] of cases) {
  test(`${what}: ${problems.length === 0 ? 'fine' : 'said in our words'}`, () =>
    assert.deepEqual(tlsProblems(material, 'P'), problems));
}
