/**
 * What an operator of the brokers does and sees: leaders, replicas, settings of topics, coordinators. In Kafka's own
 * protocol; each question goes to the first broker that answers, which hands it on to the controller where that decides.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { compactArray, compactString, createWire, int32, int8, NO_TAGS, NULL } from './wire.ts';
import type { Fields } from './wire.ts';

export const OFFSETS = '__consumer_offsets';
export const TRANSACTIONS = '__transaction_state';
export const INTERNAL: readonly string[] = [OFFSETS, TRANSACTIONS];

export interface Partition {
  readonly topic: string;
  readonly partition: number;
  /** Index of the broker; -1: none. */
  readonly leader: number;
  /** Indices of brokers, the preferred leader first. */
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface Cluster {
  partitions(topics: readonly string[]): Promise<Partition[]>;
  /** Replicas, the preferred leader first, of each; then that one leads, where it can. */
  place(replicas: readonly Pick<Partition, 'topic' | 'partition' | 'replicas'>[]): Promise<void>;
  /** `undefined`: as the broker has it. */
  setting(topic: string, name: string, value: string | undefined): Promise<void>;
  close(): void;
}

const METADATA = { api: 3, version: 9 };
const ELECT = { api: 43, version: 2 };
const REASSIGN = { api: 45, version: 0 };
const CONFIGURE = { api: 44, version: 1 };
const TIMEOUT_MS = 10_000;
/** ms in which a cluster that has just lost a broker finds a controller again */
const PATIENCE = 30_000;
const POLL = 200;
/** The one in charge is the leader already; there is no reassignment to make; there is no preferred leader in sync. */
const HARMLESS = new Set([84, 85, 80]);
const NONE = 0;
const TOPIC = 2;
const SET = 0;
const DELETE = 1;

export function createCluster(ports: readonly number[]): Cluster {
  const wires = ports.map((port) => createWire(port));

  /** Again and again, of one broker after the other, until one of them agrees. */
  const ask = async <T>(
    { api, version }: { api: number; version: number },
    body: Buffer,
    read: (fields: Fields) => T,
  ): Promise<T> => {
    const until = Date.now() + PATIENCE;
    for (let turn = 0; ; turn += 1) {
      try {
        return read(await wires[turn % wires.length]!.ask(api, version, body, TIMEOUT_MS));
      } catch (error) {
        if (Date.now() > until) throw error;
        await sleep(POLL);
      }
    }
  };
  const byTopic = <T extends { readonly topic: string }>(rows: readonly T[], item: (row: T) => Buffer): Buffer =>
    compactArray(
      [...new Set(rows.map(({ topic }) => topic))].map((topic) =>
        Buffer.concat([
          compactString(topic),
          compactArray(rows.filter((row) => row.topic === topic).map(item)),
          NO_TAGS,
        ]),
      ),
    );
  const nodes = (indices: readonly number[]): Buffer => compactArray(indices.map((index) => int32(index + 1)));

  return {
    partitions: (topics) =>
      ask(
        METADATA,
        Buffer.concat([
          compactArray(topics.map((topic) => Buffer.concat([compactString(topic), NO_TAGS]))),
          int8(0),
          int8(0),
          int8(0),
          NO_TAGS,
        ]),
        partitionsOf,
      ),
    async place(rows) {
      const row = ({ partition, replicas }: (typeof rows)[number]): Buffer =>
        Buffer.concat([int32(partition), nodes(replicas), NO_TAGS]);
      await ask(REASSIGN, Buffer.concat([int32(TIMEOUT_MS), byTopic(rows, row), NO_TAGS]), placed);
      await ask(
        ELECT,
        Buffer.concat([int8(0), byTopic(rows, ({ partition }) => int32(partition)), int32(TIMEOUT_MS), NO_TAGS]),
        elected,
      );
    },
    async setting(topic, name, value) {
      const change = Buffer.concat([
        compactString(name),
        int8(value === undefined ? DELETE : SET),
        value === undefined ? NULL : compactString(value),
        NO_TAGS,
      ]);
      const resource = Buffer.concat([int8(TOPIC), compactString(topic), compactArray([change]), NO_TAGS]);
      await ask(CONFIGURE, Buffer.concat([compactArray([resource]), int8(0), NO_TAGS]), configured);
    },
    close: () => wires.forEach((wire) => wire.close()),
  };
}

/**
 * One broker leads a partition in all topics, so that the loss of a broker is a fault of some partitions and not of all;
 * the internal topics are led by the preferred ones.
 */
export async function lineUp(cluster: Cluster, topics: readonly string[], brokers: number): Promise<void> {
  if (brokers === 1) return;
  const inTurn = (first: number): number[] => Array.from({ length: brokers }, (_, index) => (first + index) % brokers);
  const rows = await cluster.partitions(topics);
  await cluster.place([
    ...rows.map(({ topic, partition }) => ({ topic, partition, replicas: inTurn(partition % brokers) })),
    ...(await cluster.partitions(INTERNAL)),
  ]);
}

/** The partition of an internal topic that coordinates a group or a transactional id: Java's hash of its name. */
export function coordinatorPartition(id: string, partitions: number): number {
  let hash = 0;
  for (const unit of id) hash = (Math.imul(31, hash) + unit.charCodeAt(0)) | 0;
  return (hash === -(2 ** 31) ? 0 : Math.abs(hash)) % partitions;
}

function partitionsOf(fields: Fields): Partition[] {
  fields.int32(); // throttle time
  fields.array(() => {
    fields.int32();
    fields.string();
    fields.int32();
    fields.string();
    fields.tags();
  });
  fields.string(); // cluster id
  fields.int32(); // controller
  const list = (): number[] => fields.array(() => fields.int32() - 1);
  return fields
    .array(() => {
      accept(fields.int16());
      const topic = fields.string();
      fields.int8();
      const rows = fields.array(() => {
        fields.int16(); // of one without a leader
        const partition = fields.int32();
        const node = fields.int32();
        fields.int32(); // leader epoch
        const [replicas, inSync] = [list(), list()];
        list(); // offline
        fields.tags();
        return { topic, partition, leader: node < 0 ? -1 : node - 1, replicas, inSync };
      });
      fields.int32();
      fields.tags();
      return rows;
    })
    .flat();
}

function placed(fields: Fields): void {
  fields.int32(); // throttle time
  accept(fields.int16());
  fields.string();
  results(fields, () => fields.int32());
}

function elected(fields: Fields): void {
  fields.int32(); // throttle time
  accept(fields.int16());
  results(fields, () => fields.int32());
}

function results(fields: Fields, partition: () => void): void {
  fields.array(() => {
    fields.string();
    fields.array(() => {
      partition();
      accept(fields.int16(), fields.string());
      fields.tags();
    });
    fields.tags();
  });
}

function configured(fields: Fields): void {
  fields.int32(); // throttle time
  fields.array(() => {
    accept(fields.int16(), fields.string());
    fields.int8();
    fields.string();
    fields.tags();
  });
}

function accept(code: number, message = ''): void {
  if (code !== NONE && !HARMLESS.has(code)) throw new Error(`the broker answers with error ${code} ${message}`.trim());
}
