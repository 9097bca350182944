/**
 * Kafka's own protocol, as far as faults need it and kafkajs does not offer it: requests in the flexible format to one
 * broker, one at a time.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

const ANSWER_MS = 1_000;

export interface Wire {
  /** The answer behind its header. `ms`: how long it is waited for. Errors: when the broker does not answer. */
  ask(api: number, version: number, body: Buffer, ms?: number): Promise<Fields>;
  close(): void;
}

/** `port`: of 127.0.0.1; a connection is made when there is something to ask. */
export function createWire(port: number): Wire {
  let socket: Socket | undefined;
  let waiting: { resolve(answer: Buffer): void; reject(error: Error): void } | undefined;
  let received = Buffer.alloc(0);
  let last: Promise<unknown> = Promise.resolve();

  const connection = (): Socket => {
    if (socket !== undefined && !socket.destroyed) return socket;
    received = Buffer.alloc(0);
    const opened = connect({ host: '127.0.0.1', port, noDelay: true });
    opened.on('error', () => undefined); // the close that follows is what counts
    opened.on('close', () => {
      waiting?.reject(new Error(`the broker on port ${port} closed the connection`));
      waiting = undefined;
    });
    opened.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      const answer = received.subarray(4, 4 + received.readInt32BE(0));
      received = Buffer.alloc(0);
      waiting?.resolve(answer);
      waiting = undefined;
    });
    socket = opened;
    return opened;
  };

  const ask = async (api: number, version: number, body: Buffer, ms: number): Promise<Fields> => {
    const opened = connection();
    const header = Buffer.concat([int16(api), int16(version), int32(7), int16(3), Buffer.from('eye'), NO_TAGS]);
    const answer = new Promise<Buffer>((resolve, reject) => (waiting = { resolve, reject }));
    const timer = setTimeout(() => opened.destroy(), ms);
    try {
      opened.write(Buffer.concat([int32(header.length + body.length), header, body]));
      const fields = new Fields((await answer).subarray(4));
      fields.tags();
      return fields;
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    ask(api, version, body, ms = ANSWER_MS) {
      const answer = last.then(() => ask(api, version, body, ms));
      last = answer.catch(() => undefined); // whoever asked gets it
      return answer;
    },
    close: () => socket?.destroy(),
  };
}

export const int8 = (value: number): Buffer => Buffer.from([value & 0xff]);
const int16 = (value: number): Buffer => Buffer.from([(value >> 8) & 0xff, value & 0xff]);
export const int32 = (value: number): Buffer => Buffer.concat([int16(value >> 16), int16(value & 0xffff)]);
/** Below 127 bytes and items: their length is one byte. */
export const compactString = (text: string): Buffer =>
  Buffer.concat([Buffer.from([Buffer.byteLength(text) + 1]), Buffer.from(text)]);
export const compactArray = (items: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([items.length + 1]), ...items]);
/** Of a string or a list that is not there. */
export const NULL = Buffer.from([0]);
export const NO_TAGS = Buffer.from([0]);

/** Reads the fields of an answer one after the other. */
export class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int8(): number {
    this.#at += 1;
    return this.#bytes.readInt8(this.#at - 1);
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  int64(): number {
    this.#at += 8;
    return Number(this.#bytes.readBigInt64BE(this.#at - 8));
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#at++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  /** Empty where there is none. */
  string(): string {
    const length = Math.max(0, this.#varint() - 1);
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  array<T>(item: () => T): T[] {
    const count = this.#varint() - 1;
    return Array.from({ length: Math.max(0, count) }, item);
  }

  tags(): void {
    for (let count = this.#varint(); count > 0; count -= 1) {
      this.#varint();
      this.#at += this.#varint();
    }
  }
}
