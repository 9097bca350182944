/**
 * The ids of topics: one that was deleted and made anew under the same name has another. kafkajs speaks Metadata up to version 6,
 * and ids came with version 10 (Kafka 2.8), so this request is written here, in the flexible encoding of KIP-482.
 */
import { CodedError, messageOf } from '../../errors.ts';
import type { TopicIdentity } from '../port.ts';

/** The part of kafkajs' internal classes that is used here (2.2.4: src/cluster/brokerPool.js, src/broker/index.js). */
export interface BrokerPool {
  readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>> | null;
  withBroker<T>(callback: (found: { broker: Broker }) => Promise<T>): Promise<T | null>;
}
interface Broker {
  readonly connectionPool: {
    send<T>(protocol: {
      request: object;
      response: { decode(payload: Buffer): Promise<T>; parse(decoded: T): Promise<T> };
    }): Promise<T>;
  };
}

const METADATA = 3;
const VERSION = 10;

/** Rejects when no broker answers. */
export async function topicIdentities(
  pool: BrokerPool,
  topics: readonly string[],
): Promise<TopicIdentity[] | undefined> {
  if ((pool.versions?.[METADATA]?.maxVersion ?? 0) < VERSION) return undefined;
  const buffer = requestOf(topics);
  let problem: unknown;
  // It tries one broker after the other, and says nothing of what went wrong.
  const found = await pool.withBroker(({ broker }) =>
    broker.connectionPool
      .send({
        // What kafkajs takes for its Encoder has both.
        request: {
          apiKey: METADATA,
          apiVersion: VERSION,
          apiName: 'Metadata',
          encode: async () => ({ buf: buffer, buffer }),
        },
        response: { decode: async (payload: Buffer) => decodeIdentities(payload), parse: async (decoded) => decoded },
      })
      .catch((error: unknown) => {
        problem = error;
        throw error;
      }),
  );
  if (found === null) {
    throw new CodedError('KAFKA', `no broker answers when it is asked for the ids of topics (${messageOf(problem)})`, {
      cause: problem,
    });
  }
  return topics.map((topic) => found.find((one) => one.topic === topic) ?? { topic, id: null, partitions: null });
}

/** Header (its tags only) and body. */
export function requestOf(topics: readonly string[]): Buffer {
  const parts: Buffer[] = [NO_TAGS, varint(topics.length + 1)];
  for (const topic of topics) {
    const name = Buffer.from(topic);
    parts.push(Buffer.alloc(16), varint(name.length + 1), name, NO_TAGS);
  }
  // No automatic creation, no authorized operations.
  parts.push(Buffer.from([0, 0, 0]), NO_TAGS);
  return Buffer.concat(parts);
}

const NO_TAGS = Buffer.from([0]);
const NO_ERROR = 0;

/** Topics with an error are left out. Throws CodedError KAFKA for what is no such answer. */
export function decodeIdentities(payload: Buffer): TopicIdentity[] {
  try {
    const read = new Reader(payload);
    read.tags();
    read.skip(4);
    for (let brokers = read.count(); brokers > 0; brokers -= 1) {
      read.skip(4);
      read.text();
      read.skip(4);
      read.text();
      read.tags();
    }
    read.text();
    read.skip(4);
    const found: TopicIdentity[] = [];
    for (let topics = read.count(); topics > 0; topics -= 1) {
      const error = read.int16();
      const topic = read.text();
      const id = read.bytes(16);
      read.skip(1);
      const partitions = read.count();
      for (let each = partitions; each > 0; each -= 1) {
        read.skip(2 + 4 + 4 + 4);
        for (let lists = 3; lists > 0; lists -= 1) read.skip(4 * read.count());
        read.tags();
      }
      read.skip(4);
      read.tags();
      if (error === NO_ERROR) {
        found.push({
          topic,
          id: id.every((byte) => byte === 0) ? null : id.toString('base64url').slice(0, ID_LENGTH),
          partitions,
        });
      }
    }
    return found;
  } catch (error) {
    throw new CodedError('KAFKA', `the answer with the ids of topics cannot be read (${payload.length} bytes)`, {
      cause: error,
    });
  }
}

/** Characters of the 22 of an id: 66 bits, since they travel with every signal. */
const ID_LENGTH = 11;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left >>>= 7) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left & 127) | 128);
  }
}

class Reader {
  #at = 0;
  readonly #buffer: Buffer;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int16(): number {
    return this.bytes(2).readInt16BE();
  }

  /** Of an array or a text; 0 where it is null. */
  count(): number {
    return Math.max(0, this.#varint() - 1);
  }

  text(): string {
    return this.bytes(this.count()).toString();
  }

  tags(): void {
    for (let left = this.#varint(); left > 0; left -= 1) {
      this.#varint();
      this.skip(this.#varint());
    }
  }

  skip(count: number): void {
    this.bytes(count);
  }

  bytes(count: number): Buffer {
    if (this.#at + count > this.#buffer.length) throw new RangeError('it ends too early');
    this.#at += count;
    return this.#buffer.subarray(this.#at - count, this.#at);
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 32; shift += 7) {
      const byte = this.bytes(1)[0]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    throw new RangeError('a number that is too long');
  }
}
