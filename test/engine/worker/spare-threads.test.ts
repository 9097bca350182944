/** Threads of workflows that are started before they are needed: when, how many, and for whom. The SDK's own are in replays.int.test.ts. */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import type { Worker } from '@temporalio/worker';
import { silentLogger } from '../../../src/engine/log.ts';
import { SpareThreads, type WorkflowThread } from '../../../src/engine/worker/spare-threads.ts';
import { ManualClock } from '../../support/manual-clock.ts';

class Given {
  readonly clock = new ManualClock();
  readonly threads: SpareThreads;
  /** Names of threads, in the order of their start. */
  readonly started: string[] = [];
  readonly destroyed: string[] = [];
  /** Of the start of a thread. */
  failure: Error | undefined;
  /** Of the end of a thread. */
  refusal: Error | undefined;
  /** What the server says to the SDK's worker, once that has its thread. */
  answer: Error | undefined;

  constructor() {
    const start = (code: string): Promise<WorkflowThread> => this.start(code);
    const answered = (): void => {
      if (this.answer !== undefined) throw this.answer;
    };
    const Sdk = class {
      static async create(): Promise<Worker> {
        const thread = await this.createWorkflowCreator({ code: 'own' });
        answered();
        return thread as unknown as Worker;
      }

      static createWorkflowCreator({ code }: { readonly code: string }): Promise<WorkflowThread> {
        return start(code);
      }
    };
    this.threads = new SpareThreads(this.clock, silentLogger(), Sdk);
  }

  async start(code: string): Promise<{ name: string; destroy(): Promise<void> }> {
    if (this.failure !== undefined) throw this.failure;
    const name = `${code}${this.started.length}`;
    this.started.push(name);
    const destroy = async (): Promise<void> => {
      if (this.refusal !== undefined) throw this.refusal;
      this.destroyed.push(name);
    };
    return { name, destroy };
  }

  async take(code = 'own'): Promise<string> {
    const thread = await this.threads.take(code, () => this.start(code));
    return (thread as unknown as { name: string }).name;
  }

  async pass(ms: number): Promise<void> {
    await turn();
    this.clock.advance(ms);
    for (let n = 0; n < 10; n += 1) await turn();
  }
}

test('a worker that has all shards has no spare thread', async () => {
  const given = new Given();
  given.threads.expect(0);
  assert.equal(await given.take(), 'own0');
  await given.pass(60_000);
  assert.deepEqual(given.started, ['own0']);
});

test('one that may get many has two, once no worker was made for five seconds', async () => {
  const given = new Given();
  given.threads.expect(14);
  await given.take();
  await given.pass(4_000);
  await given.take();
  await given.pass(4_999);
  assert.deepEqual(given.started, ['own0', 'own1']);
  await given.pass(1);
  assert.deepEqual(given.started, ['own0', 'own1', 'own2', 'own3']);
  await given.pass(60_000);
  assert.equal(given.threads.spares, 2);
});

test('who takes a shard gets a spare one, and the place is filled again', async () => {
  const given = new Given();
  given.threads.expect(1);
  await given.take();
  await given.pass(5_000);
  assert.deepEqual([await given.take(), await given.take()], ['own1', 'own2']);
  await given.pass(5_000);
  assert.equal(await given.take(), 'own3');
});

test('who is given the last shards takes the spare ones for them', async () => {
  const given = new Given();
  given.threads.expect(2);
  await given.take();
  await given.pass(60_000);
  given.threads.expect(0);
  await given.pass(1_000);
  assert.deepEqual([await given.take(), await given.take()], ['own1', 'own2']);
  await given.pass(60_000);
  assert.equal(given.threads.spares, 0);
});

test('spare ones that nobody will need are ended', async () => {
  const given = new Given();
  given.threads.expect(2);
  await given.take();
  await given.pass(5_000);
  given.threads.expect(0);
  await given.pass(5_000);
  assert.deepEqual([given.threads.spares, given.destroyed.sort()], [0, ['own1', 'own2']]);
});

test('workflows of an older version have threads of their own code', async () => {
  const given = new Given();
  given.threads.expect(1);
  assert.deepEqual([await given.take('own'), await given.take('old')], ['own0', 'old1']);
  await given.pass(5_000);
  assert.deepEqual([await given.take('old'), await given.take('own')], ['old3', 'own2']);
});

test('a spare one that cannot be started is no failure of a worker: the next one is tried with the next worker', async () => {
  const given = new Given();
  given.threads.expect(1);
  await given.take();
  given.failure = new Error('no memory');
  await given.pass(5_000);
  given.failure = undefined;
  assert.equal(given.threads.spares, 0);
  await given.take();
  await given.pass(5_000);
  assert.equal(given.threads.spares, 1);
});

test('at the end the spare ones are ended, and those that were taken are not', async () => {
  const given = new Given();
  given.threads.expect(1);
  await given.take();
  await given.pass(5_000);
  await given.threads.close();
  await given.pass(60_000);
  assert.deepEqual([given.started, given.destroyed], [['own0', 'own1'], ['own1']]);
});

test('a worker is made by the SDK, with a spare thread', async () => {
  const given = new Given();
  const create = async () => ((await given.threads.create({ taskQueue: 'q' })) as unknown as { name: string }).name;
  given.threads.expect(1);
  assert.equal(await create(), 'own0');
  await given.pass(5_000);
  assert.equal(await create(), 'own1');
  assert.deepEqual([given.started, given.destroyed], [['own0', 'own1'], []]);
});

test('the thread of a worker that cannot be made is ended, whether it was a spare one or not', async () => {
  const given = new Given();
  given.threads.expect(1);
  given.answer = new Error('the server does not answer');
  await assert.rejects(given.threads.create({ taskQueue: 'q' }), /does not answer/);
  assert.deepEqual(given.destroyed, ['own0']);
  await given.pass(5_000);
  given.refusal = new Error('it has failed');
  await assert.rejects(given.threads.create({ taskQueue: 'q' }), /does not answer/);
  given.refusal = undefined;
  await given.pass(5_000);
  await assert.rejects(given.threads.create({ taskQueue: 'q' }), /does not answer/);
  assert.deepEqual(
    [given.started, given.destroyed],
    [
      ['own0', 'own1', 'own2'],
      ['own0', 'own2'],
    ],
  );
});

test('a worker without a thread fails as the SDK says', async () => {
  const given = new Given();
  given.failure = new Error('no memory');
  await assert.rejects(given.threads.create({ taskQueue: 'q' }), /no memory/);
});

test('a spare one that has failed holds up nobody at the end', async () => {
  const given = new Given();
  given.threads.expect(2);
  await given.take();
  await given.pass(5_000);
  given.refusal = new Error('it has failed');
  await given.threads.close();
  assert.equal(given.threads.spares, 0);
});
