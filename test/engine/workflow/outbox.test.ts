/**
 * What an outbox asks for and carries on: the SDK's own proxies and scopes, on a workflow in the memory of the test whose activities the
 * test answers. outbox.int.test.ts has it on a real server.
 */
import assert from 'node:assert/strict';
import { AsyncLocalStorage as Storage } from 'node:async_hooks';
import { after, beforeEach, describe, it } from 'node:test';
import { CancelledFailure, type ActivityOptions } from '@temporalio/common';
import { CancellationScope } from '@temporalio/workflow';
import { AsyncLocalStorage, RootCancellationScope } from '@temporalio/workflow/lib/cancellation-scope.js';
import { Outbox, type OutboxState } from '../../../src/engine/workflow/outbox.ts';
import { emitted, type Emitted } from '../../../src/engine/workflow/emitted.ts';
import type { PublishRequest } from '../../../src/engine/workflow/publish-request.ts';

type Request = PublishRequest<Emitted<string>>;

const STARTED = Date.UTC(2026, 0, 31, 10);
const RUN_ID = '01234567-89ab-4cde-8f01-23456789abcd';
const FIRST_RUN_ID = 'ffffffff-89ab-4cde-8f01-23456789abcd';

// Outside of its sandbox the SDK has an empty class in the place of Node's.
const storages = new WeakMap<object, Storage<unknown>>();
function storageOf(key: object): Storage<unknown> {
  const storage = storages.get(key) ?? new Storage();
  storages.set(key, storage);
  return storage;
}
Object.assign(AsyncLocalStorage.prototype as object, {
  run(this: object, store: unknown, work: () => unknown) {
    return storageOf(this).run(store, work);
  },
  getStore(this: object) {
    return storageOf(this).getStore();
  },
});

/** Where the SDK has the workflow that it is in. */
const sdk = globalThis as { __TEMPORAL_ACTIVATOR__?: unknown };
after(() => delete sdk.__TEMPORAL_ACTIVATOR__);

interface Asked {
  readonly name: string;
  readonly options: ActivityOptions;
  readonly request: Request;
  answer(): void;
  fail(error: Error): void;
}

/** What the workflow has asked for, the first first. */
let asked: Asked[];
let workflow: RootCancellationScope;

beforeEach(() => {
  asked = [];
  const activator: Record<string, unknown> = {
    info: { startTime: new Date(STARTED), firstExecutionRunId: FIRST_RUN_ID, runId: RUN_ID },
    nextSeqs: { activity: 1 },
    hasFlag: () => true,
    bindCurrentRandom: (work: unknown) => work,
    interceptors: { outbound: [{ scheduleActivity }] },
  };
  sdk.__TEMPORAL_ACTIVATOR__ = activator;
  workflow = new RootCancellationScope();
  activator['rootScope'] = workflow;
});

