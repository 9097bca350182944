/** Runs Reader.java: a read_committed consumer that is not the product's client. */
import { fileURLToPath } from 'node:url';
import { kafkaPrograms } from '../../src/dev/kafka-jars.ts';
import { startChild } from '../../src/dev/processes.ts';
import type { Child } from '../../src/dev/processes.ts';

export interface JavaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** epoch ms */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** As text; a header that is there twice appears once here, its number is `headerCount`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly headerCount: number;
}

/** Of all records without one: an overload has a million of them in memory. */
const NONE = {};

const SOURCE = fileURLToPath(new URL('Reader.java', import.meta.url));

function recordOf(line: string): JavaRecord | 'end' {
  const row = JSON.parse(line) as {
    end?: true;
    topic: string;
    partition: number;
    offset: number;
    timestamp: number;
    key: string | null;
    value: string | null;
    headers: [string, string | null][];
  };
  if (row.end === true) return 'end';
  const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text, 'base64'));
  return {
    topic: row.topic,
    partition: row.partition,
    offset: row.offset,
    timestamp: row.timestamp,
    key: bytes(row.key),
    value: bytes(row.value),
    headers:
      row.headers.length === 0
        ? NONE
        : Object.fromEntries(row.headers.map(([name, value]) => [String(bytes(name)), String(bytes(value))])),
    headerCount: row.headers.length,
  };
}

async function startReader(
  brokers: string,
  mode: 'end' | 'follow',
  topics: readonly string[],
  onLine: (line: string) => void,
  onError: (line: string) => void,
): Promise<Child> {
  const { java, classPath } = await kafkaPrograms({ log: onError });
  const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  return startChild(java, [...jvm, '-cp', classPath, SOURCE, brokers, mode, ...topics], {
    name: 'reader',
    onLine: (line, from) => (from === 'stdout' ? onLine(line) : onError(line)),
  });
}

/** Everything that is in the topics now. Errors: when the reader fails. */
export async function readAll(brokers: string, topics: readonly string[]): Promise<JavaRecord[]> {
  const records: JavaRecord[] = [];
  const errors: string[] = [];
  let complete = false;
  const child = await startReader(
    brokers,
    'end',
    topics,
    (line) => {
      const record = recordOf(line);
      if (record === 'end') complete = true;
      else records.push(record);
    },
    (line) => errors.push(line),
  );
  const { code } = await child.exited;
  if (code !== 0 || !complete) throw new Error(`the reader ended with ${code}: ${errors.slice(-5).join('\n')}`);
  return records;
}

export interface Follower {
  /** Rejects when the reader ends by itself. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** Goes on reading, over outages of the broker, until it is stopped. */
export async function follow(
  brokers: string,
  topics: readonly string[],
  onRecord: (record: JavaRecord) => void,
): Promise<Follower> {
  const errors: string[] = [];
  let stopping = false;
  const child = await startReader(
    brokers,
    'follow',
    topics,
    (line) => {
      const record = recordOf(line);
      if (record !== 'end') onRecord(record);
    },
    (line) => {
      errors.push(line);
      if (errors.length > 20) errors.shift();
    },
  );
  const failed = new Promise<never>((_, reject) => {
    void child.exited.then(({ code }) => {
      if (!stopping) reject(new Error(`the reader ended with ${code}: ${errors.slice(-5).join('\n')}`));
    });
  });
  failed.catch(() => undefined); // whoever waits for it gets it all the same
  return {
    failed,
    async stop() {
      stopping = true;
      await child.stop(1_000);
    },
  };
}
