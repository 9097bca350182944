import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Notices } from '../../../src/engine/publish/notices.ts';
import { advance, compareIncarnations, judge } from '../../../src/engine/publish/ledger.ts';
import type { LedgerEntry } from '../../../src/engine/publish/ledger-entry.ts';
import { FIRST_LIFE, output, request, SECOND_LIFE } from '../../support/publishing.ts';

/** Applied outputs up to 5, the last for the record at offset 105; resolved ones up to 2. */
const entry: LedgerEntry = {
  incarnation: FIRST_LIFE,
  applied: { seq: 5, partition: 0, offset: 105 },
  resolved: { seq: 2, partition: 0, offset: 102 },
};

test('a user that was never published starts at 1', () => {
  assert.deepEqual(judge(undefined, request('u', 1, 3)), { type: 'publish', from: 0 });
  assert.deepEqual(judge(undefined, request('u', 2, 3)), { type: 'gap', last: 0 });
});

test('what is in the ledger is published already', () => {
  assert.deepEqual(judge(entry, request('u', 1, 5)), { type: 'published' });
  assert.deepEqual(judge(entry, request('u', 5, 5)), { type: 'published' });
  assert.deepEqual(judge(entry, request('u', 1, 4)), { type: 'published' });
});

test('what follows the ledger is published, without the part that it has', () => {
  assert.deepEqual(judge(entry, request('u', 6, 6)), { type: 'publish', from: 0 });
  assert.deepEqual(judge(entry, request('u', 4, 8)), { type: 'publish', from: 2 });
});

test('a hole is a gap', () => {
  assert.deepEqual(judge(entry, request('u', 7, 9)), { type: 'gap', last: 5 });
});

test('the two streams are counted apart', () => {
  assert.deepEqual(judge(entry, request('u', 3, 3, { stream: 'resolved' })), { type: 'publish', from: 0 });
  assert.deepEqual(judge(entry, request('u', 4, 4, { stream: 'resolved' })), { type: 'gap', last: 2 });
});

test('another money record under a published sequence number is a divergence', () => {
  const other = { ...request('u', 5, 6), outputs: [output('u', 999), output('u', 106)] };
  assert.deepEqual(judge(entry, other), { type: 'divergence', mark: { seq: 5, partition: 0, offset: 105 } });
  const elsewhere = { ...request('u', 5, 5), outputs: [{ ...output('u', 105), partition: 1 }] };
  assert.equal(judge(entry, elsewhere).type, 'divergence');
});

test('an older incarnation is refused, whatever it asks for', () => {
  const newer: LedgerEntry = { incarnation: SECOND_LIFE, applied: { seq: 1, partition: 0, offset: 101 } };
  assert.deepEqual(judge(newer, request('u', 1, 1)), { type: 'stale', newer: SECOND_LIFE });
  assert.deepEqual(judge(newer, request('u', 2, 2)), { type: 'stale', newer: SECOND_LIFE });
});

test('a newer incarnation starts at 1 on both streams', () => {
  const life = { incarnation: SECOND_LIFE };
  assert.deepEqual(judge(entry, request('u', 1, 1, life)), { type: 'publish', from: 0 });
  assert.deepEqual(judge(entry, request('u', 6, 6, life)), { type: 'gap', last: 0 });
  assert.deepEqual(judge(entry, request('u', 1, 1, { ...life, stream: 'resolved' })), { type: 'publish', from: 0 });
});

test('of two incarnations that began in the same millisecond the greater run id is the newer', () => {
  const life = (runId: string) => ({ incarnation: { startedAt: 1_000, runId } });
  assert.equal(judge({ ...life('b') }, request('u', 1, 1, life('a'))).type, 'stale');
  assert.equal(judge({ ...life('a') }, request('u', 1, 1, life('b'))).type, 'publish');
});

test('of two incarnations the one that began later is the newer, whatever their run ids', () => {
  const [older, newer] = [
    { startedAt: 1_000, runId: 'b' },
    { startedAt: 2_000, runId: 'a' },
  ];
  assert.ok(compareIncarnations(older, newer) < 0 && compareIncarnations(newer, older) > 0);
  assert.ok(compareIncarnations(older, { ...older, runId: 'c' }) < 0);
  assert.ok(compareIncarnations({ ...older, runId: 'c' }, older) > 0);
  assert.equal(compareIncarnations(older, { ...older }), 0);
});

test('there is no entry after an output that a request does not have', () => {
  for (const count of [0, 4]) {
    assert.throws(() => advance(entry, request('u', 6, 8), count), {
      name: 'RangeError',
      message: `a request of 3 outputs has no output ${count - 1}`,
    });
  }
});

test('a request without outputs asks for nothing', () => {
  assert.deepEqual(judge(undefined, { ...request('u', 1, 1), first: 9, outputs: [] }), { type: 'published' });
});

