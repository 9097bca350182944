/** What the publish activity calls, and what is to be seen of the work of a shard. */
import type { Identified, PublishRequest } from '../workflow/publish-request.ts';
import type { OutRecord } from '../kafka/port.ts';
import type { Notice } from './notices.ts';

export interface Publisher<R extends Identified = Identified> {
  /**
   * Resolves when all outputs of the request are committed, by this call or an earlier one; with the offset of the first of
   * them where this call wrote them all, one after the other. Any number of calls at a time, in any order, any of them repeated.
   * Errors (CodedError):
   * SHARD_NOT_OWNED   another process has, or will have, this shard;
   * SEQUENCE_GAP      outputs are missing between the ledger and this request;
   * STALE_INCARNATION a newer incarnation of the key's workflow has published;
   * WORKFLOW_RESET    the workflow was reset: its outputs are to be numbered after the ledger's and published again;
   * DIVERGENCE        the ledger holds another output under this sequence number;
   * OUTPUT_REFUSED    the broker does not take one of the outputs: those before it are published, repeat the request later;
   * KAFKA             not published in time, or not known to be: repeat the request.
   */
  publish(request: PublishRequest<R>): Promise<number | void>;
}

export type ShardEvent =
  /** The shard was taken: its ledger of so many keys was read in so many ms. */
  | { readonly type: 'opened'; readonly shard: number; readonly keys: number; readonly ms: number }
  /** A transaction or an opening failed; the shard is being taken again. */
  | { readonly type: 'reopening'; readonly shard: number; readonly error: unknown }
  | {
      readonly type: 'committed';
      readonly shard: number;
      readonly outputs: number;
      readonly keys: number;
      readonly requests: number;
      /** Keys in the ledger by now. */
      readonly ledgerKeys: number;
      /** Of the outputs, the last one. */
      readonly last: OutRecord;
      readonly ms: number;
    }
  /** A request for what was published before. */
  | { readonly type: 'repeated'; readonly shard: number; readonly requests: number }
  | { readonly type: 'refused'; readonly shard: number; readonly key: string; readonly error: Error }
  /** What a request tells of the life of its workflow. */
  | { readonly type: 'noticed'; readonly shard: number; readonly key: string; readonly notice: Notice }
  /** The broker does not take this output, at its so manieth turn; `held`: such outputs of this shard. */
  | {
      readonly type: 'outputRefused';
      readonly shard: number;
      readonly key: string;
      readonly turns: number;
      readonly held: number;
      readonly error: Error;
    }
  /** One that was held is published after all. */
  | {
      readonly type: 'outputTaken';
      readonly shard: number;
      readonly key: string;
      readonly held: number;
      readonly ms: number;
    }
  | { readonly type: 'lost'; readonly shard: number; readonly error: unknown }
  /** Nothing more comes of this publisher: given back, or lost. */
  | { readonly type: 'closed'; readonly shard: number };
export type OnShardEvent = (event: ShardEvent) => void;
