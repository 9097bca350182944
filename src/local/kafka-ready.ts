/**
 * Asks a broker for its group and transaction coordinators, in Kafka's own protocol (FindCoordinator v1). The first
 * question makes the broker create the internal topics; until they are there clients meet COORDINATOR_NOT_AVAILABLE.
 */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const FIND_COORDINATOR = 10;
const COORDINATOR_TYPES = [0, 1]; // group, transaction
const POLL_MS = 50;
const ANSWER_MS = 5_000;

/** Resolves when both coordinators answer. Errors: the signal's reason. */
export async function coordinatorsReady(host: string, port: number, signal: AbortSignal): Promise<void> {
  for (const type of COORDINATOR_TYPES) {
    while (!(await findCoordinator(host, port, type))) await sleep(POLL_MS, undefined, { signal });
  }
}

/** Whether the coordinator of this type exists. */
function findCoordinator(host: string, port: number, type: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const answer = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    let received = Buffer.alloc(0);
    socket.setTimeout(ANSWER_MS, () => answer(false));
    socket.once('error', () => answer(false));
    socket.once('close', () => answer(false));
    socket.once('connect', () => socket.write(request('readiness', type)));
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      // size int32, correlation id int32, throttle int32, error int16
      if (received.length >= 14) answer(received.readInt16BE(12) === 0);
    });
  });
}

function request(key: string, type: number): Buffer {
  const body = Buffer.concat([int16(FIND_COORDINATOR), int16(1), int32(1), string(key), string(key), Buffer.from([type])]);
  return Buffer.concat([int32(body.length), body]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function string(text: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)]);
}
