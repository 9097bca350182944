/** Records that workflows emit, on a real Temporal server, with the publisher's own rules for what its ledger has. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { temporalProgram } from '../../../src/dev/temporal-server.ts';
import { CodedError } from '../../../src/engine/errors.ts';
import { taskQueueOf } from '../../../src/engine/naming.ts';
import { publishActivity } from '../../../src/engine/publish/activity.ts';
import { advance, judge } from '../../../src/engine/publish/ledger.ts';
import type { LedgerEntry } from '../../../src/engine/publish/ledger-entry.ts';
import { refusalOf } from '../../../src/engine/publish/refusals.ts';
import type { PublishRequest } from '../../../src/engine/workflow/publish-request.ts';
import type { Emitted } from '../../../src/engine/workflow/emitted.ts';
import { eventually } from '../../support/eventually.ts';
import type { emitting, Numbered } from './emitting.ts';

type Request = PublishRequest<Emitted<Numbered>>;

/** The ledger of one shard, and what came out by it. */
class Shard {
  readonly out: { readonly key: string; readonly n: number }[] = [];
  readonly requests: Request[] = [];
  readonly #entries = new Map<string, LedgerEntry>();
  /** Before a request is looked at. */
  onRequest: (request: Request) => void = () => undefined;
  /** After it was committed: the answer may be lost. */
  onCommitted: (request: Request) => void = () => undefined;

  async publish(request: Request): Promise<void> {
    this.requests.push(request);
    this.onRequest(request);
    const entry = this.#entries.get(request.key);
    const verdict = judge(entry, request);
    if (verdict.type === 'published') return;
    if (verdict.type !== 'publish') throw refusalOf(request, verdict);
    this.out.push(...request.outputs.slice(verdict.from).map(({ record }) => ({ key: request.key, n: record.n })));
    this.#entries.set(request.key, advance(entry, request, request.outputs.length));
    this.onCommitted(request);
  }

  /** Somebody has published under later numbers: the workflow is one that was reset. */
  forgetWhoPublished(key: string, seq: number, run: { readonly number: number; readonly id: string }): void {
    const entry = this.#entries.get(key)!;
    this.#entries.set(key, { ...entry, resolved: { ...entry.resolved!, seq, run } });
  }

  get numbers(): number[] {
    return this.out.map(({ n }) => n);
  }
}

describe('the outbox of a workflow', () => {
  let env: TestWorkflowEnvironment;
  let bundle: { code: string };
  before(async () => {
    const logger = new DefaultLogger('ERROR', () => undefined);
    Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'OFF' } } });
    const path = await temporalProgram({ log: (line) => console.error(line) });
    [env, bundle] = await Promise.all([
      TestWorkflowEnvironment.createLocal({
        server: { executable: { type: 'existing-path', path }, log: { format: 'pretty', level: 'error' } },
      }),
      bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('./emitting.ts', import.meta.url)), logger }),
    ]);
  });
  after(() => env.teardown());

  async function withWorker<T>(
    shard: Shard,
    work: (
      start: (
        count: number,
        together?: boolean,
      ) => Promise<Awaited<ReturnType<typeof env.client.workflow.start<typeof emitting>>>>,
    ) => Promise<T>,
  ): Promise<T> {
    const worker = await Worker.create({
      connection: env.nativeConnection,
      taskQueue: taskQueueOf('outbox', 0),
      workflowBundle: bundle,
      maxCachedWorkflows: 0,
      activities: { publish: publishActivity<Emitted<Numbered>>({ publisher: shard }) },
    });
    return worker.runUntil(
      work((count, together = false) =>
        env.client.workflow.start<typeof emitting>('emitting', {
          workflowId: `outbox-${randomUUID()}`,
          taskQueue: taskQueueOf('outbox', 0),
          args: [count, together],
        }),
      ),
    );
  }

  it('publishes each record once, in order, numbered without a gap, over continue-as-new with some that are not published yet', async () => {
    const shard = new Shard();
    const published = await withWorker(shard, async (start) => (await start(8, true)).result());
    assert.deepEqual(shard.numbers, [1, 2, 3, -4, 4, 5, 6, -7, 7, 8]);
    assert.equal(published, 10);
    const ranges = shard.requests.map(({ first, outputs }) => [first, first + outputs.length - 1]);
    assert.deepEqual(ranges, [[1, 10]], 'what waits goes together, and two flushes are one');
  });

  it('publishes nothing twice when an answer is lost', async () => {
    const shard = new Shard();
    let lost = 0;
    shard.onCommitted = () => {
      if ((lost += 1) % 2 === 1) throw new CodedError('KAFKA', 'the answer is lost');
    };
    await withWorker(shard, async (start) => (await start(5)).result());
    assert.deepEqual(shard.numbers, [1, 2, 3, -4, 4, 5]);
    assert.ok(lost > 0 && shard.requests.length > shard.out.length);
  });

  it("numbers its records after the ledger's when the workflow was reset, so that none is lost", async () => {
    const shard = new Shard();
    shard.onRequest = ({ first, key }) => {
      if (first === 3 && shard.out.length === 2) shard.forgetWhoPublished(key, 7, { number: 5, id: 'another' });
    };
    const published = await withWorker(shard, async (start) => (await start(3)).result());
    assert.deepEqual(shard.numbers, [1, 2, 3]);
    assert.equal(shard.requests.at(-1)!.first, 8);
    assert.equal(published, 8);
  });

  it('waits for a person, and never fails the workflow, for what no retry mends', async () => {
    const shard = new Shard();
    shard.onRequest = () => {
      throw new CodedError('STALE_INCARNATION', 'a newer workflow of this key has published');
    };
    await withWorker(shard, async (start) => {
      const handle = await start(2);
      const refusal = async (): Promise<string | null | undefined> =>
        (await handle.describe()).raw.pendingActivities?.[0]?.lastFailure?.message;
      assert.match(
        (await eventually('it to be refused', refusal, 30_000)) ?? '',
        /a newer workflow of this key has published/,
      );
      assert.equal((await handle.describe()).status.name, 'RUNNING');
      await handle.terminate();
    });
    assert.deepEqual(shard.numbers, []);
  });

  it('publishes what was emitted when the workflow is cancelled, and then the workflow goes its own way', async () => {
    const shard = new Shard();
    let away = true;
    shard.onRequest = () => {
      if (away) throw new CodedError('KAFKA', 'away');
    };
    await withWorker(shard, async (start) => {
      const handle = await start(2);
      await eventually('it to be asked', () => shard.requests.length > 0, 30_000);
      await handle.cancel();
      away = false;
      await assert.rejects(handle.result(), (error: Error) => /cancelled/i.test(String(error.cause)));
      const { events } = await handle.fetchHistory();
      assert.equal(events?.filter((event) => event.workflowTaskFailedEventAttributes).length, 0);
    });
    assert.deepEqual(shard.numbers, [1]);
  });
});
