/** Committed offsets of the groups, as they lie on disk. Those of a transaction appear with its marker. */
import type { TopicPartition } from '../../../src/engine/kafka/port.ts';
import type { TransactionOutcome } from './partition.ts';

export interface GroupOffset extends TopicPartition {
  readonly offset: number;
  readonly metadata: string;
}

export class GroupOffsets {
  readonly #committed = new Map<string, Map<string, GroupOffset>>();
  readonly #pending = new Map<TransactionOutcome, { readonly groupId: string; readonly offset: GroupOffset }[]>();

  of(groupId: string): readonly GroupOffset[] {
    return [...(this.#committed.get(groupId)?.values() ?? [])];
  }

  find(groupId: string, { topic, partition }: TopicPartition): GroupOffset | undefined {
    return this.#committed.get(groupId)?.get(`${topic}/${partition}`);
  }

  commit(groupId: string, offset: GroupOffset): void {
    let group = this.#committed.get(groupId);
    if (group === undefined) this.#committed.set(groupId, (group = new Map()));
    group.set(`${offset.topic}/${offset.partition}`, offset);
  }

  /** The topic is deleted. */
  forget(topic: string): void {
    for (const group of this.#committed.values()) {
      for (const [key, offset] of group) if (offset.topic === topic) group.delete(key);
    }
  }

  /** Whether the transaction has offsets here and no marker yet. */
  isOpen(transaction: TransactionOutcome): boolean {
    return this.#pending.has(transaction);
  }

  add(transaction: TransactionOutcome, groupId: string, offsets: readonly GroupOffset[]): void {
    const pending = this.#pending.get(transaction) ?? [];
    this.#pending.set(transaction, pending);
    for (const offset of offsets) pending.push({ groupId, offset });
  }

  mark(transaction: TransactionOutcome): void {
    const pending = this.#pending.get(transaction) ?? [];
    this.#pending.delete(transaction);
    if (transaction.state === 'committed') for (const { groupId, offset } of pending) this.commit(groupId, offset);
  }
}
