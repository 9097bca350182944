/**
 * Looks at the brokers' transactions (ListTransactions v0, DescribeTransactions v0): whether a fault hits an open one is
 * seen here and not guessed. Each broker tells of those that it coordinates.
 */
import { compactArray, compactString, createWire, NO_TAGS } from './wire.ts';
import type { Fields, Wire } from './wire.ts';

const LIST = 66;
const DESCRIBE = 65;

export interface OpenTransaction {
  readonly transactionalId: string;
  /** epoch ms, of the broker; with the id it names the transaction. */
  readonly startedAt: number;
  readonly epoch: number;
  /** Topics that it has touched. */
  readonly topics: readonly string[];
  /** Index of the broker that coordinates it. */
  readonly broker: number;
}

export interface BrokerEye {
  /** Transactions that are open now, as far as brokers answer. Errors: when none does. */
  open(): Promise<OpenTransaction[]>;
  /** Errors: when any broker does not answer. */
  openEverywhere(): Promise<OpenTransaction[]>;
  close(): void;
}

export function createBrokerEye(ports: readonly number[]): BrokerEye {
  const wires = ports.map((port) => createWire(port));
  const look = (): Promise<OpenTransaction[]>[] => wires.map((wire, index) => openOf(wire, index));
  return {
    async open() {
      const seen = await Promise.allSettled(look());
      const answers = seen.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      if (answers.length === 0) throw new Error('no broker answers');
      return answers.flat();
    },
    openEverywhere: async () => (await Promise.all(look())).flat(),
    close: () => wires.forEach((wire) => wire.close()),
  };
}

async function openOf(wire: Wire, broker: number): Promise<OpenTransaction[]> {
  const ids = idsOf(
    await wire.ask(LIST, 0, Buffer.concat([compactArray([compactString('Ongoing')]), compactArray([]), NO_TAGS])),
  );
  if (ids.length === 0) return [];
  const rows = describedOf(await wire.ask(DESCRIBE, 0, Buffer.concat([compactArray(ids.map(compactString)), NO_TAGS])));
  return rows.map((row) => ({ ...row, broker }));
}

function idsOf(fields: Fields): string[] {
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

function describedOf(fields: Fields): Omit<OpenTransaction, 'broker'>[] {
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
