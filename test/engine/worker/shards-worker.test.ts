/** Liveness of the worker process: whether what must end by itself does. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../../src/engine/log.ts';
import type { Publisher } from '../../../src/engine/publish/publisher.ts';
import type { Output } from '../../../src/money/domain/events.ts';
import { ShardsWorker, type ShardsWorkerDeps } from '../../../src/engine/worker/shards-worker.ts';
import type { ShardWorker } from '../../../src/engine/worker/shard-worker.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const PUBLISHER: Publisher = { publish: async () => undefined };

/** A worker whose group, and whose Temporal workers, do what a test says. */
class Stage {
  readonly clock = new ManualClock();
  /** How often it has joined its group. */
  joins = 0;
  take: (shard: number) => void = () => undefined;
  lose: (shard: number) => void = () => undefined;
  crash: (error: Error) => void = () => undefined;
  /** Every start that was asked for, in order. */
  readonly starts: { resolve(worker: ShardWorker): void; reject(error: Error): void; fail(error: Error): void }[] = [];
  ownershipStopped: Promise<void> = Promise.resolve();
  /** The group was told that it goes. */
  givenBack = false;
  readonly worker: ShardsWorker<Output>;
  readonly ended: Promise<void>;

  constructor(startLookupsWorker?: NonNullable<ShardsWorkerDeps<Output>['beside']>['start']) {
    this.worker = new ShardsWorker({
      ...this.#deps,
      ...(startLookupsWorker && { beside: { name: 'the worker of the lookups', start: startLookupsWorker } }),
    });
    this.ended = this.worker.run();
  }

  readonly #deps: ShardsWorkerDeps<Output> = {
    clock: this.clock,
    logger: silentLogger(),
    createOwnership: ({ onTaken, onLost, onCrash }) => {
      this.joins += 1;
      this.crash = onCrash;
      this.take = (shard) => onTaken(shard, PUBLISHER);
      this.lose = onLost;
      const stop = (): Promise<void> => {
        this.givenBack = true;
        return this.ownershipStopped;
      };
      return { start: async () => undefined, stop };
    },
    startShardWorker: (_shard, _publisher, fail) =>
      new Promise((resolve, reject) => this.starts.push({ resolve, reject, fail })),
  };

  /** Lets everything happen that `ms` bring. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  async stop(): Promise<void> {
    this.worker.stop();
    await this.ended;
  }
}

const RUNNING: ShardWorker = { stop: async () => undefined };

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/** Shard 3 is lost, and its worker stops when told so. */
async function stoppingShard() {
  const stage = new Stage();
  await stage.pass(0);
  const stopped = gate();
  stage.take(3);
  stage.starts[0]!.resolve({ stop: () => stopped.opened });
  await stage.pass(0);
  stage.lose(3);
  return { stage, stopped };
}

describe('liveness of the worker', () => {
  it('holds with no shard, and with shards whose workers run', async () => {
    const stage = new Stage();
    await stage.pass(600_000);
    assert.equal(stage.worker.notLive, undefined);
    stage.take(3);
    stage.starts[0]!.resolve(RUNNING);
    await stage.pass(600_000);
    assert.equal(stage.worker.notLive, undefined);
    assert.equal(stage.worker.holds, 1);
    await stage.stop();
  });

  it('ends when the worker of a shard has not started for 60 s', async () => {
    const stage = new Stage();
    await stage.pass(0);
    stage.take(3);
    await stage.pass(60_000);
    assert.equal(stage.worker.notLive, undefined);
    await stage.pass(1_000);
    assert.equal(stage.worker.notLive, 'starting the worker of shard 3 has not ended in 61 s');
    stage.starts[0]!.resolve(RUNNING);
    await stage.pass(0);
    assert.equal(stage.worker.notLive, undefined);
    await stage.stop();
  });

  it('ends when the worker of a lost shard does not stop', async () => {
    const { stage, stopped } = await stoppingShard();
    await stage.pass(0);
    await stage.pass(61_000);
    assert.equal(stage.worker.notLive, 'stopping the worker of shard 3 has not ended in 61 s');
    stopped.open();
    await stage.pass(0);
    assert.equal(stage.worker.notLive, undefined);
    await stage.stop();
  });

  it('gives its shards back while the worker of the lookups still waits for somebody who does not answer', async () => {
    const answered = gate();
    const stage = new Stage(async () => ({ stop: () => answered.opened }));
    await stage.pass(0);
    stage.take(3);
    stage.starts[0]!.resolve(RUNNING);
    await stage.pass(0);
    assert.equal(stage.givenBack, false);
    const ended = stage.stop();
    await stage.pass(0);
    assert.equal(stage.givenBack, true);
    answered.open();
    await ended;
  });

  it('does not end before the worker of a shard that was lost just before has stopped: it uses the connection that is closed then', async () => {
    const { stage, stopped } = await stoppingShard();
    let ended = false;
    const end = stage.stop().then(() => (ended = true));
    await stage.pass(5_000);
    assert.equal(ended, false);
    stopped.open();
    await end;
  });

  it('a shard whose worker fails, or cannot start, is started again by itself and named; the other shards and the membership stay', async () => {
    const stage = new Stage();
    await stage.pass(0);
    stage.take(3);
    stage.take(4);
    const stopped: string[] = [];
    for (const [index, start] of stage.starts.entries()) {
      start.resolve({ stop: async () => void stopped.push(String(index)) });
    }
    await stage.pass(0);
    stage.starts[0]!.fail(new Error('poll failed'));
    await stage.pass(0);
    assert.deepEqual([stage.joins, stage.worker.holds, stopped], [1, 2, ['0']]);
    // It is started again at once, and that fails.
    stage.starts[2]!.reject(new Error('no Temporal'));
    await stage.pass(0);
    assert.deepEqual(
      [stage.worker.notReady, stage.worker.shardsFailing],
      ['the worker of shard 3 does not run: no Temporal', 1],
    );
    // The back-off of the second time is 1 s.
    await stage.pass(1_000);
    stage.starts[3]!.resolve(RUNNING);
    await stage.pass(600_000);
    assert.deepEqual(
      [stage.joins, stage.worker.notReady, stage.worker.shardsFailing, stage.worker.notLive, stopped],
      [1, undefined, 0, undefined, ['0']],
    );
    await stage.stop();
    assert.deepEqual(stopped, ['0', '1']);
  });

  it('a worker of the lookups that fails is started again by itself, and no shard notices', async () => {
    const starts: { resolve(worker: ShardWorker): void; fail(error: Error): void }[] = [];
    const stage = new Stage((fail) => new Promise((resolve) => starts.push({ resolve, fail })));
    await stage.pass(0);
    stage.take(3);
    stage.starts[0]!.resolve(RUNNING);
    starts[0]!.resolve(RUNNING);
    await stage.pass(0);
    starts[0]!.fail(new Error('poll failed'));
    await stage.pass(0);
    assert.equal(stage.worker.notReady, 'the worker of the lookups does not run: poll failed');
    starts[1]!.resolve(RUNNING);
    await stage.pass(0);
    assert.deepEqual([stage.joins, stage.starts.length, stage.worker.notReady], [1, 1, undefined]);
    await stage.stop();
  });

  it('ends when a worker without its group cannot give its shards back', async () => {
    const stage = new Stage();
    await stage.pass(0);
    const left = gate();
    stage.ownershipStopped = left.opened;
    stage.crash(new Error('the group is gone'));
    await stage.pass(0);
    await stage.pass(61_000);
    assert.equal(stage.worker.notLive, 'giving the shards back has not ended in 61 s');
    left.open();
    await stage.stop();
  });
});
