/**
 * The transaction coordinator, and what partition leaders know of transactional producers: the first version of the
 * protocol, which is what kafkajs speaks. What is kept here lies on disk and survives a restart of the broker.
 *
 * Of one transactional id:  empty -> open -> committing | aborting -> empty. A decision (EndTxn, a fence, a time-out) is
 * answered at once; the markers are written one place after the other, a moment later. Until all are, the id takes
 * part in nothing new: who asks waits.
 */
import type { OutRecord } from '../../../src/engine/kafka/port.ts';
import type { Scheduled, Scheduler } from '../kernel/scheduler.ts';
import { Refusal } from './answers.ts';
import type { KafkaCounts } from './answers.ts';
import type { GroupOffset, GroupOffsets } from './group-offsets.ts';
import type { SimPartition } from './partition.ts';

/** ms between two looks of the coordinator for transactions that are open too long. */
const TIMEOUT_CHECK = 10_000;
/** ms until a marker is written: mostly few. */
const MARKER_DELAY = 60;
/** ms until a marker is tried again that its partition did not take. */
const MARKER_RETRY = 500;

/** What a producer was given by InitProducerId. */
export interface Holder {
  readonly id: string;
  readonly epoch: number;
}

interface Transaction {
  state: 'open' | 'committed' | 'aborted';
  /** Of the holder that began it. */
  readonly epoch: number;
  readonly partitions: Set<SimPartition>;
  offsets: boolean;
  readonly timeout: Scheduled;
}

interface Id {
  readonly name: string;
  epoch: number;
  state: 'empty' | 'open' | 'deciding';
  transaction: Transaction | undefined;
  /** How the last transaction of this epoch ended: a repeated EndTxn is answered by it. */
  last: 'committed' | 'aborted' | undefined;
  /** Markers to be written yet. */
  markers: Set<() => void>;
  /** Wait for the markers. */
  waiting: (() => void)[];
  /** By partition: what was appended last by this epoch, so that a repeated request appends nothing. */
  readonly appended: Map<SimPartition, { readonly epoch: number; readonly sequence: number; readonly offset: number }>;
}

export class Transactions {
  readonly #scheduler: Scheduler;
  readonly #counts: KafkaCounts;
  readonly #offsets: GroupOffsets;
  readonly #timeout: number;
  readonly #ids = new Map<string, Id>();
  #up = true;

  /** `timeout`: ms after which an open transaction is aborted. */
  constructor(scheduler: Scheduler, counts: KafkaCounts, offsets: GroupOffsets, timeout: number) {
    this.#scheduler = scheduler;
    this.#counts = counts;
    this.#offsets = offsets;
    this.#timeout = timeout;
  }

  stop(): void {
    this.#up = false;
    for (const id of this.#ids.values()) id.waiting = [];
  }

  /** Decisions are on disk: their markers are written now. */
  start(): void {
    this.#up = true;
    for (const id of this.#ids.values()) for (const write of id.markers) this.#writeSoon(write);
  }

  isOpen({ id, epoch }: Holder): boolean {
    const found = this.#ids.get(id);
    return found?.epoch === epoch && found.state === 'open';
  }

  /** InitProducerId: answered when nothing of an earlier holder is undecided or invisible. */
  async init(name: string): Promise<Holder> {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = {
        name,
        epoch: -1,
        state: 'empty',
        transaction: undefined,
        last: undefined,
        markers: new Set(),
        waiting: [],
        appended: new Map(),
      };
      this.#ids.set(name, id);
    }
    while (id.state !== 'empty') {
      if (id.state === 'open') {
        this.#counts.abortedByFence += 1;
        id.epoch += 1;
        this.#decide(id, 'aborted');
      }
      await this.#markersOf(id);
    }
    id.epoch += 1;
    id.last = undefined;
    this.#scheduler.trace.add('kafka', () => `${name} is taken, epoch ${id.epoch}`);
    return { id: name, epoch: id.epoch };
  }

  /** AddPartitionsToTxn. Begins the transaction if there is none. */
  addPartition(holder: Holder, partition: SimPartition): Promise<void> {
    return this.#join(holder, (transaction) => void transaction.partitions.add(partition));
  }

  /** AddOffsetsToTxn. */
  addOffsets(holder: Holder): Promise<void> {
    return this.#join(holder, (transaction) => void (transaction.offsets = true));
  }

  /** The offset of the first record. `sequence`: counts the requests of this holder for this partition. */
  produce(holder: Holder, partition: SimPartition, sequence: number, records: readonly OutRecord[]): number {
    const id = this.#ids.get(holder.id)!;
    const before = id.appended.get(partition);
    if (before !== undefined && before.epoch === holder.epoch && sequence <= before.sequence) return before.offset;
    const transaction = this.#participating(
      id,
      holder,
      (open) => partition.isOpen(open),
      (open) => open.partitions.has(partition),
    );
    const [offset = partition.end] = records.map((record) =>
      partition.append(record, transaction, this.#scheduler.now),
    );
    id.appended.set(partition, { epoch: holder.epoch, sequence, offset });
    return offset;
  }

  commitOffsets(holder: Holder, groupId: string, offsets: readonly GroupOffset[]): void {
    const id = this.#ids.get(holder.id)!;
    const transaction = this.#participating(
      id,
      holder,
      (open) => this.#offsets.isOpen(open),
      (open) => open.offsets,
    );
    this.#offsets.add(transaction, groupId, offsets);
  }

