/**
 * The rules of exactly-once publishing. Per user and stream the sequence numbers are contiguous from 1 in each
 * incarnation, and a record is written only when its number follows the ledger's. Pure.
 *
 * Of the verdicts only `gap` can be wrong when the ledger at hand is an old one (its owner was fenced and does not know
 * it): what an old ledger has, a newer one has too.
 */
import type { Incarnation, PublishRequest, Stream } from '../../activities/contract.ts';
import type { LedgerEntry, Mark } from './ledger-entry.ts';

export type Verdict =
  /** All of it is in the ledger. */
  | { readonly type: 'published' }
  /** `outputs[from]` is the next of its stream. */
  | { readonly type: 'publish'; readonly from: number }
  /** Outputs between `last` and the request are missing. */
  | { readonly type: 'gap'; readonly last: number }
  /** A newer incarnation of the user's workflow has published. */
  | { readonly type: 'stale'; readonly newer: Incarnation }
  /** Another output was published under the sequence number `mark.seq`. */
  | { readonly type: 'divergence'; readonly mark: Mark };

export function judge(entry: LedgerEntry | undefined, request: PublishRequest): Verdict {
  const { incarnation, stream, first, outputs } = request;
  const order = entry === undefined ? 1 : compareIncarnations(incarnation, entry.incarnation);
  if (entry !== undefined && order < 0) return { type: 'stale', newer: entry.incarnation };
  const mark = order === 0 ? entry?.[stream] : undefined;
  const last = mark?.seq ?? 0;

  if (outputs.length === 0) return { type: 'published' };
  if (first > last + 1) return { type: 'gap', last };
  const marked = outputs[last - first];
  if (mark !== undefined && marked !== undefined) {
    if (marked.partition !== mark.partition || marked.offset !== mark.offset) return { type: 'divergence', mark };
  }
  const from = last - first + 1;
  return from >= outputs.length ? { type: 'published' } : { type: 'publish', from };
}

/** The entry after `outputs[0 .. count)` of the request. */
export function advance(entry: LedgerEntry | undefined, request: PublishRequest, count: number): LedgerEntry {
  const { incarnation, stream, first, outputs } = request;
  const output = outputs[count - 1];
  if (output === undefined) throw new RangeError(`a request of ${outputs.length} outputs has no output ${count - 1}`);
  const mark: Mark = { seq: first + count - 1, partition: output.partition, offset: output.offset };
  const same = entry !== undefined && compareIncarnations(incarnation, entry.incarnation) === 0;
  const other = same ? entry[otherStream(stream)] : undefined;
  return { incarnation, [stream]: mark, ...(other === undefined ? {} : { [otherStream(stream)]: other }) };
}

/** Negative: `a` is the older life. Lives that began in the same millisecond are put in order by their run id. */
export function compareIncarnations(a: Incarnation, b: Incarnation): number {
  if (a.startedAt !== b.startedAt) return a.startedAt - b.startedAt;
  return a.runId < b.runId ? -1 : a.runId > b.runId ? 1 : 0;
}

function otherStream(stream: Stream): Stream {
  return stream === 'applied' ? 'resolved' : 'applied';
}
