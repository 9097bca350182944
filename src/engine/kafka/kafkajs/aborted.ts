/**
 * Which records of a fetch a read_committed consumer may see: the rule of Kafka's own client. The broker lists the
 * aborted transactions of the fetched range in the order in which they were aborted; a transaction covers the records
 * of its producer from `firstOffset` to its abort marker. Only control records are markers: a data record whose key
 * happens to be four zero bytes is data.
 */
export interface RawRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly isControlRecord?: boolean;
  readonly batchContext: { readonly producerId: string | number; readonly inTransaction: boolean };
}

export interface AbortedTransaction {
  readonly producerId: string | number;
  readonly firstOffset: string;
}

/** Control record key: version int16, type int16 (0 abort, 1 commit). */
const ABORT = 0;

/** `records` in offset order; what is returned still contains the control records. */
export function withoutAborted<R extends RawRecord>(
  records: readonly R[],
  aborted: readonly AbortedTransaction[],
): readonly R[] {
  if (aborted.length === 0) return records;
  const starts = aborted
    .map(({ producerId, firstOffset }) => ({ producer: String(producerId), offset: Number(firstOffset) }))
    .sort((a, b) => a.offset - b.offset);
  const open = new Set<string>();
  let next = 0;

  return records.filter((record) => {
    for (let start = starts[next]; start !== undefined && start.offset <= Number(record.offset); start = starts[next]) {
      open.add(start.producer);
      next += 1;
    }
    const producer = String(record.batchContext.producerId);
    if (record.isControlRecord === true) {
      if (isAbortMarker(record.key)) open.delete(producer);
      return true;
    }
    return !(record.batchContext.inTransaction && open.has(producer));
  });
}

function isAbortMarker(key: Buffer | null): boolean {
  return key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT;
}
