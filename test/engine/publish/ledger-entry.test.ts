import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeLedgerEntry,
  decodeOwner,
  encodeLedgerEntry,
  encodeOwner,
} from '../../../src/engine/publish/ledger-entry.ts';
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
});

test('what is stored of something else is no entry', () => {
  assert.throws(
    () => decodeLedgerEntry(stateFormat().encode('Start', { userId: 'u' }), 'ledger-0@7'),
    withCode('DIVERGENCE'),
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
