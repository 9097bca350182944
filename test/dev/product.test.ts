import assert from 'node:assert/strict';
import test from 'node:test';
import { isAlive } from '../../src/dev/processes.ts';
import { keepProductProcess, startProductProcess } from '../../src/dev/product.ts';

const script = (code: string): [string, ...string[]] => [process.execPath, '-e', code, '--'];
const UP = script("console.log('READY {}'); setInterval(() => {}, 1000)");

test('a process counts as started when it says READY; what it writes besides is passed on', async () => {
  const lines: string[] = [];
  const code =
    "console.log('hello ' + process.env.KAFKA_BROKERS, process.argv[1]); console.log('READY {}'); setInterval(() => {}, 1000)";
  const worker = await startProductProcess('worker', {
    env: { KAFKA_BROKERS: 'b:1' },
    log: (line) => lines.push(line),
    command: script(code),
  });
  assert.deepEqual(lines, ['worker: hello b:1 worker']);
  assert.equal(worker.running, true);
  assert.match(worker.httpUrl, /^http:\/\/127\.0\.0\.1:\d+$/);
  await worker.stop();
  assert.equal(worker.running, false);
});

test('a process that ends before READY is an error with its last words', async () => {
  const failing = startProductProcess('bridge', {
    env: {},
    log: () => undefined,
    command: script("console.error('no such topic'); process.exit(1)"),
  });
  await assert.rejects(failing, {
    code: 'UNREACHABLE',
    message: 'The bridge did not start: it ended with exit code 1. no such topic',
  });
});

test('an aborted start leaves nothing running', async () => {
  const abort = new AbortController();
  let pid = 0;
  const starting = startProductProcess('worker', {
    env: {},
    log: (line) => {
      pid = Number(line.slice('worker: '.length));
      abort.abort(new Error('stop'));
    },
    signal: abort.signal,
    command: script('console.log(process.pid); setInterval(() => {}, 1000)'),
  });
  await assert.rejects(starting, /stop/);
  assert.notEqual(pid, 0);
  assert.equal(isAlive(pid), false);
});

test('a kept process comes back when it is killed, and not when it is stopped', async () => {
  const lines: string[] = [];
  const kept = await keepProductProcess('worker', { env: {}, log: (line) => lines.push(line), command: UP });
  const first = kept.current;
  first.kill();
  const deadline = Date.now() + 20_000;
  while (kept.current === first) {
    assert.ok(Date.now() < deadline);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.deepEqual(lines, ['The worker ended with SIGKILL; starting it again.']);
  assert.notEqual(kept.current.pid, first.pid);
  await kept.stop();
  assert.equal(isAlive(kept.current.pid), false);
});

test('a kept process that cannot come back is a failure', async () => {
  let starts = 0;
  const code = "console.log('READY {}'); setInterval(() => {}, 1000)";
  const options = {
    env: {},
    log: () => void starts++,
    get command(): [string, ...string[]] {
      return starts === 0 ? script(code) : script('process.exit(4)');
    },
  };
  const kept = await keepProductProcess('bridge', options);
  // Each start copies the options, and so sees the command of its time.
  kept.current.kill();
  await assert.rejects(kept.failed, { code: 'UNREACHABLE', message: /ended with exit code 4/ });
  await kept.stop();
});
