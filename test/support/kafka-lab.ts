/** A real broker for a test: topics of its own, ports that are closed after it, connections that break on purpose. */
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { KafkaConfig } from '../../src/engine/kafka/kafka-config.ts';
import { createClient, openSocket, PATIENT_RETRY, TRANSACTION_RETRY } from '../../src/engine/kafka/kafkajs/client.ts';
import type { SocketFactory } from '../../src/engine/kafka/kafkajs/client.ts';
import { createKafka } from '../../src/engine/kafka/kafkajs/create-kafka.ts';
import type { KafkaJS } from '../../src/engine/kafka/kafkajs/library.ts';
import type {
  GroupHandlers,
  GroupMember,
  JoinOptions,
  KafkaClient,
  KafkaPort,
  RecordBatch,
} from '../../src/engine/kafka/port.ts';
import { explicitPartition } from '../../src/engine/kafka/kafkajs/transactional-producer.ts';
import { silentLogger } from '../../src/engine/log.ts';
import { sharedCluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { createTopics } from './create-topics.ts';

/** Keys of Kafka's protocol. */
export const API = {
  produce: 0,
  addPartitionsToTxn: 24,
  addOffsetsToTxn: 25,
  endTxn: 26,
  txnOffsetCommit: 28,
} as const;

export interface Fault {
  readonly socketFactory: SocketFactory;
  /** The next request of this kind is lost, or its answer; the connection breaks. */
  arm(api: number, lost: 'request' | 'answer'): void;
  /** Whether it has happened. */
  done(): boolean;
}

export function fault(): Fault {
  let armed: { api: number; lost: 'request' | 'answer' } | undefined;
  return {
    arm(api, lost) {
      armed = { api, lost };
    },
    done: () => armed === undefined,
    socketFactory(options) {
      const socket = openSocket(options);
      const write = socket.write.bind(socket) as (data: unknown, ...rest: unknown[]) => boolean;
      socket.write = ((data: unknown, ...rest: unknown[]): boolean => {
        // Size int32, api key int16.
        if (armed === undefined || !Buffer.isBuffer(data) || data.length < 6 || data.readInt16BE(4) !== armed.api) {
          return write(data, ...rest);
        }
        const { lost } = armed;
        armed = undefined;
        if (lost === 'request') {
          socket.destroy(new Error('injected: lost before the request'));
          return false;
        }
        socket.pause();
        setTimeout(() => socket.destroy(new Error('injected: lost before the answer')), 200);
        return write(data, ...rest);
      }) as typeof socket.write;
      return socket;
    },
  };
}

export interface Lab {
  readonly config: KafkaConfig;
  /** A new topic; its name. */
  topic(partitions?: number, settings?: Readonly<Record<string, string>>): Promise<string>;
  port(socketFactory?: SocketFactory): KafkaClient;
  /** A raw transactional producer of kafkajs, which unlike ours can abort. */
  rawProducer(): Promise<KafkaJS.Producer>;
  /** Values that a read_committed reader sees in the partition when every transaction is decided. */
  committed(topic: string, partition?: number): Promise<string[]>;
  /** A new group member that collects what it is given. */
  member(
    port: KafkaPort,
    groupId: string,
    topics: readonly string[],
    handlers?: Partial<GroupHandlers>,
    instance?: JoinOptions['instance'],
  ): Promise<Seen>;
}

export interface Seen {
  readonly member: GroupMember;
  readonly batches: RecordBatch[];
  readonly assignments: (readonly number[])[];
  readonly crashes: Error[];
  values(topic?: string): string[];
}

export async function kafkaLab(t: TestContext): Promise<Lab> {
  const { brokers } = await sharedCluster();
  const config: KafkaConfig = { brokers, ssl: false };
  const logger = silentLogger();
  const client = createClient(config, logger, { retry: PATIENT_RETRY });
  const admin = client.kafka.admin();
  await admin.connect();
  const closing: (() => Promise<unknown>)[] = [];
  t.after(async () => {
    for (const close of closing.reverse()) await close();
    await admin.disconnect();
    client.destroy();
  });

  const lab: Lab = {
    config,
    async topic(partitions = 1, settings = {}) {
      const topic = `t-${randomUUID()}`;
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
      await createTopics(admin, [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }]);
      return topic;
    },
    port(socketFactory) {
      const port = createKafka(config, logger, socketFactory === undefined ? {} : { socketFactory });
      closing.push(() => port.close());
      return port;
    },
    async rawProducer() {
      const own = createClient(config, logger, { retry: TRANSACTION_RETRY });
      const producer = own.kafka.producer({
        transactionalId: `raw-${randomUUID()}`,
        idempotent: true,
        maxInFlightRequests: 1,
        createPartitioner: explicitPartition,
      });
      await producer.connect();
      closing.push(async () => {
        await producer.disconnect();
        own.destroy();
      });
      return producer;
    },
    async committed(topic, partition = 0) {
      const port = createKafka(config, logger);
      try {
        // A broker answers a commit before it has written the markers that make it visible.
        const end = await eventually(`${topic}-${partition} has no open transaction`, async () => {
          const [stable] = await port.endOffsets([{ topic, partition }]);
          const high = (await admin.fetchTopicOffsets(topic)).find((row) => row.partition === partition)?.high;
          return Number(high) === stable?.end && stable.end;
        });
        const values: string[] = [];
        if (end === 0) return values;
        await new Promise<void>((resolve, reject) => {
          const member = port.joinGroup({ groupId: `reader-${randomUUID()}`, topics: [topic] });
          const onRecords = async (batch: RecordBatch): Promise<void> => {
            if (batch.partition !== partition) return;
            values.push(...batch.records.map(({ value }) => String(value)));
            if (batch.next >= end) resolve();
          };
          member.start({ onAssigned: async () => undefined, onRecords, onCrash: reject }).catch(reject);
        });
        return values;
      } finally {
        await port.close();
      }
    },
    async member(port, groupId, topics, handlers = {}, instance) {
      const seen: Seen = {
        member: port.joinGroup({ groupId, topics, ...(instance && { instance }) }),
        batches: [],
        assignments: [],
        crashes: [],
        values: (topic) =>
          seen.batches
            .filter((batch) => topic === undefined || batch.topic === topic)
            .flatMap(({ records }) => records.map(({ value }) => String(value))),
      };
      await seen.member.start({
        async onAssigned(partitions, kept) {
          seen.assignments.push(partitions);
          await handlers.onAssigned?.(partitions, kept);
        },
        async onRecords(batch) {
          seen.batches.push(batch);
          await handlers.onRecords?.(batch);
        },
        onCrash: (error) => void seen.crashes.push(error),
      });
      return seen;
    },
  };
  return lab;
}

export function uniqueId(prefix: string): string {
  return `${prefix}-${randomUUID()}`;
}
