import assert from 'node:assert/strict';
import test from 'node:test';
import { findProgram, isAlive, runProgram, startChild } from '../../src/dev/processes.ts';

test('lines of stdout and stderr are told apart, and the exit code is kept', async () => {
  const lines: string[] = [];
  const child = startChild('/bin/sh', ['-c', 'echo one; echo two >&2; exit 7'], {
    name: 'test',
    onLine: (line, from) => lines.push(`${from} ${line}`),
  });
  assert.deepEqual(await child.exited, { code: 7, signal: null });
  assert.deepEqual(lines.sort(), ['stderr two', 'stdout one']);
  assert.equal(child.running, false);
});

test('arguments reach the program as they are', async () => {
  const args = ['a b', '', '"$HOME"', '*', "it's"];
  const { stdout } = await runProgram(process.execPath, [
    '-e',
    'console.log(JSON.stringify(process.argv.slice(1)))',
    '--',
    ...args,
  ]);
  assert.deepEqual(JSON.parse(stdout), args);
});

test('pid is the program itself, in a process group of its own', async () => {
  const child = startChild(process.execPath, ['-e', 'console.log(process.pid); setInterval(() => {}, 1000)'], {
    name: 'test',
    onLine: (line) => assert.equal(Number(line), child.pid),
  });
  assert.equal(process.kill(-child.pid, 0), true);
  child.kill();
  assert.deepEqual(await child.exited, { code: null, signal: 'SIGKILL' });
  assert.equal(isAlive(child.pid), false);
});

test('stop waits for a program that ends at SIGTERM', async () => {
  const code = "process.on('SIGTERM', () => process.exit(3)); console.log('up'); setInterval(() => {}, 1000)";
  let up: () => void = () => undefined;
  const started = new Promise<void>((resolve) => (up = resolve));
  const child = startChild(process.execPath, ['-e', code], { name: 'test', onLine: up });
  await started;
  await child.stop();
  assert.deepEqual(await child.exited, { code: 3, signal: null });
  await child.stop();
});

test('stop kills a program that does not listen', async () => {
  let up: () => void = () => undefined;
  const started = new Promise<void>((resolve) => (up = resolve));
  const code = "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)";
  const child = startChild(process.execPath, ['-e', code], { name: 'test', onLine: up });
  await started;
  await child.stop(50);
  assert.deepEqual(await child.exited, { code: null, signal: 'SIGKILL' });
});

test('nothing of the group stays when the program ends: neither the guard nor what the program started', async () => {
  const child = startChild('/bin/sh', ['-c', 'sleep 1000 & exit 0'], { name: 'test' });
  await child.exited;
  // They are dead; the system's first process buries them when it comes to it.
  const deadline = Date.now() + 10_000;
  while (isAlive(-child.pid)) {
    assert.ok(Date.now() < deadline);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

test('a program that does not exist exits with 127', async () => {
  assert.equal((await runProgram('/no/such/program', [])).code, 127);
});

test('an aborted run ends the program and throws the reason', async () => {
  const abort = new AbortController();
  const running = runProgram('/bin/sh', ['-c', 'sleep 1000'], { signal: abort.signal });
  abort.abort(new Error('enough'));
  await assert.rejects(running, /enough/);
});

test('programs are looked for on the PATH', () => {
  assert.equal(findProgram('sh', '/nowhere::/bin'), '/bin/sh');
  assert.equal(findProgram('sh', '/nowhere'), undefined);
  assert.equal(findProgram('bin', '/'), undefined, 'a folder is no program');
});
