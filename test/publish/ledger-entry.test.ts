import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLedgerEntry, decodeOwner, encodeLedgerEntry, encodeOwner } from '../../src/publish/ledger-entry.ts';
import { FIRST_LIFE, withCode } from '../support/publishing.ts';

test('an entry is one short line', () => {
  const entry = { incarnation: FIRST_LIFE, applied: { seq: 5, partition: 1, offset: 105 } };
  assert.equal(encodeLedgerEntry(entry), '{"i":[1000,"run-1"],"a":[5,1,105]}');
  assert.deepEqual(decodeLedgerEntry(Buffer.from('{"i":[1000,"run-1"],"a":[5,1,105]}'), 'here'), entry);
});

test('both streams are kept', () => {
  assert.deepEqual(decodeLedgerEntry(Buffer.from('{"i":[7,"r"],"a":[1,2,3],"r":[4,5,6]}'), 'here'), {
    incarnation: { startedAt: 7, runId: 'r' },
    applied: { seq: 1, partition: 2, offset: 3 },
    resolved: { seq: 4, partition: 5, offset: 6 },
  });
});

test('a sentinel names its owner', () => {
  const owner = { owner: 'id', host: 'h', at: 3 };
  assert.deepEqual(decodeOwner(Buffer.from(encodeOwner(owner)), 'here'), owner);
});

for (const foreign of ['', 'null', '[]', '{}', '{"i":[1]}', '{"i":["1","r"]}', '{"i":[1,"r"],"a":[1,2]}', '{"i":[1,"r"],"a":[1,2,"3"]}', '\u0000']) {
  test(`a record that is not ours is refused: ${JSON.stringify(foreign)}`, () => {
    assert.throws(() => decodeLedgerEntry(Buffer.from(foreign), 'ledger-0@7'), withCode('DIVERGENCE'));
    assert.throws(() => decodeOwner(Buffer.from(foreign), 'ledger-0@7'), withCode('DIVERGENCE'));
  });
}
