/**
 * Waits, in Kafka's own protocol, until a broker's group and transaction coordinators exist and have loaded. The first
 * FindCoordinator makes the broker create the internal topics. Until all is done clients meet "not available" and "loading".
 * It asks for one group and one transactional id, so it tells all only where the internal topics have one partition each.
 * One of several brokers need not be the coordinator itself: that it knows who is will do.
 */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 50;
const ANSWER_MS = 5_000;
const ID = 'readiness';

interface Question {
  readonly request: Buffer;
  /** Where the answer's int16 error code is, from the start of the response with its size. */
  readonly errorAt: number;
  /** Codes that only a coordinator at work gives. */
  readonly good: readonly number[];
}

/** Resolves when both coordinators answer. Errors: the signal's reason. */
export async function coordinatorsReady(host: string, port: number, signal: AbortSignal): Promise<void> {
  for (const question of QUESTIONS) {
    while (!(await ask(host, port, question))) await sleep(POLL_MS, undefined, { signal });
  }
}

function ask(host: string, port: number, { request, errorAt, good }: Question): Promise<boolean> {
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
    socket.once('connect', () => socket.write(request));
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length >= errorAt + 2) answer(good.includes(received.readInt16BE(errorAt)));
    });
  });
}

const int16 = (value: number): Buffer => Buffer.from([(value >> 8) & 0xff, value & 0xff]);
const int32 = (value: number): Buffer => Buffer.concat([int16(value >> 16), int16(value & 0xffff)]);
const string = (text: string): Buffer => Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)]);
const compactString = (text: string): Buffer =>
  Buffer.concat([Buffer.from([Buffer.byteLength(text) + 1]), Buffer.from(text)]);
const NO_TAGS = Buffer.from([0]);

function request(api: number, version: number, ...body: Buffer[]): Buffer {
  const bytes = Buffer.concat([int16(api), int16(version), int32(1), string(ID), ...body]);
  return Buffer.concat([int32(bytes.length), bytes]);
}

const GROUP = 0;
const TRANSACTION = 1;
const NONE = 0;
const NOT_COORDINATOR = 16;
const GROUP_ID_NOT_FOUND = 69;
const TRANSACTIONAL_ID_NOT_FOUND = 105;

// FindCoordinator v1, DescribeGroups v0, DescribeTransactions v0 (the flexible format), InitProducerId v0.
const findCoordinator = (type: number): Question => ({
  request: request(10, 1, string(ID), Buffer.from([type])),
  errorAt: 12,
  good: [NONE],
});
const QUESTIONS: readonly Question[] = [
  findCoordinator(GROUP),
  { request: request(15, 0, int32(1), string(ID)), errorAt: 12, good: [NONE, GROUP_ID_NOT_FOUND, NOT_COORDINATOR] },
  findCoordinator(TRANSACTION),
  {
    request: request(65, 0, NO_TAGS, Buffer.from([2]), compactString(ID), NO_TAGS),
    errorAt: 14,
    good: [NONE, TRANSACTIONAL_ID_NOT_FOUND, NOT_COORDINATOR],
  },
  // Not transactional: "loading" until the broker has got its first block of producer ids.
  { request: request(22, 0, int16(-1), int32(1_000)), errorAt: 12, good: [NONE] },
];
