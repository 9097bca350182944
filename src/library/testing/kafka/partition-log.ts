/** The log of one partition in memory, with the transactions that its records are of. */
import type { RecordHeaders } from '../../../engine/kafka/port.ts';

export interface StoredRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** All values of a header that occurs several times. */
  readonly allHeaders: RecordHeaders;
}

export interface Txn {
  state: 'open' | 'committed' | 'aborted';
  readonly touched: Set<PartitionLog>;
  readonly offsets: { group: string; key: string; offset: number; metadata: string }[];
}
interface Entry {
  readonly record: StoredRecord | null; // null: a transaction marker
  readonly txn: Txn | null;
}
export class PartitionLog {
  readonly entries: Entry[] = [];
  /** First offset that is still there. */
  start = 0;
  /** Requests for it are not answered. */
  leaderless = false;

  get lastStable(): number {
    const open = this.entries.findIndex(({ txn }) => txn?.state === 'open');
    return open < 0 ? this.entries.length : open;
  }
}
