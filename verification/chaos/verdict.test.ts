/** The verdict must be able to be bad: each wrong thing is put into a right outcome, by hand, and must be found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelResult } from '../../src/money/model/model.ts';
import { eitherOf, expectationOf } from './apps/money/expectation.ts';
import { digestOf, judge, placeOf } from './verdict.ts';
import type { Evidence } from './verdict.ts';
import type { JavaRecord } from './reader.ts';

const topics = { user: 'u', session: 's', money: 'm' };
const bad = Buffer.from('not json');

function output(offset: number, seq: number, value: string, headers: Record<string, string> = {}): JavaRecord {
  const own = {
    incarnation: '1/run',
    stream: 'applied',
    seq: String(seq),
    'source-partition': '0',
    'source-offset': String(seq - 1),
    ...headers,
  };
  return {
    topic: 'out',
    partition: 0,
    offset,
    timestamp: 5,
    key: Buffer.from('"a"'),
    value: Buffer.from(value),
    headers: own,
    headerCount: 5,
  };
}

function input(offset: number, value: Buffer): JavaRecord {
  return {
    topic: 'm',
    partition: 0,
    offset,
    timestamp: 100 + offset,
    key: Buffer.from('"a"'),
    value,
    headers: {},
    headerCount: 0,
  };
}

const expected: ModelResult = {
  outputs: [0, 1, 2].map((offset) => ({
    partition: 0,
    offset,
    userId: 'a',
    key: '"a"',
    value: `{"n":${offset}}`,
    incomplete: false,
    path: 'applied',
    waited: false,
  })),
  deadLetters: [{ topic: 'money', partition: 0, offset: 3, reason: 'malformed' }],
  duplicates: [],
  stillPending: [],
};

function right(): { inputs: JavaRecord[]; outputs: JavaRecord[]; deadLetters: JavaRecord[] } {
  return {
    inputs: [0, 1, 2].map((offset) => input(offset, Buffer.from('{}'))).concat(input(3, bad)),
    outputs: [output(0, 1, '{"n":0}'), output(1, 2, '{"n":1}'), output(3, 3, '{"n":2}')],
    deadLetters: [
      {
        topic: 'dead',
        partition: 0,
        offset: 0,
        timestamp: 9,
        key: Buffer.from('"a"'),
        value: bad,
        headerCount: 6,
        headers: {
          reason: 'malformed',
          detail: 'x',
          'source-topic': 'm',
          'source-partition': '0',
          'source-offset': '3',
          'source-timestamp': '103',
        },
      },
    ],
  };
}

function verdictOf(evidence: ReturnType<typeof right>, seenLive: Evidence['seenLive'] = new Map()) {
  return judge(expectationOf(expected, topics), { seenLive, ...evidence });
}

test('a right outcome is right', () => {
  const evidence = right();
  const live = new Map(evidence.outputs.map((record) => [placeOf(record), digestOf(record)]));
  assert.deepEqual(verdictOf(evidence, live), {
    ok: true,
    counts: { missing: 0, twice: 0, different: 0, unexpected: 0, sequence: 0, order: 0, vanished: 0, input: 0 },
    differences: [],
  });
});

test('a missing output is found, at its end too', () => {
  const evidence = right();
  evidence.outputs.pop();
  const { ok, counts } = verdictOf(evidence);
  assert.deepEqual([ok, counts.missing], [false, 1]);
});

test('an output that is there twice is found, even under a number of its own', () => {
  const evidence = right();
  evidence.outputs.push(output(4, 4, '{"n":2}', { 'source-offset': '2' }));
  const { ok, counts } = verdictOf(evidence);
  assert.deepEqual([ok, counts.twice], [false, 1]);
});

test('a different value, key or mark is found', () => {
  for (const change of [
    { value: Buffer.from('{"n":1.0}') },
    { key: Buffer.from('a') },
    { headers: { ...output(1, 2, '').headers, enrichment: 'incomplete' } },
  ]) {
    const evidence = right();
    evidence.outputs[1] = { ...evidence.outputs[1]!, ...change };
    const { ok, counts } = verdictOf(evidence);
    assert.equal(ok, false);
    assert.equal(counts.different, 1);
  }
});

test('an output that should not be there is found', () => {
  const evidence = right();
  evidence.outputs.push(output(4, 4, '{"n":9}', { 'source-offset': '7' }));
  assert.equal(verdictOf(evidence).counts.unexpected, 1);
});

test('a gap in the numbers, and a second life of a user, are found', () => {
  const gap = right();
  gap.outputs[2] = output(3, 4, '{"n":2}', { 'source-offset': '2' });
  assert.equal(verdictOf(gap).counts.sequence, 1);
  const lives = right();
  lives.outputs[2] = output(3, 1, '{"n":2}', { 'source-offset': '2', incarnation: '2/run' });
  assert.equal(verdictOf(lives).counts.sequence, 1);
});

test('outputs of a user in another order are found', () => {
  const evidence = right();
  evidence.outputs = [
    output(0, 1, '{"n":0}'),
    output(1, 2, '{"n":2}', { 'source-offset': '2' }),
    output(2, 3, '{"n":1}', { 'source-offset': '1' }),
  ];
  assert.equal(verdictOf(evidence).counts.order, 1);
});

test('what was visible and is not any more is found', () => {
  const evidence = right();
  const live = new Map([['out/0/2', digestOf(output(2, 3, '{"n":2}'))]]);
  assert.equal(verdictOf(evidence, live).counts.vanished, 1);
});

test('a dead letter that is missing, twice or different is found', () => {
  const missing = right();
  missing.deadLetters = [];
  assert.equal(verdictOf(missing).counts.missing, 1);
  const twice = right();
  twice.deadLetters.push({ ...twice.deadLetters[0]!, offset: 1 });
  assert.equal(verdictOf(twice).counts.twice, 1);
  for (const change of [
    { value: null },
    { headers: { ...right().deadLetters[0]!.headers, reason: 'invalid' } },
    { headers: { ...right().deadLetters[0]!.headers, 'source-timestamp': '104' } },
  ]) {
    const different = right();
    different.deadLetters[0] = { ...different.deadLetters[0]!, ...change };
    assert.equal(verdictOf(different).counts.different, 1);
  }
});

test('input that is not in the order of its time is no ground for a verdict', () => {
  const evidence = right();
  evidence.inputs[2] = { ...evidence.inputs[2]!, timestamp: 1 };
  assert.equal(verdictOf(evidence).counts.input, 1);
});

test('a lookup that was given up is right where that may be, but not for money that needed no lookup', () => {
  const incomplete = {
    ...expected,
    outputs: expected.outputs.map((one) => ({ ...one, value: '{}', incomplete: true })),
  };
  const lookedUp = {
    ...expected,
    outputs: expected.outputs.map((one) => ({ ...one, path: one.offset === 1 ? ('lookup' as const) : one.path })),
  };
  const evidence = right();
  for (const index of [1, 2]) {
    evidence.outputs[index] = {
      ...evidence.outputs[index]!,
      value: Buffer.from('{}'),
      headers: { ...evidence.outputs[index]!.headers, enrichment: 'incomplete' },
    };
  }
  const either = eitherOf(lookedUp, incomplete, evidence.outputs);
  assert.deepEqual(
    either.outputs.map((one) => one.incomplete),
    [false, true, false],
  );
  assert.equal(judge(expectationOf(either, topics), { seenLive: new Map(), ...evidence }).counts.different, 1);
});