/** As the SDK's own: a cancelled scope takes no answer. */
function scheduleActivity(activity: { activityType: string; options: ActivityOptions; args: unknown[] }) {
  return new Promise<void>((resolve, reject) => {
    const scope = CancellationScope.current();
    if (scope.consideredCancelled) return reject(new CancelledFailure('cancelled'));
    if (scope.cancellable) scope.cancelRequested.catch(reject);
    asked.push({
      name: activity.activityType,
      options: activity.options,
      // It is JSON from here on.
      request: JSON.parse(JSON.stringify(activity.args[0])) as Request,
      answer: resolve,
      fail: reject,
    });
  });
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const outboxOf = (carried?: OutboxState<string>): Outbox<string> =>
  new Outbox({ appId: 'app', shards: 7, key: '21', carried });
const recordsOf = ({ request }: Asked): string[] => request.outputs.map(({ record }) => record);
/** The first number of a request, and how many it has. */
const rangeOf = ({ request }: Asked): number[] => [request.first, request.outputs.length];

async function answerAll(): Promise<void> {
  for (let at = 0; at < asked.length; at += 1) {
    asked[at]!.answer();
    await settled();
  }
}

describe('an outbox', () => {
  it('asks the shard of its key to publish what was emitted, as this run of this workflow', async () => {
    const outbox = outboxOf();
    outbox.emit('a');
    outbox.emit('b');
    assert.equal(asked.length, 0);
    const flushed = outbox.flush();
    const [{ name, options, request } = assert.fail()] = asked;
    assert.equal(name, 'publish');
    assert.deepEqual(options, {
      // Kafka's murmur2 of `21` is -973932308, and without its sign bit 1173551340: 5 of 7.
      taskQueue: `app-shard-${1_173_551_340 % 7}`,
      startToCloseTimeout: 10_000,
      retry: { initialInterval: 200, maximumInterval: 5_000 },
    });
    assert.deepEqual(request, {
      key: '21',
      incarnation: { startedAt: STARTED, runId: FIRST_RUN_ID },
      stream: 'resolved',
      first: 1,
      outputs: [emitted('a'), emitted('b')],
      run: { number: 0, id: '01234567' },
    });
    asked[0]!.answer();
    await flushed;
    assert.equal(asked.length, 1);
  });

  it('asks for nothing when nothing was emitted', async () => {
    await outboxOf().flush();
    assert.equal(asked.length, 0);
  });

  it('numbers on from what was published, and publishes nothing twice', async () => {
    const outbox = outboxOf();
    for (const record of ['a', 'b']) outbox.emit(record);
    const first = outbox.flush();
    await answerAll();
    await first;
    await outbox.flush();
    assert.equal(asked.length, 1);
    outbox.emit('c');
    const second = outbox.flush();
    assert.deepEqual(asked.slice(1).map(rangeOf), [[3, 1]]);
    assert.deepEqual(recordsOf(asked[1]!), ['c']);
    asked[1]!.answer();
    await second;
  });

  it('publishes what is emitted meanwhile after that, for all that wait for a flush', async () => {
    const outbox = outboxOf();
    outbox.emit('a');
    const flushed = outbox.flush();
    outbox.emit('b');
    assert.equal(outbox.flush(), flushed);
    await settled();
    assert.deepEqual(asked.map(recordsOf), [['a']]);
    await answerAll();
    await flushed;
    assert.deepEqual(asked.map(recordsOf), [['a'], ['b']]);
    assert.deepEqual(asked.map(rangeOf), [
      [1, 1],
      [2, 1],
    ]);
  });

  it('publishes at most 500 at once', async () => {
    const outbox = outboxOf();
    for (let n = 0; n < 501; n += 1) outbox.emit(`r${n}`);
    const flushed = outbox.flush();
    await answerAll();
    await flushed;
    assert.deepEqual(asked.map(rangeOf), [
      [1, 500],
      [501, 1],
    ]);
    assert.deepEqual(recordsOf(asked[1]!), ['r500']);
  });

  it('takes a record of 600,000 characters of JSON, and none of more', async () => {
    const outbox = outboxOf();
    // Two are quotes.
    outbox.emit('x'.repeat(599_998));
    assert.throws(() => outbox.emit('x'.repeat(599_999)), {
      name: 'RangeError',
      message: 'a record of 600001 characters: an outbox takes at most 600000',
    });
    assert.equal(outbox.carried.unpublished.length, 1);
    const flushed = outbox.flush();
    await answerAll();
    await flushed;
    assert.deepEqual(asked.map(rangeOf), [[1, 1]]);
  });

  it('throws what no retry has mended, keeps the records, and asks for them again under the same numbers', async () => {
    const outbox = outboxOf();
    for (const record of ['a', 'b']) outbox.emit(record);
    const cause = new Error('no broker');
    const flushed = outbox.flush();
    asked[0]!.fail(cause);
    await assert.rejects(flushed, { message: 'Publishing 2 records from 1 on: no broker', cause });
    assert.deepEqual([outbox.carried.published, outbox.carried.unpublished], [0, ['a', 'b']]);
    const again = outbox.flush();
    await answerAll();
    await again;
    assert.deepEqual(asked.map(rangeOf), [
      [1, 2],
      [1, 2],
    ]);
    assert.deepEqual([outbox.carried.published, outbox.carried.unpublished], [2, []]);
  });

  it('goes on after the number that the ledger has, when the workflow was reset', async () => {
    const outbox = outboxOf();
    for (const record of ['a', 'b']) outbox.emit(record);
    const flushed = outbox.flush();
    const reset = Object.assign(new Error('reset'), { type: 'WorkflowReset', details: [7] });
    asked[0]!.fail(new Error('activity', { cause: reset }));
    await settled();
    assert.deepEqual(asked.map(rangeOf), [
      [1, 2],
      [8, 2],
    ]);
    assert.deepEqual(recordsOf(asked[1]!), ['a', 'b']);
    asked[1]!.answer();
    await flushed;
    assert.deepEqual([outbox.carried.published, outbox.carried.unpublished], [9, []]);
  });

  it('takes the answer also when the workflow was cancelled before or meanwhile', async () => {
    const outbox = outboxOf();
    outbox.emit('a');
    const first = outbox.flush();
    workflow.cancel();
    await answerAll();
    await first;
    outbox.emit('b');
    const second = outbox.flush();
    asked[1]!.answer();
    await second;
    assert.deepEqual(asked.map(recordsOf), [['a'], ['b']]);
  });
});

describe('what an outbox carries', () => {
  it('of a new one is who it is, and that it was continued once', () => {
    const outbox = outboxOf();
    outbox.emit('a');
    assert.deepEqual(outbox.carried, {
      incarnation: { startedAt: STARTED, runId: FIRST_RUN_ID },
      runs: 1,
      published: 0,
      unpublished: ['a'],
    });
  });

  it('goes on in the next run: the same incarnation, the next number, what was not published before what is emitted now', async () => {
    const incarnation = { startedAt: 5, runId: 'the first' };
    const outbox = outboxOf({ incarnation, runs: 3, published: 40, unpublished: ['a', 'b'] });
    outbox.emit('c');
    assert.deepEqual(outbox.carried, { incarnation, runs: 4, published: 40, unpublished: ['a', 'b', 'c'] });
    const flushed = outbox.flush();
    assert.deepEqual(asked[0]!.request, {
      key: '21',
      incarnation,
      stream: 'resolved',
      first: 41,
      outputs: [emitted('a'), emitted('b'), emitted('c')],
      run: { number: 3, id: '01234567' },
    });
    await answerAll();
    await flushed;
    assert.deepEqual(outbox.carried, { incarnation, runs: 4, published: 43, unpublished: [] });
  });
});