  /** EndTxn: decided when it returns. */
  end(holder: Holder, outcome: 'committed' | 'aborted'): void {
    const id = this.#current(holder);
    if (id.state === 'open') this.#decide(id, outcome);
    else if (id.last !== outcome) throw new Refusal('INVALID_TXN_STATE');
    else if (id.state === 'deciding') throw new Refusal('CONCURRENT_TRANSACTIONS');
  }

  #current({ id: name, epoch }: Holder): Id {
    const id = this.#ids.get(name)!;
    if (id.epoch !== epoch) {
      this.#counts.zombieWritesRefused += 1;
      throw new Refusal('INVALID_PRODUCER_EPOCH');
    }
    return id;
  }

  async #join(holder: Holder, add: (transaction: Transaction) => void): Promise<void> {
    const id = this.#current(holder);
    while (id.state === 'deciding') await this.#markersOf(id);
    this.#current(holder);
    if (id.transaction === undefined) {
      const late = this.#timeout + this.#scheduler.random.below(TIMEOUT_CHECK);
      const timeout = this.#scheduler.after(late, null, () => this.#expire(id, transaction));
      const transaction: Transaction = {
        state: 'open',
        epoch: id.epoch,
        partitions: new Set(),
        offsets: false,
        timeout,
      };
      id.transaction = transaction;
      id.state = 'open';
    }
    add(id.transaction);
  }

  /**
   * The leader of a partition that holds something of the transaction takes more of it until its marker comes, whatever
   * the coordinator has decided meanwhile; otherwise it asks the coordinator.
   */
  #participating(
    id: Id,
    holder: Holder,
    isOpen: (open: Transaction) => boolean,
    isIn: (open: Transaction) => boolean,
  ): Transaction {
    const { transaction } = id;
    if (transaction?.epoch === holder.epoch && isOpen(transaction)) return transaction;
    this.#current(holder);
    if (id.state !== 'open' || transaction === undefined || !isIn(transaction)) throw new Refusal('INVALID_TXN_STATE');
    return transaction;
  }

  #expire(id: Id, transaction: Transaction): void {
    if (id.transaction !== transaction || id.state !== 'open') return;
    if (!this.#up) {
      this.#scheduler.after(TIMEOUT_CHECK, null, () => this.#expire(id, transaction));
      return;
    }
    this.#counts.abortedByTimeout += 1;
    id.epoch += 1;
    this.#decide(id, 'aborted');
  }

  #decide(id: Id, outcome: 'committed' | 'aborted'): void {
    const transaction = id.transaction!;
    transaction.timeout.cancel();
    transaction.state = outcome;
    id.state = 'deciding';
    id.last = outcome;
    this.#counts[outcome === 'committed' ? 'transactionsCommitted' : 'transactionsAborted'] += 1;
    this.#scheduler.trace.add('kafka', () => `transaction of ${id.name} ${outcome}, epoch ${id.epoch}`);
    for (const partition of transaction.partitions) {
      this.#marker(
        id,
        () => partition.refusal === undefined,
        () => partition.mark(transaction),
      );
    }
    if (transaction.offsets) {
      this.#marker(
        id,
        () => true,
        () => this.#offsets.mark(transaction),
      );
    }
    for (const write of id.markers) this.#writeSoon(write);
  }

  /** `taken`: whether the partition takes it now; until then it is tried again. */
  #marker(id: Id, taken: () => boolean, mark: () => void): void {
    const write = (): void => {
      if (!this.#up || !id.markers.has(write)) return;
      if (!taken()) {
        this.#scheduler.after(MARKER_RETRY, null, write);
        return;
      }
      id.markers.delete(write);
      mark();
      if (id.markers.size > 0) return;
      id.transaction = undefined;
      id.state = 'empty';
      const waiting = id.waiting;
      id.waiting = [];
      for (const go of waiting) go();
    };
    id.markers.add(write);
  }

  #writeSoon(write: () => void): void {
    this.#scheduler.after(1 + this.#scheduler.skewed() * MARKER_DELAY, null, write);
  }

  #markersOf(id: Id): Promise<void> {
    return new Promise((resolve) => id.waiting.push(resolve));
  }
}
