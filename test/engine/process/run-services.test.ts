import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { CodedError } from '../../../src/engine/errors.ts';
import { runServices } from '../../../src/engine/process/run-services.ts';
import type { Service } from '../../../src/engine/process/service.ts';
import { eventually } from '../../support/eventually.ts';

/** Works when it is told to, and gives back what it holds a moment after it was stopped. */
class Given implements Service {
  notReady: string | undefined = 'not joined yet';
  notLive: string | undefined;
  holds = 0;
  ended = false;
  #works: () => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;
  #stop: () => void = () => undefined;

  run(onReady: () => void): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#works = onReady;
      this.#fail = reject;
      this.#stop = () => setTimeout(resolve, 20);
    }).finally(() => (this.ended = true));
  }
  works(holds: number): void {
    this.notReady = undefined;
    this.holds = holds;
    this.#works();
  }
  fail(error: Error): void {
    this.#fail(error);
  }
  stop(): void {
    this.#stop();
  }
}

test('it is ready once all work, says how many partitions each holds, and SIGTERM ends all of them', async () => {
  const [bridge, worker] = [new Given(), new Given()];
  const registry = new Registry();
  let ready = 0;
  const ended = runServices({ bridge, worker }, { registry, onReady: () => (ready += 1) });
  bridge.works(3);
  bridge.works(3);
  assert.equal(ready, 0);
  worker.works(2);
  worker.works(2);
  assert.equal(ready, 1);
  assert.match(
    await registry.metrics(),
    /held_partitions\{service="bridge"\} 3\nheld_partitions\{service="worker"\} 2\n/,
  );
  process.emit('SIGTERM');
  await ended;
  assert.ok(bridge.ended && worker.ended, 'each has given back what it held');
  assert.equal(process.listenerCount('SIGTERM'), 0);
});

test('where one fails the others are stopped, and its error is the end', async () => {
  const [bridge, worker] = [new Given(), new Given()];
  const ended = runServices({ bridge, worker });
  bridge.fail(new CodedError('TOPIC', 'missing topic: orders'));
  await assert.rejects(ended, { code: 'TOPIC' });
  assert.ok(worker.ended);
});

test('an orchestrator gets 503, and why, until all work; a port that is taken is said', async (t) => {
  const bridge = new Given();
  const port = await freePort();
  const ended = runServices({ bridge }, { healthPort: port });
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return [response.status, await response.text()] as const;
  };
  t.after(() => bridge.stop());
  await eventually('it listens', () =>
    ask('/healthz').then(
      ([status]) => status === 200,
      () => false,
    ),
  );
  const [status, text] = await ask('/readyz');
  assert.equal(status, 503);
  assert.match(text, /not joined yet/);
  bridge.works(4);
  assert.equal((await ask('/readyz'))[0], 200);
  assert.match((await ask('/metrics'))[1], /held_partitions\{service="bridge"\} 4/);
  await assert.rejects(runServices({ bridge: new Given() }, { healthPort: port }), { code: 'CONFIG' });
  bridge.notLive = 'its thread is gone';
  assert.equal((await ask('/healthz'))[0], 503);
  bridge.stop();
  await ended;
});

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
