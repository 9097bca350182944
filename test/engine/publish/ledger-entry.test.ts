import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import {
  decodeLedgerEntry,
  decodeOwner,
  encodeLedgerEntry,
  encodeOwner,
  type LedgerEntry,
} from '../../../src/engine/publish/ledger-entry.ts';
import type * as format from '../../../src/engine/stored/format.ts';
import { stateFormat } from '../../../src/engine/stored/format.ts';
import { FIRST_LIFE, withCode } from '../../support/publishing.ts';

/** By hand: zigzag varints, a length before the text, an index before what may be null. */
const ENTRY = Buffer.from(
  [
    'd00f',
    '0a',
    Buffer.from('run-1').toString('hex'),
    '02',
    '0a',
    '02',
    'd201',
    '02',
    '06',
    '10',
    Buffer.from('0123abcd').toString('hex'),
    '00',
  ].join(''),
  'hex',
);
const HEAD = encodeLedgerEntry({ incarnation: FIRST_LIFE }).subarray(0, 10);

test('an entry is a few bytes of Avro', () => {
  const entry = {
    incarnation: FIRST_LIFE,
    applied: { seq: 5, partition: 1, offset: 105, run: { number: 3, id: '0123abcd' } },
  };
  assert.deepEqual(encodeLedgerEntry(entry), Buffer.concat([HEAD, ENTRY]));
  assert.deepEqual(decodeLedgerEntry(Buffer.concat([HEAD, ENTRY]), 'here'), entry);
});

test('today writes the very bytes that were recorded when the ledger had no schema file of its own', () => {
  const recorded: readonly (readonly [LedgerEntry, string])[] = [
    [{ incarnation: FIRST_LIFE }, 'c301e6851f84c7ff8236d00f0a72756e2d310000'],
    [
      {
        incarnation: FIRST_LIFE,
        applied: { seq: 5, partition: 1, offset: 105, run: { number: 3, id: '0123abcd' } },
        resolved: { seq: 4, partition: 5, offset: 6 },
      },
      'c301e6851f84c7ff8236d00f0a72756e2d31020a02d201020610303132336162636402080a0c00',
    ],
  ];
  for (const [entry, bytes] of recorded) {
    assert.equal(encodeLedgerEntry(entry).toString('hex'), bytes);
    assert.deepEqual(decodeLedgerEntry(Buffer.from(bytes, 'hex'), 'here'), entry);
  }
});

test('the ledger needs no schema but its own: those of an application are not read for it', async (t) => {
  const read = t.mock.method(fs, 'readFileSync');
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  // A module of its own, which has read nothing yet.
  const { ledgerFormat } = (await import(
    `${import.meta.resolve('../../../src/engine/stored/format.ts')}?fresh`
  )) as typeof format;
  ledgerFormat();
  const schemas = read.mock.calls.map(({ arguments: [file] }) => String(file)).filter((file) => file.includes('avsc'));
  assert.ok(schemas.length > 1, 'that of today, and of each release');
  assert.deepEqual(
    schemas.filter((file) => !file.endsWith('/ledger.avsc')),
    [],
  );
});

test('both streams are kept', () => {
  const entry = {
    incarnation: { startedAt: 7, runId: 'r' },
    applied: { seq: 1, partition: 2, offset: 3 },
    resolved: { seq: 4, partition: 5, offset: 6 },
  };
  assert.deepEqual(decodeLedgerEntry(encodeLedgerEntry(entry), 'here'), entry);
});

test('an entry of a newer version says so', () => {
  const newer = Buffer.concat([HEAD, ENTRY]);
  newer[3]! ^= 0xff;
  assert.throws(() => decodeLedgerEntry(newer, 'ledger-0@7'), withCode('NEWER_STATE'));
  assert.throws(
    () => decodeLedgerEntry(newer, 'ledger-0@7'),
    (error: Error) =>
      /^the ledger record at ledger-0@7 was ./.test(error.message) && withCode('NEWER_STATE')(error.cause),
  );
});

test('what is stored of something else is no entry', () => {
  // Of an application's own schemas the ledger knows nothing.
  assert.throws(
    () => decodeLedgerEntry(stateFormat().encode('Start', { userId: 'u' }), 'ledger-0@7'),
    withCode('NEWER_STATE'),
  );
  assert.throws(
    () => decodeLedgerEntry(Buffer.concat([HEAD, ENTRY.subarray(0, 5)]), 'ledger-0@7'),
    withCode('DIVERGENCE'),
  );
});

test('a sentinel names its owner', () => {
  const owner = { owner: 'id', host: 'h', at: 3 };
  assert.deepEqual(decodeOwner(Buffer.from(encodeOwner(owner)), 'here'), owner);
});

for (const foreign of ['', 'null', '[]', '{}', '{"i":[1,"r"]}', '\u0000']) {
  test(`a record that is not ours is refused: ${JSON.stringify(foreign)}`, () => {
    assert.throws(() => decodeLedgerEntry(Buffer.from(foreign), 'ledger-0@7'), withCode('DIVERGENCE'));
    assert.throws(() => decodeOwner(Buffer.from(foreign), 'ledger-0@7'), withCode('DIVERGENCE'));
  });
}

test('a sentinel that says little is one all the same, if it names its owner', () => {
  for (const [value, host, at] of [
    ['{"owner":"id"}', '', 0],
    ['{"owner":"id","host":1,"at":"2"}', '', 0],
    ['{"owner":"id","host":"h","at":2}', 'h', 2],
  ] as const) {
    assert.deepEqual(decodeOwner(Buffer.from(value), 'here'), { owner: 'id', host, at });
  }
});

for (const [value, why] of [
  ['"owner', 'not JSON'],
  ['"owner"', 'not an object'],
  ['null', 'not an object'],
  ['{"owner":7}', 'no owner'],
] as const) {
  test(`what is wrong with a sentinel is said, and nothing of what it says: ${why}`, () => {
    assert.throws(() => decodeOwner(Buffer.from(value), 'ledger-0@7'), {
      code: 'DIVERGENCE',
      message:
        `the ledger record at ledger-0@7 is not one of ours (${why}, ${value.length} bytes). ` +
        'Only the publisher may write to the ledger topic: find the other writer, then delete that record by a tombstone',
    });
  });
}
