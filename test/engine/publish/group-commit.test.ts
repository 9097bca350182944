import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Output } from '../../../src/money/domain/events.ts';
import type { PublishRequest as Request } from '../../../src/engine/workflow/publish-request.ts';
import { formBatch, recordsOf } from '../../../src/engine/publish/group-commit.ts';
import type { CommitBatch, CommitLimits, WaitingRequest } from '../../../src/engine/publish/group-commit.ts';
import { decodeLedgerEntry, type LedgerEntry } from '../../../src/engine/publish/ledger-entry.ts';
import { encode, FIRST_LIFE, output, request, SECOND_LIFE } from '../../support/publishing.ts';

type PublishRequest = Request<Output>;

const waits = (wanted: PublishRequest, failures = 0): WaitingRequest => ({
  request: wanted,
  records: recordsOf(wanted, encode),
  failures,
});
const values = (batch: CommitBatch<WaitingRequest>): unknown[] => batch.outputs.map(({ value }) => value);
const upTo = (seq: number): LedgerEntry => ({
  incarnation: FIRST_LIFE,
  applied: { seq, partition: 0, offset: 100 + seq },
});
const ledgerOf = (batch: CommitBatch<WaitingRequest>): LedgerEntry[] =>
  batch.ledger.map(({ value }) => decodeLedgerEntry(value as Buffer, 'here'));
const NONE: ReadonlyMap<string, LedgerEntry> = new Map();
const small = (records: number): CommitLimits => ({ records, bytes: 1_000_000 });

test('requests of many users go into one batch, with one ledger entry a user', () => {
  const [a, b] = [waits(request('a', 1, 2)), waits(request('b', 1, 1))];
  const batch = formBatch([a, b], NONE);
  assert.deepEqual(values(batch), ['a:101', 'a:102', 'b:101']);
  assert.deepEqual(
    batch.ledger.map(({ key }, index) => [key, ledgerOf(batch)[index]]),
    [
      ['a', upTo(2)],
      ['b', upTo(1)],
    ],
  );
  assert.deepEqual(batch.complete, [a, b]);
});

test('an output record says what it is in its headers', () => {
  const wanted = {
    ...request('a', 7, 8, { stream: 'resolved' }),
    outputs: [output('a', 107), { ...output('a', 108), incomplete: true as const }],
  };
  assert.deepEqual(
    recordsOf(wanted, encode).map(({ key, headers }) => ({ key, headers })),
    [
      {
        key: '"a"',
        headers: {
          incarnation: '1000/run-1',
          stream: 'resolved',
          seq: '7',
          'source-partition': '0',
          'source-offset': '107',
        },
      },
      {
        key: '"a"',
        headers: {
          incarnation: '1000/run-1',
          stream: 'resolved',
          seq: '8',
          'source-partition': '0',
          'source-offset': '108',
          enrichment: 'incomplete',
        },
      },
    ],
  );
});

test('a repeat within the batch adds nothing and rides', () => {
  const [first, repeat] = [waits(request('a', 1, 2)), waits(request('a', 1, 2))];
  const batch = formBatch([first, repeat], NONE);
  assert.deepEqual(values(batch), ['a:101', 'a:102']);
  assert.deepEqual(batch.complete, [first, repeat]);
  assert.deepEqual(batch.published, []);
});

test('what the committed ledger has is answered at once', () => {
  const old = waits(request('a', 1, 2));
  const batch = formBatch([old], new Map([['a', upTo(2)]]));
  assert.deepEqual(batch.published, [old]);
  assert.deepEqual(batch.outputs, []);
});

test('the next request of a user follows in the same batch', () => {
  const batch = formBatch(
    [waits(request('a', 1, 2)), waits(request('a', 3, 3)), waits(request('a', 1, 1, { stream: 'resolved' }))],
    NONE,
  );
  assert.deepEqual(values(batch), ['a:101', 'a:102', 'a:103', 'a:101']);
  assert.deepEqual(ledgerOf(batch), [{ ...upTo(3), resolved: { seq: 1, partition: 0, offset: 101 } }]);
});

test('nothing is refused on the ground of what is not committed yet', () => {
  const [newer, older, gap] = [
    waits(request('a', 1, 1, { incarnation: SECOND_LIFE })),
    waits(request('a', 1, 1)),
    waits(request('a', 5, 5)),
  ];
  const batch = formBatch([newer, older, gap], NONE);
  assert.deepEqual(batch.complete, [newer]);
  assert.deepEqual(batch.unfinished, [older, gap]);
  assert.deepEqual(batch.refused, []);
});

test('gaps, stale incarnations and divergences are refused', () => {
  const gap = waits(request('a', 4, 4));
  const stale = waits(request('b', 1, 1));
  const divergent = waits({ ...request('c', 2, 2), outputs: [output('c', 999)] });
  const ledger = new Map([
    ['a', upTo(2)],
    ['b', { incarnation: SECOND_LIFE }],
    ['c', upTo(2)],
  ]);
  const batch = formBatch([gap, stale, divergent], ledger);
  assert.deepEqual(
    batch.refused.map(({ waiting, verdict }) => [waiting, verdict.type]),
    [
      [gap, 'gap'],
      [stale, 'stale'],
      [divergent, 'divergence'],
    ],
  );
});

