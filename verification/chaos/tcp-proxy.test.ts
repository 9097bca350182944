import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../test/support/eventually.ts';
import { startTcpProxy } from './tcp-proxy.ts';

/** A server that answers each word with "re:<word>", and a client of it through a proxy. */
async function given(t: TestContext) {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      heard.push(String(bytes));
      socket.write(`re:${String(bytes)}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = await startTcpProxy((server.address() as AddressInfo).port);
  const sockets: Socket[] = [];
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await proxy.close();
    await new Promise((resolve) => server.close(resolve));
  });
  const client = () => {
    const seen = { text: '', closed: false };
    const socket = connect(proxy.port, '127.0.0.1');
    sockets.push(socket);
    socket.on('data', (bytes) => (seen.text += String(bytes)));
    socket.on('error', () => undefined);
    socket.on('close', () => (seen.closed = true));
    return { socket, seen };
  };
  return { proxy, client, heard };
}

test('both directions pass', async (t) => {
  const { client, proxy } = await given(t);
  const { socket, seen } = client();
  socket.write('a');
  await eventually('the answer', () => seen.text === 're:a');
  assert.equal(proxy.disturbed, 0);
});

test('the end of one side reaches the other', async (t) => {
  const { client, proxy } = await given(t);
  const { socket, seen } = client();
  socket.end('a');
  await eventually('answer and end', () => seen.text === 're:a' && seen.closed);
  await eventually('nothing is left', () => proxy.connections === 0);
});

test('cut: open connections and new ones are reset; afterwards new ones work', async (t) => {
  const { client, proxy } = await given(t);
  const before = client();
  before.socket.write('a');
  await eventually('the answer', () => before.seen.text === 're:a');
  proxy.set({ type: 'cut' });
  const during = client();
  await eventually('both closed', () => before.seen.closed && during.seen.closed);
  assert.equal(proxy.disturbed, 2);
  proxy.set({ type: 'pass' });
  const after = client();
  after.socket.write('b');
  await eventually('the answer', () => after.seen.text === 're:b');
});

test('delay: each way takes its time, in order', async (t) => {
  const { client, proxy, heard } = await given(t);
  const { socket, seen } = client();
  proxy.set({ type: 'delay', ms: 60 });
  const began = Date.now();
  socket.write('a');
  await eventually('heard', () => heard.length === 1);
  assert.ok(Date.now() - began >= 55);
  socket.write('b');
  await eventually('the answers', () => seen.text === 're:are:b');
  assert.ok(Date.now() - began >= 170);
});

test('drop up: the target hears nothing until it ends, then everything, though the client is gone', async (t) => {
  const { client, proxy, heard } = await given(t);
  const { socket, seen } = client();
  socket.write('a');
  await eventually('the answer', () => seen.text === 're:a');
  proxy.set({ type: 'drop', direction: 'up' });
  socket.write('b');
  await eventually('held', () => proxy.disturbed === 1);
  socket.destroy();
  await pause(30);
  assert.deepEqual(heard, ['a']);
  proxy.set({ type: 'pass' });
  await eventually('it comes late', () => heard.join() === 'a,b');
});

test('drop down: the target acts, its answer comes only afterwards', async (t) => {
  const { client, proxy, heard } = await given(t);
  const { socket, seen } = client();
  proxy.set({ type: 'drop', direction: 'down' });
  socket.write('a');
  await eventually('heard', () => heard.join() === 'a');
  await pause(30);
  assert.equal(seen.text, '');
  proxy.set({ type: 'pass' });
  await eventually('the answer', () => seen.text === 're:a');
});

test('half-open: nothing gets through and nothing closes; it is reset afterwards', async (t) => {
  const { client, proxy, heard } = await given(t);
  const before = client();
  before.socket.write('a');
  await eventually('the answer', () => before.seen.text === 're:a');
  proxy.set({ type: 'half-open' });
  const during = client();
  before.socket.write('b');
  during.socket.write('c');
  await pause(50);
  assert.deepEqual([heard.join(), before.seen.closed, during.seen.closed], ['a', false, false]);
  proxy.set({ type: 'pass' });
  await eventually('both closed', () => before.seen.closed && during.seen.closed);
  assert.deepEqual(heard, ['a']);
});
