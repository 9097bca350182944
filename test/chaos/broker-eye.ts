/**
 * Looks at the broker's transactions, in Kafka's own protocol (ListTransactions v0, DescribeTransactions v0): whether a
 * fault hits an open one is seen here and not guessed.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

const ANSWER_MS = 1_000;
const LIST = 66;
const DESCRIBE = 65;

export interface OpenTransaction {
  readonly transactionalId: string;
  /** epoch ms, of the broker; with the id it names the transaction. */
  readonly startedAt: number;
  readonly epoch: number;
  /** Topics that it has touched. */
  readonly topics: readonly string[];
}

export interface BrokerEye {
  /** Transactions that are open now. Errors: when the broker does not answer. */
  open(): Promise<OpenTransaction[]>;
  close(): void;
}

export function createBrokerEye(port: number): BrokerEye {
  let socket: Socket | undefined;
  let waiting: { resolve(answer: Buffer): void; reject(error: Error): void } | undefined;
  let received = Buffer.alloc(0);

  const connection = (): Socket => {
    if (socket !== undefined && !socket.destroyed) return socket;
    received = Buffer.alloc(0);
    const opened = connect({ host: '127.0.0.1', port, noDelay: true });
    opened.on('error', () => undefined); // the close that follows is what counts
    opened.on('close', () => {
      waiting?.reject(new Error('the broker closed the connection'));
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

  /** The answer behind its correlation id. One request at a time. */
  const ask = async (api: number, body: Buffer): Promise<Fields> => {
    const opened = connection();
    const header = Buffer.concat([int16(api), int16(0), int32(7), int16(3), Buffer.from('eye'), NO_TAGS]);
    const answer = new Promise<Buffer>((resolve, reject) => (waiting = { resolve, reject }));
    const timer = setTimeout(() => opened.destroy(), ANSWER_MS);
    try {
      opened.write(Buffer.concat([int32(header.length + body.length), header, body]));
      return new Fields((await answer).subarray(4));
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    async open() {
      const ids = idsOf(await ask(LIST, Buffer.concat([compactArray([compactString('Ongoing')]), compactArray([]), NO_TAGS])));
      if (ids.length === 0) return [];
      return describedOf(await ask(DESCRIBE, Buffer.concat([compactArray(ids.map(compactString)), NO_TAGS])));
    },
    close: () => socket?.destroy(),
  };
}

function idsOf(fields: Fields): string[] {
  fields.tags();
  fields.int32(); // throttle time
  checked(fields.int16());
  fields.array(() => fields.string());
  return fields.array(() => {
    const id = fields.string();
    fields.int64(); // producer id
    fields.string();
    fields.tags();
    return id;
  });
}

function describedOf(fields: Fields): OpenTransaction[] {
  fields.tags();
  fields.int32(); // throttle time
  const rows = fields.array(() => {
    fields.int16(); // an id that is gone meanwhile has an error and no state
    const transactionalId = fields.string();
    const state = fields.string();
    fields.int32(); // time-out
    const startedAt = fields.int64();
    fields.int64(); // producer id
    const epoch = fields.int16();
    const topics = fields.array(() => {
      const topic = fields.string();
      fields.array(() => fields.int32());
      fields.tags();
      return topic;
    });
    fields.tags();
    return { state, transactionalId, startedAt, epoch, topics };
  });
  return rows.filter(({ state }) => state === 'Ongoing').map(({ state: _, ...row }) => row);
}

function checked(code: number): void {
  if (code !== 0) throw new Error(`the broker answers with error ${code}`);
}

const int16 = (value: number): Buffer => Buffer.from([(value >> 8) & 0xff, value & 0xff]);
const int32 = (value: number): Buffer => Buffer.concat([int16(value >> 16), int16(value & 0xffff)]);
/** Below 127 bytes and items: their length is one byte. */
const compactString = (text: string): Buffer => Buffer.concat([Buffer.from([Buffer.byteLength(text) + 1]), Buffer.from(text)]);
const compactArray = (items: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from([items.length + 1]), ...items]);
const NO_TAGS = Buffer.from([0]);

/** Reads the fields of an answer one after the other. */
class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
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

  string(): string {
    const length = this.#varint() - 1;
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
