import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dragging, reportOf, slowOnes } from './report.ts';
import type { Facts } from './report.ts';
import type { Done } from './run.ts';
import type { Settled } from './settle.ts';

const done: Done[] = [
  { kind: 'cut', hit: true, skipped: false, recovery: 2_000, counts: {} },
  { kind: 'cut', hit: false, skipped: false, recovery: 31_000, counts: {} },
  {
    kind: 'kill-worker',
    hit: true,
    skipped: false,
    recovery: undefined,
    counts: { 'kills inside an open transaction': 1 },
  },
  {
    kind: 'kill-worker',
    hit: true,
    skipped: false,
    recovery: 12_000,
    counts: { 'kills inside an open transaction': 1 },
  },
];
const facts: Facts = {
  seed: 4,
  lasted: 60_000,
  baseline: 1_500,
  done,
  seen: ['a line'],
  longestStall: 14_000,
  longestStallOfOne: 31_000,
  repeated: 1,
  unasked: ['worker-1 ended'],
  processes: [{ name: 'worker-1', memory: 300 * 1_048_576, lines: 12 }],
};
const right: Settled = {
  expected: {
    outputs: [],
    deadLetters: [],
    itemOf: () => ({ place: '', content: '' }),
    isInOrder: () => true,
    facts: ['lookups: 7'],
  },
  verdict: {
    ok: true,
    counts: { missing: 0, twice: 0, different: 0, unexpected: 0, sequence: 0, order: 0, vanished: 0, input: 0 },
    differences: [],
  },
  inputs: 10,
  outputs: 0,
  deadLetters: 0,
  drained: 3_000,
};

test('by kind: how many, how many hit, and times to recover; one that never recovered is the slowest', () => {
  const text = reportOf(facts, right);
  assert.match(text, /^seed 4, 60 s$/m);
  assert.match(text, /^cut +2 +1 +2\.0 +31\.0 +31\.0$/m);
  assert.match(text, /^kill-worker +2 +2 +12\.0 +never +never$/m);
  assert.match(text, /^all +4 +3 /m);
  assert.match(text, /^kills inside an open transaction: 2$/m);
  assert.match(text, /^longest stall of the output: 14\.0 s; of one partition: 31\.0 s$/m);
  assert.match(text, /^lookups: 7$/m);
  assert.match(text, /^verdict: RIGHT/m);
});

test('slower than 30 s, or never: neither is accepted', () => {
  assert.deepEqual(slowOnes(done), [done[1], done[2]]);
});

test('a partition that stands because of the fault of another: for how long, and at most 5 s are accepted', () => {
  const [cut, ...rest] = done;
  const some = [{ ...cut!, beside: 6_200 }, { ...cut!, beside: 1_000 }, ...rest];
  assert.deepEqual(dragging(some), [some[0]]);
  assert.match(
    reportOf({ ...facts, done: some }, right),
    /^longest stall of a partition because of a fault of others: 6\.2 s \(cut\), p50 1\.0 s of 2 faults; above 5 s: 1$/m,
  );
  assert.match(reportOf(facts, right), /^no fault left a partition alone$/m);
});

test('a wrong verdict says what is wrong', () => {
  const verdict = {
    ok: false,
    counts: { ...right.verdict.counts, missing: 2 },
    differences: ['missing: money 0/1', 'missing: money 0/2'],
  };
  const text = reportOf(facts, { ...right, verdict });
  assert.match(text, /^verdict: WRONG: 2 missing$/m);
  assert.match(text, /^missing: money 0\/2$/m);
});
