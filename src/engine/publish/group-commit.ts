/**
 * Group commit: forms one transaction out of the requests that wait. Pure.
 *
 * Within a batch, requests are judged by the ledger as it will be after the requests before them. A request that adds
 * nothing, because the very same outputs are in this batch, *rides*: it is answered with the batch and never before
 * (an early answer would acknowledge outputs that a fenced transaction then takes away).
 */
import type { Identified, PublishRequest } from '../workflow/publish-request.ts';
import { CodedError } from '../errors.ts';
import { bytesOf } from '../kafka/port.ts';
import type { OutRecord, RecordHeaders } from '../kafka/port.ts';
import type { LedgerEntries } from './known-ledger.ts';
import { sourceHeaders } from '../workflow/output-headers.ts';
import { encodeLedgerEntry } from './ledger-entry.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { advance, judge } from './ledger.ts';
import type { Verdict } from './ledger.ts';

export interface CommitLimits {
  readonly records: number;
  /** Of the output records; one that is larger goes alone. */
  readonly bytes: number;
}
/** Brokers take about 1 MiB in one request by default. */
export const LIMITS: CommitLimits = { records: 1_000, bytes: 700_000 };
/** After so many failed transactions a request gets one for itself, so that it cannot fail for others. */
const ISOLATE_AFTER = 2;

export interface EncodedOutput {
  readonly key: string | Buffer;
  readonly value: string | Buffer;
  readonly headers?: RecordHeaders;
}
/** Its headers come after those of the publisher. */
export type EncodeOutput<R> = (output: R, key: string) => EncodedOutput;

export interface WaitingRequest {
  readonly request: PublishRequest;
  /** One for each output of the request. */
  readonly records: readonly OutRecord[];
  /** Transactions that failed with this request in them. */
  failures: number;
}

export interface CommitBatch<W> {
  readonly outputs: readonly OutRecord[];
  /** One for each key in the batch. */
  readonly ledger: readonly OutRecord[];
  /** The ledger's entries after the commit. */
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  /** Wholly in this batch, new or riding: answered by the commit. */
  readonly complete: readonly W[];
  /** Of those that are in it from their first output on: which of {@link outputs} that is. */
  readonly begins: ReadonlyMap<W, number>;
  /** Partly in this batch, or to be judged when it is decided: they wait on. */
  readonly unfinished: readonly W[];
  /** In the ledger already: answered now. */
  readonly published: readonly W[];
  /** Stopped before an output that may not be sent now; what comes before it is in this batch. */
  readonly barred: readonly W[];
  /** Gap, stale, divergence. */
  readonly refused: readonly { readonly waiting: W; readonly verdict: RefusedVerdict }[];
  /** Not looked at: for the next batch. */
  readonly left: readonly W[];
}

export interface BatchRules<W> {
  /** Index of the first output of a request that may not be sent now. */
  readonly barredFrom?: (item: W) => number | undefined;
  /** Gets a transaction for itself. */
  readonly alone?: (item: W) => boolean;
  /** Told of each request that is looked at, and of the ledger's entry that it is judged by. */
  readonly onJudged?: (item: W, entry: LedgerEntry | undefined) => void;
}

export type RefusedVerdict = Exclude<Verdict, { type: 'published' } | { type: 'publish' }>;

export function formBatch<W extends WaitingRequest>(
  waiting: readonly W[],
  committed: LedgerEntries,
  limits: CommitLimits = LIMITS,
  { barredFrom = () => undefined, alone = () => false, onJudged = () => undefined }: BatchRules<W> = {},
): CommitBatch<W> {
  const outputs: OutRecord[] = [];
  const entries = new Map<string, LedgerEntry>();
  const complete: W[] = [];
  const begins = new Map<W, number>();
  const unfinished: W[] = [];
  const published: W[] = [];
  const barred: W[] = [];
  const refused: { waiting: W; verdict: RefusedVerdict }[] = [];
  let bytes = 0;
  let index = 0;
  let full = false;

  for (; index < waiting.length && !full; index++) {
    const item = waiting[index] as W;
    const { request } = item;
    const isolated = item.failures >= ISOLATE_AFTER || alone(item);
    if (isolated && outputs.length > 0) break;

    const pending = entries.get(request.key);
    const known = pending ?? committed.get(request.key);
    onJudged(item, known);
    const verdict = judge(known, request);
    if (verdict.type === 'published') {
      if (pending !== undefined && judge(committed.get(request.key), request).type !== 'published') complete.push(item);
      else published.push(item);
      continue;
    }
    if (verdict.type !== 'publish') {
      // What is not committed yet is no ground to refuse anything.
      if (pending === undefined) refused.push({ waiting: item, verdict });
      else unfinished.push(item);
      continue;
    }

    const bar = barredFrom(item) ?? Infinity;
    if (bar <= verdict.from) {
      barred.push(item);
      continue;
    }
    if (verdict.from === 0) begins.set(item, outputs.length);
    let count = verdict.from;
    for (const record of item.records.slice(verdict.from)) {
      if (count >= bar) break;
      const size = bytesOf(record);
      if (outputs.length > 0 && (outputs.length >= limits.records || bytes + size > limits.bytes)) {
        full = true;
        break;
      }
      outputs.push(record);
      bytes += size;
      count += 1;
    }
    if (count === verdict.from) break; // nothing of it fits any more
    entries.set(request.key, advance(known, request, count));
    if (count === request.outputs.length) complete.push(item);
    else (count >= bar ? barred : unfinished).push(item);
    if (isolated) full = true;
  }

  return {
    outputs,
    ledger: [...entries].map(([key, entry]) => ({ key, value: encodeLedgerEntry(entry) })),
    entries,
    complete,
    begins,
    unfinished,
    published,
    barred,
    refused,
    left: waiting.slice(index),
  };
}

/**
 * The output records of a request. `source-*` is the place of the record that an output is of, where there is one. Throws for
 * a header of the encoder that is named like one of the publisher's.
 */
export function recordsOf<R extends Identified>(
  { key: requestKey, incarnation, stream, first, outputs }: PublishRequest<R>,
  encode: EncodeOutput<R>,
): OutRecord[] {
  return outputs.map((output, index) => {
    const { key, value, headers = {} } = encode(output, requestKey);
    const ours: Record<string, string> = {
      incarnation: `${incarnation.startedAt}/${incarnation.runId}`,
      stream,
      seq: String(first + index),
      ...(output.partition >= 0 && sourceHeaders(output)),
    };
    const taken = Object.keys(headers).find((name) => name in ours);
    if (taken !== undefined) {
      throw new CodedError(
        'CONFIG',
        `the encoder of outputs sets the header "${taken}", which is the publisher's own: name it otherwise`,
      );
    }
    return { key, value, headers: { ...ours, ...headers } };
  });
}
