import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compression } from '../../../src/engine/temporal/connection.ts';

test('what goes over a network is compressed, as the SDK does; what stays on the machine is not', () => {
  for (const address of ['127.0.0.1:7233', '127.1.2.3:1', 'localhost:7233', '[::1]:7233']) {
    assert.deepEqual(compression(address), { grpcCompression: { codec: 'none' } }, address);
  }
  for (const address of ['10.0.0.1:7233', '127.example.com:7233', 'localhost.example.com:443', '[::2]:7233']) {
    assert.deepEqual(compression(address), {}, address);
  }
});
