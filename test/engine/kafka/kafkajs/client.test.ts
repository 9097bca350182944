import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { openSocket } from '../../../../src/engine/kafka/kafkajs/client.ts';

test('a socket that has closed gets no listener for each time that kafkajs puts it away', async () => {
  const server = createServer((peer) => peer.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = openSocket({ host: '127.0.0.1', port, ssl: undefined as never, onConnect: () => undefined });
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'close');
  const before = socket.listenerCount('connect');
  for (let n = 0; n < 20; n += 1) assert.equal(socket.unref(), socket);
  assert.equal(socket.listenerCount('connect'), before);
  server.close();
});