test('an entry goes on to the last output of the request and keeps the other stream', () => {
  assert.deepEqual(advance(entry, request('u', 6, 8), 3), {
    incarnation: FIRST_LIFE,
    applied: { seq: 8, partition: 0, offset: 108 },
    resolved: { seq: 2, partition: 0, offset: 102 },
  });
  assert.deepEqual(advance(entry, request('u', 6, 8), 1).applied, { seq: 6, partition: 0, offset: 106 });
});

test('the entry of a newer incarnation forgets the older one', () => {
  assert.deepEqual(advance(entry, request('u', 1, 1, { incarnation: SECOND_LIFE, stream: 'resolved' }), 1), {
    incarnation: SECOND_LIFE,
    resolved: { seq: 1, partition: 0, offset: 101 },
  });
});

/** As above, by the second run of this life. */
const byRun: LedgerEntry = {
  ...entry,
  applied: { ...entry.applied!, run: { number: 1, id: 'second' } },
  resolved: { ...entry.resolved!, run: { number: 1, id: 'second' } },
};

for (const [what, run] of [
  ['the same number', { number: 1, id: 'anew' }],
  ['a lower number', { number: 0, id: 'first' }],
] as const) {
  test(`a run of ${what} came of a reset: what follows from signals is absorbed, what came of timers goes on after the ledger's`, () => {
    assert.deepEqual(judge(byRun, { ...request('u', 1, 5), run }), { type: 'published' });
    assert.deepEqual(judge(byRun, { ...request('u', 4, 8), run }), { type: 'publish', from: 2 });
    assert.deepEqual(judge(byRun, { ...request('u', 5, 5), run, outputs: [output('u', 999)] }), {
      type: 'reset',
      last: 5,
    });
    assert.deepEqual(judge(byRun, { ...request('u', 1, 1, { stream: 'resolved' }), run }), { type: 'reset', last: 2 });
    assert.deepEqual(
      judge(byRun, { ...request('u', 1, 2, { stream: 'resolved' }), run }),
      { type: 'reset', last: 2 },
      'also when the last one is the same by chance',
    );
    assert.deepEqual(
      judge(byRun, { ...request('u', 2, 2, { stream: 'resolved' }), run }),
      { type: 'reset', last: 2 },
      'also when it asks for the last one only',
    );
    assert.deepEqual(judge(byRun, { ...request('u', 3, 3, { stream: 'resolved' }), run }), {
      type: 'publish',
      from: 0,
    });
  });
}

test('a run that came of a reset and continued as new beyond the run that published last is known by its outputs: no user stands still for it', () => {
  const run = { number: 4, id: 'fifth' };
  const others = { ...request('u', 2, 2, { stream: 'resolved' }), run, outputs: [output('u', 999)] };
  assert.deepEqual(judge(byRun, others), { type: 'reset', last: 2 });
  assert.equal(new Notices().of(byRun, others), 'reset');
  assert.equal(
    judge(byRun, { ...others, run: byRun.resolved!.run! }).type,
    'divergence',
    'of the very same run it was altered',
  );
});

test('nothing is lost after a reset whose run continued as new beyond the one that published last: less than what is published is no repeat', () => {
  const run = { number: 4, id: 'fifth' };
  const before = request('u', 1, 1, { stream: 'resolved' });
  assert.deepEqual(judge(byRun, { ...before, run }), { type: 'reset', last: 2 });
  assert.deepEqual(
    judge(byRun, { ...before, run: byRun.resolved!.run! }),
    { type: 'published' },
    'a repeat of the very run',
  );
  assert.deepEqual(
    judge(byRun, { ...request('u', 1, 1), run }),
    { type: 'published' },
    'what follows from signals is the same again',
  );
});

test('a run that continues the one that published, and one whose release did not say, came of no reset', () => {
  for (const run of [{ number: 1, id: 'second' }, { number: 2, id: 'third' }, undefined]) {
    assert.deepEqual(judge(byRun, { ...request('u', 1, 2, { stream: 'resolved' }), ...(run && { run }) }), {
      type: 'published',
    });
  }
  assert.deepEqual(judge(entry, { ...request('u', 1, 2, { stream: 'resolved' }), run: { number: 0, id: 'x' } }), {
    type: 'published',
  });
});

test('where one of the two runs is not known, less than what is published is a repeat, and another output a divergence', () => {
  const part = request('u', 1, 1, { stream: 'resolved' });
  const other = { ...request('u', 2, 2, { stream: 'resolved' }), outputs: [output('u', 999)] };
  const run = { number: 4, id: 'fifth' };
  assert.deepEqual(judge(byRun, part), { type: 'published' });
  assert.deepEqual(judge(entry, { ...part, run }), { type: 'published' });
  assert.equal(judge(byRun, other).type, 'divergence');
  assert.equal(judge(entry, { ...other, run }).type, 'divergence');
});

test('the ledger has the run that published', () => {
  const run = { number: 3, id: 'fourth' };
  assert.deepEqual(advance(byRun, { ...request('u', 6, 6), run }, 1).applied, {
    seq: 6,
    partition: 0,
    offset: 106,
    run,
  });
});