test('a request that does not fit is published in parts', () => {
  const [big, later] = [waits(request('a', 1, 5)), waits(request('b', 1, 1))];
  const batch = formBatch([big, later], NONE, small(3));
  assert.deepEqual(values(batch), ['a:101', 'a:102', 'a:103']);
  assert.deepEqual(ledgerOf(batch), [upTo(3)]);
  assert.deepEqual(batch.unfinished, [big]);
  assert.deepEqual(batch.left, [later]);
  const rest = formBatch([big, later], batch.entries, small(3));
  assert.deepEqual(values(rest), ['a:104', 'a:105', 'b:101']);
});

test('a batch is bounded in bytes; a record that is larger goes alone', () => {
  const [a, b] = [waits(request('a', 1, 1)), waits(request('b', 1, 1))];
  const batch = formBatch([a, b], NONE, { records: 1_000, bytes: 10 });
  assert.deepEqual(batch.complete, [a]);
  assert.deepEqual(batch.left, [b]);
});

/** A request for outputs 1 to `sizes.length`, of records of so many bytes each. */
const ofSizes = (key: string, ...sizes: number[]): WaitingRequest => ({
  request: request(key, 1, sizes.length),
  // 64 bytes are of the record itself.
  records: sizes.map((size) => ({ key: null, value: 'x'.repeat(size - 64) })),
  failures: 0,
});

test('a batch takes just what its limits say', () => {
  const three = ofSizes('a', 100, 200, 300);
  assert.equal(formBatch([three], NONE, { records: 9, bytes: 600 }).outputs.length, 3);
  assert.equal(formBatch([three], NONE, { records: 9, bytes: 599 }).outputs.length, 2);
  assert.equal(formBatch([waits(request('a', 1, 1_001))], NONE).outputs.length, 1_000);
  const large = ofSizes('a', ...Array.from({ length: 8 }, () => 100_000));
  assert.equal(formBatch([large], NONE).outputs.length, 7);
});

test('behind a request that did not fit nothing smaller goes first', () => {
  const [large, small] = [ofSizes('a', 100, 500), ofSizes('b', 70)];
  const batch = formBatch([large, small], NONE, { records: 9, bytes: 500 });
  assert.deepEqual([batch.outputs.length, batch.unfinished, batch.left], [1, [large], [small]]);
});

test('what the ledger has is answered at once, also beside new outputs of the same key', () => {
  const [next, repeat] = [waits(request('a', 3, 3)), waits(request('a', 1, 2))];
  const batch = formBatch([next, repeat], new Map([['a', upTo(2)]]));
  assert.deepEqual([batch.complete, batch.published], [[next], [repeat]]);
});

test('it is known where the outputs of a request begin, if all of them are in the batch', () => {
  const [first, rest, rider] = [waits(request('a', 1, 2)), waits(request('b', 2, 4)), waits(request('a', 2, 2))];
  const last = waits(request('c', 1, 1));
  const batch = formBatch([first, rest, rider, last], new Map([['b', upTo(2)]]));
  assert.deepEqual(
    [...batch.begins],
    [
      [first, 0],
      [last, 4],
    ],
  );
});

test('before an output that may not be sent now a request stops, and what comes before it is sent', () => {
  const [stopped, other] = [waits(request('a', 1, 3)), waits(request('b', 1, 1))];
  const bar = (at: number) => ({ barredFrom: (item: WaitingRequest) => (item === stopped ? at : undefined) });
  const batch = formBatch([stopped, other], NONE, small(9), bar(2));
  assert.deepEqual(values(batch), ['a:101', 'a:102', 'b:101']);
  assert.deepEqual([batch.barred, batch.unfinished, batch.complete], [[stopped], [], [other]]);
  assert.deepEqual(batch.entries.get('a'), upTo(2));
  const before = formBatch([stopped, other], NONE, small(9), bar(3));
  assert.deepEqual([before.barred, before.complete], [[], [stopped, other]], 'one that ends before it is not stopped');
  const none = formBatch([stopped, other], NONE, small(9), bar(0));
  assert.deepEqual([values(none), none.barred, [...none.entries.keys()]], [['b:101'], [stopped], ['b']]);
});

test('a request that failed twice gets a transaction for itself', () => {
  const [fine, suspect, other] = [waits(request('a', 1, 1)), waits(request('b', 1, 1), 2), waits(request('c', 1, 1))];
  const first = formBatch([fine, suspect, other], NONE);
  assert.deepEqual(first.complete, [fine]);
  assert.deepEqual(first.left, [suspect, other]);
  const second = formBatch(first.left, NONE);
  assert.deepEqual(second.complete, [suspect]);
  assert.deepEqual(second.left, [other]);
});

test('an output that is of no record has no place in its headers', () => {
  const [record] = recordsOf({ ...request('u', 1, 1), outputs: [{ partition: -1, offset: 7 }] }, () => ({
    key: 'u',
    value: 'v',
    headers: { more: 'm' },
  }));
  assert.deepEqual(record!.headers, { incarnation: '1000/run-1', stream: 'applied', seq: '1', more: 'm' });
});

test("a header of the encoder cannot pass for the publisher's own", () => {
  assert.throws(() => recordsOf(request('u', 1, 1), () => ({ key: 'u', value: 'v', headers: { seq: '9' } })), {
    code: 'CONFIG',
    message: /sets the header "seq"/,
  });
});
