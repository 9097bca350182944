import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordBatch } from '../../../src/engine/kafka/port.ts';
import { encodeLedgerEntry } from '../../../src/engine/publish/ledger-entry.ts';
import { KnownLedger } from '../../../src/engine/publish/known-ledger.ts';
import { LedgerReader } from '../../../src/engine/publish/ledger-reader.ts';
import type { LedgerFeed } from '../../../src/engine/publish/ledger-reader.ts';
import { FIRST_LIFE, withCode } from '../../support/publishing.ts';

const user = (id: string, seq: number): [string, Buffer] => [
  id,
  encodeLedgerEntry({ incarnation: FIRST_LIFE, applied: { seq, partition: 0, offset: 100 + seq } }),
];
const sentinel = (owner: string): [string, string] => ['!owner', `{"owner":"${owner}","host":"h","at":0}`];

/** Records at `from`, `from + 1`, ... */
function batch(from: number, records: readonly [string, string | Buffer][], next = from + records.length): RecordBatch {
  return {
    topic: 'ledger',
    partition: 0,
    fetchedFrom: from,
    next,
    end: 100,
    records: records.map(([key, value], index) => ({
      offset: from + index,
      timestamp: 0,
      key: Buffer.from(key),
      value: Buffer.from(value),
    })),
  };
}

function setUp(held = false) {
  const asked: (number | null)[] = [];
  let stopped = 0;
  const feed: LedgerFeed = {
    start: async (from) => {
      asked.push(from);
      return from ?? 0;
    },
    stop: () => void (stopped += 1),
  };
  const entries = new KnownLedger();
  const reader = new LedgerReader(feed, entries, new Set(['me-before', 'me']), 'me', held);
  return { reader, entries, feed, asked, stopped: () => stopped };
}

const soon = () => new Promise((resolve) => setImmediate(resolve));

test('reads up to its own sentinel, and no further', async () => {
  const { reader, entries, asked, stopped } = setUp();
  const read = reader.read(null);
  await soon();
  reader.onBatch(batch(0, [user('u', 1), sentinel('other')]));
  reader.onBatch(batch(2, [user('u', 2), sentinel('me'), user('u', 9)]));
  assert.deepEqual(await read, { sentinel: 3, takenBy: undefined });
  assert.deepEqual(entries.get('u')?.applied, { seq: 2, partition: 0, offset: 102 });
  assert.deepEqual(asked, [null]);
  assert.equal(stopped(), 1);
});

test('control records between batches are no hole', async () => {
  const { reader } = setUp();
  const read = reader.read(7);
  await soon();
  reader.onBatch(batch(7, [user('u', 1)], 9));
  reader.onBatch(batch(9, [], 12));
  reader.onBatch(batch(12, [sentinel('me')]));
  assert.equal((await read).sentinel, 12);
});

test('a batch that begins elsewhere than the last one ended is asked for again', async () => {
  const { reader, entries, asked } = setUp();
  const read = reader.read(null);
  await soon();
  reader.onBatch(batch(0, [user('u', 1)]));
  reader.onBatch(batch(5, [user('u', 6), sentinel('me')]));
  assert.deepEqual(asked, [null, 1]);
  assert.equal(entries.get('u')?.applied?.seq, 1);
  await soon();
  reader.onBatch(batch(1, [user('v', 1), sentinel('me')]));
  await read;
  assert.deepEqual(
    ['u', 'v'].map((key) => entries.get(key) !== undefined),
    [true, true],
  );
  assert.equal(entries.size, 2);
});

test('it counts the batches that it took, and not those that do not join', async () => {
  const { reader, asked } = setUp();
  const read = reader.read(null);
  await soon();
  assert.equal(reader.batches, 0);
  reader.onBatch(batch(0, [user('u', 1)]));
  reader.onBatch(batch(1, [user('u', 2)]));
  assert.equal(reader.batches, 2);
  reader.onBatch(batch(5, [user('u', 6)]));
  // Still on their way when the right ones were asked for.
  reader.onBatch(batch(6, [user('u', 7)]));
  assert.deepEqual([reader.batches, asked], [2, [null, 2]]);
  await soon();
  reader.onBatch(batch(2, [sentinel('me')]));
  await read;
});

test('nothing is taken before it reads and after it has read', async () => {
  const { reader, entries, stopped } = setUp();
  reader.abort(new Error('nobody reads'));
  reader.onBatch(batch(0, [user('u', 1)]));
  assert.deepEqual([entries.size, stopped()], [0, 0]);
  const read = reader.read(null);
  reader.onBatch(batch(0, [user('u', 1)]));
  assert.equal(entries.size, 0);
  await soon();
  reader.onBatch(batch(0, [sentinel('me')]));
  await read;
  reader.onBatch(batch(0, [user('u', 1)]));
  reader.stop();
  assert.deepEqual([entries.size, stopped()], [0, 1]);
});

test('a feed that cannot begin ends the reading, also when it is asked again', async () => {
  const { reader, feed } = setUp();
  const read = reader.read(null);
  await soon();
  feed.start = () => Promise.reject(new Error('no broker'));
  reader.onBatch(batch(5, [sentinel('me')]));
  await assert.rejects(read, /no broker/);
});

test('a feed that begins when nobody reads any more is stopped', async () => {
  const { reader, feed, stopped } = setUp();
  let begin = (): void => undefined;
  feed.start = () => new Promise((resolve) => (begin = () => resolve(0)));
  const read = reader.read(null);
  reader.abort(new Error('given up'));
  await assert.rejects(read, /given up/);
  assert.equal(stopped(), 1);
  begin();
  await soon();
  assert.equal(stopped(), 2);
});

test('a record without a key, and the tombstone of a sentinel, say nothing', async () => {
  const { reader, entries } = setUp();
  const read = reader.read(null);
  await soon();
  const record = (offset: number, key: string | null) => ({
    offset,
    timestamp: 0,
    key: key === null ? null : Buffer.from(key),
    value: null,
  });
  reader.onBatch({ ...batch(0, []), next: 2, records: [record(0, null), record(1, '!owner')] });
  reader.onBatch(batch(2, [sentinel('me')]));
  assert.deepEqual([await read, entries.size], [{ sentinel: 2, takenBy: undefined }, 0]);
});

test('another owner after ours has taken the shard', async () => {
  const { reader } = setUp(true);
  const read = reader.read(4);
  await soon();
  reader.onBatch(batch(4, [user('u', 1), sentinel('other'), sentinel('me')]));
  assert.equal((await read).takenBy, 'other');
});

test('another owner before ours is history, also between two attempts of ours', async () => {
  const { reader } = setUp();
  const read = reader.read(null);
  await soon();
  reader.onBatch(batch(0, [sentinel('other'), sentinel('me-before'), sentinel('me')]));
  assert.equal((await read).takenBy, undefined);
});

test('another owner after an earlier attempt of ours has taken the shard', async () => {
  const { reader } = setUp();
  const read = reader.read(null);
  await soon();
  reader.onBatch(batch(0, [sentinel('me-before'), sentinel('other'), sentinel('me')]));
  assert.equal((await read).takenBy, 'other');
});

test('a foreign record ends the reading, naming its place', async () => {
  const { reader } = setUp();
  const read = reader.read(null);
  await soon();
  reader.onBatch(batch(0, [user('u', 1), ['x', 'what']]));
  await assert.rejects(read, withCode('DIVERGENCE'));
  await assert.rejects(read, /ledger-0@1/);
});
