/**
 * The rules of exactly-once publishing. Per key and stream the sequence numbers are contiguous from 1 in each
 * incarnation, and a record is written only when its number follows the ledger's. Pure.
 *
 * A reset takes a workflow back, under the same incarnation. What it publishes of the signals alone is the same again, and
 * absorbed. What came of timers and answers may come in another order: its numbers then go on after the ledger's, so that
 * nothing is lost, and what had come out since the place of the reset may come out twice.
 *
 * Of the verdicts only `gap` can be wrong when the ledger at hand is an old one (its owner was fenced and does not know
 * it): what an old ledger has, a newer one has too.
 */
import type { Incarnation, LedgerEntry, Mark, Run } from '../workflow/ledger-types.ts';
import type { PublishRequest, Stream } from '../workflow/publish-request.ts';

export type Verdict =
  /** All of it is in the ledger. */
  | { readonly type: 'published' }
  /** `outputs[from]` is the next of its stream. */
  | { readonly type: 'publish'; readonly from: number }
  /** Outputs between `last` and the request are missing. */
  | { readonly type: 'gap'; readonly last: number }
  /** A newer incarnation of the key's workflow has published. */
  | { readonly type: 'stale'; readonly newer: Incarnation }
  /** Another output was published under the sequence number `mark.seq`. */
  | { readonly type: 'divergence'; readonly mark: Mark }
  /** The workflow was reset, and its outputs may be others now: it has to number them from `last + 1` on. */
  | { readonly type: 'reset'; readonly last: number };

export function judge(entry: LedgerEntry | undefined, request: PublishRequest): Verdict {
  const { incarnation, stream, first, outputs } = request;
  const order = entry === undefined ? 1 : compareIncarnations(incarnation, entry.incarnation);
  if (entry !== undefined && order < 0) return { type: 'stale', newer: entry.incarnation };
  const mark = order === 0 ? entry?.[stream] : undefined;
  const last = mark?.seq ?? 0;

  if (outputs.length === 0) return { type: 'published' };
  if (first > last + 1) return { type: 'gap', last };
  const marked = outputs[last - first];
  // What a run has published and another one asks for again was not acknowledged, so it ends with the last that is published.
  const endsBefore = marked === undefined && byAnother(mark?.run, request.run);
  const wasReset = mark !== undefined && first <= last && (isReset(mark.run, request.run) || endsBefore);
  if (wasReset && stream === 'resolved') return { type: 'reset', last };
  if (mark !== undefined && marked !== undefined) {
    if (marked.partition !== mark.partition || marked.offset !== mark.offset) {
      return wasReset || byAnother(mark.run, request.run) ? { type: 'reset', last } : { type: 'divergence', mark };
    }
  }
  const from = last - first + 1;
  return from >= outputs.length ? { type: 'published' } : { type: 'publish', from };
}

/** The entry after `outputs[0 .. count)` of the request. */
export function advance(entry: LedgerEntry | undefined, request: PublishRequest, count: number): LedgerEntry {
  const { incarnation, stream, first, outputs } = request;
  const output = outputs[count - 1];
  if (output === undefined) throw new RangeError(`a request of ${outputs.length} outputs has no output ${count - 1}`);
  const { run } = request;
  const mark: Mark = {
    seq: first + count - 1,
    partition: output.partition,
    offset: output.offset,
    ...(run === undefined ? {} : { run }),
  };
  const same = entry !== undefined && compareIncarnations(incarnation, entry.incarnation) === 0;
  const other = same ? entry[otherStream(stream)] : undefined;
  return { incarnation, [stream]: mark, ...(other === undefined ? {} : { [otherStream(stream)]: other }) };
}

/** Whether the run that asks came of a reset, seen from the one that published last. */
export function isReset(published: Run | undefined, asks: Run | undefined): boolean {
  if (published === undefined || asks === undefined) return false;
  return asks.number < published.number || (asks.number === published.number && asks.id !== published.id);
}

/** A run that came of a reset may have continued as new beyond the number of the one that published last: then their outputs tell. */
function byAnother(published: Run | undefined, asks: Run | undefined): boolean {
  return published !== undefined && asks !== undefined && published.id !== asks.id;
}

/** Negative: `a` is the older life. Lives that began in the same millisecond are put in order by their run id. */
export function compareIncarnations(a: Incarnation, b: Incarnation): number {
  if (a.startedAt !== b.startedAt) return a.startedAt - b.startedAt;
  return a.runId < b.runId ? -1 : a.runId > b.runId ? 1 : 0;
}

function otherStream(stream: Stream): Stream {
  return stream === 'applied' ? 'resolved' : 'applied';
}
