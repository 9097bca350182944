/** Which questions are asked, with what time, and how their calls end: as questions.ts says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_TIME, type EntityLife, type EntityQuestions } from '../../../../src/engine/workflow/entity/entity.ts';
import { beginning } from '../../../../src/engine/workflow/entity/life.ts';
import type { CallOptions } from '../../../../src/engine/workflow/entity/port.ts';
import { QuestionBook, Questions } from '../../../../src/engine/workflow/entity/questions.ts';
import type { Identified } from '../../../../src/engine/workflow/publish-request.ts';

interface Question {
  readonly id: string;
  readonly giveUpAt: number;
}
const question = (id: string, giveUpAt = 100_000): Question => ({ id, giveUpAt });
const soon = () => new Promise((resolve) => setImmediate(resolve));
const failure = (types: { name?: string; type?: string }[]): Error =>
  types.reduceRight<Error | undefined>(
    (cause, more) => Object.assign(new Error('failed', cause === undefined ? {} : { cause }), more),
    undefined,
  )!;
const TIMEOUT = { name: 'TimeoutFailure' };

function given({ giveUpAfter = 60_000, patched = true, taskQueue = 'app-shard-3' } = {}) {
  const world = { now: 40_000, patched, changes: new Set<string>() };
  const open: Question[] = [];
  const calls: {
    name: string;
    request: object;
    options: CallOptions;
    resolve(a: unknown): void;
    reject(e: Error): void;
  }[] = [];
  const settled: [string, string][] = [];
  const failed: unknown[] = [];
  const asks: EntityQuestions<EntityLife, Identified, Question, string> = {
    activity: 'askThem',
    failures: { noAnswer: 'NoAnswer', notAsked: 'NotAsked' },
    open: () => open,
    groups: (questions) =>
      questions.map((one) => ({ request: { of: one.id }, giveUpAt: one.giveUpAt, questions: [one] })),
    summary: (questions) => `ask ${questions.map(({ id }) => id).join(' ')}`,
    giveUpAfter: () => giveUpAfter,
    answersIn: (result) => () => result as string | undefined,
    givenUp: 'nobody knows',
    answered: () => [],
  };
  const questions = new Questions<EntityLife, Identified, Question, string>({
    port: {
      now: () => world.now,
      taskQueue,
      patched: (change) => {
        world.changes.add(change);
        return world.patched;
      },
      call: <T>(name: string, request: object, options: CallOptions) => ({
        result: new Promise<T>((resolve, reject) =>
          calls.push({ name, request, options, resolve: resolve as (a: unknown) => void, reject }),
        ),
        cancel: () => undefined,
      }),
    },
    asks,
    life: beginning({ startedAt: 1, runId: 'r' }) as EntityLife,
    happened: (act) => act(),
    settled: (one, answer) => {
      settled.push([one.id, answer]);
      open.splice(open.indexOf(one), 1);
    },
    failed: (error) => void failed.push(error),
  });
  return { world, open, calls, settled, failed, questions };
}

test('each open question is asked once, on a queue of its own, until it is given up', async () => {
  const { open, calls, settled, questions } = given();
  questions.ask();
  assert.equal(calls.length, 0);
  open.push(question('a'));
  questions.ask();
  questions.ask();
  assert.equal(calls.length, 1);
  const [{ name, request, options }] = calls as [(typeof calls)[0]];
  assert.deepEqual([name, request], ['askThem', { of: 'a' }]);
  assert.deepEqual(options, {
    taskQueue: 'app-lookups',
    scheduleToCloseTimeout: 60_000,
    startToCloseTimeout: 30_000,
    heartbeatTimeout: 6_000,
    retry: { initialInterval: 500, maximumInterval: 6_000 },
    summary: 'ask a',
  });
  open.push(question('b'));
  questions.ask();
  assert.deepEqual(
    calls.map((call) => call.request),
    [{ of: 'a' }, { of: 'b' }],
  );
  calls[0]!.resolve('yes');
  await soon();
  assert.deepEqual(settled, [['a', 'yes']]);
});

test('of a queue that is none of a shard there is none beside it', () => {
  const { open, calls, questions } = given({ taskQueue: 'elsewhere' });
  open.push(question('a'));
  questions.ask();
  assert.equal('taskQueue' in calls[0]!.options, false);
});

for (const [giveUpAfter, initialInterval, maximumInterval] of [
  [500, 100, 100],
  [3_000, 300, 300],
  [20_000, 500, 2_000],
  [1_000_000, 500, 10_000],
] as const) {
  test(`attempts of a question that is given up after ${giveUpAfter} ms pause for a tenth of that, from 100 ms to 10 s`, () => {
    const { open, calls, questions } = given({ giveUpAfter });
    open.push(question('a'));
    questions.ask();
    assert.deepEqual(calls[0]!.options.retry, { initialInterval, maximumInterval });
  });
}

test('a question without a time is given up some time after it is first asked; one whose time is over has a last moment', () => {
  const { open, calls, questions } = given();
  open.push(question('a', NO_TIME), question('b', 41_000), question('c', 10_000));
  questions.ask();
  assert.deepEqual(
    calls.map(({ options }) => options.scheduleToCloseTimeout),
    [60_000, 2_500, 2_500],
  );
});

test('no more than 100 calls are under way', async () => {
  const { open, calls, questions } = given();
  for (let n = 0; n < 102; n += 1) open.push(question(`q${n}`));
  questions.ask();
  questions.ask();
  assert.equal(calls.length, 100);
  calls[0]!.resolve('yes');
  await soon();
  questions.ask();
  assert.equal(calls.length, 101);
});

test('an answer that says nothing of a question has it asked again', async () => {
  const { open, calls, settled, questions } = given();
  open.push(question('a'));
  questions.ask();
  calls[0]!.resolve(undefined);
  await soon();
  questions.ask();
  assert.deepEqual([settled, calls.length], [[], 2]);
});

test('a call without an answer is not repeated, and its question is given up at its time', async () => {
  const { world, open, calls, settled, questions } = given();
  open.push(question('a'));
  questions.ask();
  assert.equal(questions.nextGivenUp, undefined);
  calls[0]!.reject(failure([{ name: 'ActivityFailure' }, { type: 'NoAnswer' }]));
  await soon();
  questions.ask();
  assert.deepEqual([questions.nextGivenUp, calls.length], [100_000, 1]);
  world.now = 99_999;
  questions.giveUpDue();
  assert.deepEqual(settled, []);
  world.now = 100_000;
  questions.giveUpDue();
  assert.deepEqual([settled, questions.nextGivenUp], [[['a', 'nobody knows']], undefined]);
});

test('the earliest of several is the next that is given up', async () => {
  const { open, calls, questions } = given();
  open.push(question('a', 90_000), question('b', 80_000), question('c', 95_000));
  questions.ask();
  for (const call of calls) call.reject(failure([{ type: 'NoAnswer' }]));
  await soon();
  assert.equal(questions.nextGivenUp, 80_000);
});

test('a question that was not asked is asked again, but after its last call', async () => {
  const { world, open, calls, settled, questions } = given();
  open.push(question('a'));
  questions.ask();
  calls[0]!.reject(failure([{ type: 'NotAsked' }]));
  await soon();
  world.now = 97_500;
  questions.ask();
  assert.equal(calls.length, 2);
  calls[1]!.reject(failure([{ type: 'NotAsked' }]));
  await soon();
  questions.ask();
  assert.deepEqual([calls.length, questions.nextGivenUp, settled], [2, 100_000, []]);
});

test('one with a little more time than the last call takes is asked once more', async () => {
  const { world, open, calls, questions } = given();
  world.now = 97_499;
  open.push(question('a'));
  questions.ask();
  calls[0]!.reject(failure([{ type: 'NotAsked' }]));
  await soon();
  questions.ask();
  assert.equal(calls.length, 2);
});

test('after a time-out it is given up where somebody was asked', async () => {
  const { world, open, calls, settled, questions } = given();
  open.push(question('a'));
  questions.ask();
  world.now = 300_000;
  calls[0]!.reject(failure([{ name: 'ActivityFailure' }, TIMEOUT, { type: 'NoAnswer' }]));
  await soon();
  assert.deepEqual(settled, [['a', 'nobody knows']]);
  assert.deepEqual([...world.changes], ['give-up-without-last-call'], 'as histories have it');
});

test('a last call that nobody took is the last, however late that is heard of', async () => {
  const { world, open, calls, settled, questions } = given();
  world.now = 99_000;
  open.push(question('a'));
  questions.ask();
  world.now = 200_000;
  calls[0]!.reject(failure([TIMEOUT]));
  await soon();
  questions.ask();
  assert.deepEqual([calls.length, settled], [1, [['a', 'nobody knows']]]);
});

for (const [what, late, giveUpAfter, givenUp] of [
  ['before its time', -1, 60_000, false],
  ['at its time', 0, 60_000, true],
  ['a twentieth of the give-up time after it', 3_000, 60_000, true],
  ['later than that', 3_001, 60_000, false],
  ['10 s after it, of a long give-up time', 10_000, 1_000_000, true],
  ['later than 10 s', 10_001, 1_000_000, false],
] as const) {
  test(`a call that nobody took, and whose end is heard of ${what}, is ${givenUp ? 'given up' : 'repeated'}`, async () => {
    const { world, open, calls, questions } = given({ giveUpAfter });
    open.push(question('a'));
    questions.ask();
    world.now = 100_000 + late;
    calls[0]!.reject(failure([TIMEOUT]));
    await soon();
    questions.ask();
    assert.equal(calls.length, givenUp ? 1 : 2);
  });
}

test('in histories of releases before, each time-out is repeated', async () => {
  const { world, open, calls, questions } = given({ patched: false });
  open.push(question('a'));
  questions.ask();
  world.now = 100_000;
  calls[0]!.reject(failure([TIMEOUT, { type: 'NoAnswer' }]));
  await soon();
  questions.ask();
  assert.equal(calls.length, 2);
});

test('an error that is none of a question is told, and nothing is settled', async () => {
  const { open, calls, settled, failed, questions } = given();
  open.push(question('a'));
  questions.ask();
  const error = failure([{ type: 'Other' }, { name: 'Strange' }]);
  calls[0]!.reject(error);
  await soon();
  questions.ask();
  assert.deepEqual([failed, settled, calls.length], [[error], [], 1]);
});

test('an answer that says nothing has its question asked again, also after a last call', () => {
  const book = new QuestionBook<Question, string>('nobody knows');
  const a = question('a');
  const call = { questions: [a], until: 5, last: true };
  book.begin(call);
  assert.deepEqual(book.end(call, { answers: () => undefined }, 9), []);
  assert.deepEqual([book.isInFlight(a), book.nextDue], [false, undefined]);
});

test('the book knows what is under way', () => {
  const book = new QuestionBook<Question, string>('nobody knows');
  const [a, b] = [question('a'), question('b')];
  const call = { questions: [a, b], until: 5, last: false };
  assert.deepEqual([book.inFlight, book.isInFlight(a), book.nextDue], [0, false, undefined]);
  book.begin(call);
  assert.deepEqual([book.inFlight, book.isInFlight(a)], [2, true]);
  const answers = (one: Question): string | undefined => (one === a ? 'yes' : undefined);
  assert.deepEqual(book.end(call, { answers }, 1), [[a, 'yes']]);
  assert.deepEqual([book.inFlight, book.isInFlight(a), book.isInFlight(b)], [0, false, false]);
  book.begin(call);
  assert.deepEqual(book.end(call, 'no answer', 4), []);
  assert.deepEqual([book.inFlight, book.due(4), book.nextDue], [2, [], 5]);
  assert.deepEqual(book.due(5), [
    [a, 'nobody knows'],
    [b, 'nobody knows'],
  ]);
  assert.deepEqual([book.inFlight, book.nextDue], [0, undefined]);
});
