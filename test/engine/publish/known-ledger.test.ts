import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { encodeLedgerEntry, type LedgerEntry } from '../../../src/engine/publish/ledger-entry.ts';
import { KnownLedger } from '../../../src/engine/publish/known-ledger.ts';

/** As large as one of a user for whom both streams have published. */
const entryOf = (n: number): LedgerEntry => ({
  incarnation: { startedAt: 1_700_000_000_000 + n, runId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` },
  applied: { seq: 10 + n, partition: 3, offset: 1_000_000 + n, run: { number: 4, id: '01234567' } },
  resolved: { seq: 2, partition: 3, offset: 900_000 + n, run: { number: 3, id: '89abcdef' } },
});
const keyOf = (n: number): string => `0a7f5c36-6d0c-4f6e-9a52-${String(n).padStart(12, '0')}`;

test('gives back what was put in, as an entry or as a record has it', () => {
  const ledger = new KnownLedger();
  ledger.set('a', entryOf(1));
  ledger.setStored('b', encodeLedgerEntry(entryOf(2)), 'ledger-0@7');
  assert.deepEqual([ledger.get('a'), ledger.get('b'), ledger.get('c')], [entryOf(1), entryOf(2), undefined]);
  ledger.set('a', entryOf(3));
  ledger.delete('b');
  assert.deepEqual([ledger.get('a'), ledger.get('b'), ledger.size], [entryOf(3), undefined, 1]);
});

test("refuses a record that is not one of the ledger's, when it is read and not when it is needed", () => {
  const ledger = new KnownLedger();
  assert.throws(() => ledger.setStored('a', Buffer.from('nonsense'), 'ledger-0@7'), /ledger-0@7/);
  assert.equal(ledger.size, 0);
});

test('an entry of both streams takes less than 300 bytes, key included', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const entries = 100_000;
  const ledger = new KnownLedger();
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < entries; n += 1) ledger.setStored(keyOf(n), encodeLedgerEntry(entryOf(n)), 'here');
  collect();
  const bytes = (process.memoryUsage().heapUsed - before) / entries;
  assert.ok(bytes < 300, `${Math.round(bytes)} bytes an entry`);
  assert.equal(ledger.size, entries);
});
