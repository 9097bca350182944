/** What the workflow may ask of the world. Types only: this file is part of the workflow bundle's type check. */
import type { PublishRequest as Request, Stream } from '../src/engine/publish/request.ts';
import type { Incarnation, Output, Run } from '../src/money/domain/types.ts';

export type { Incarnation, Output, Run, Stream };

/** What the publish activity is asked: outputs of this application. */
export type PublishRequest = Request<Output>;

/** What was asked for by the attempt that was answered: a replay may ask for more. */
export interface PublishAnswer {
  readonly signals: number;
}

/** `retry`: no usable answer yet; `given-up`: none, and it was asked for after `giveUpAt`. */
export type LookupOutcome =
  | { readonly sessionId: string; readonly status: 'found'; readonly clientCountryCode: string }
  | { readonly sessionId: string; readonly status: 'not-found' }
  | { readonly sessionId: string; readonly status: 'retry' }
  | { readonly sessionId: string; readonly status: 'given-up' };

export interface LookupRequest {
  readonly sessionIds: readonly string[];
  /** Clock of the Temporal server, epoch ms. Every session is asked for at least once, however late the attempt starts. */
  readonly giveUpAt: number;
}

export interface WatermarkRequest {
  readonly partition: number;
  /** Epoch ms. */
  readonly passes?: number;
  readonly userId?: string;
}

export interface Activities {
  /** Resolves when all outputs are visible to a read_committed reader, whether by this call or an earlier one. */
  publish(request: PublishRequest): Promise<PublishAnswer | void>;
  /** One outcome a session, of some `retry` where the attempt's time was over. Throws (retryable) when all of them are to be asked again. */
  lookupSessions(request: LookupRequest): Promise<LookupOutcome[]>;
  /**
   * The watermark (epoch ms) up to which every record of this partition triple has reached its workflow, or null
   * before there is one. With `passes`: throws (retryable) until it is greater than that. Without `userId` (releases before
   * 0.3.0) it stands while any user of the partition waits.
   */
  readWatermark(request: WatermarkRequest): Promise<number | null>;
}

/** Types of the ApplicationFailures that the activities throw. */
export const FAILURES = {
  /** Not retryable here: this process lost the shard; the workflow task must go to the shard's owner. */
  shardNotOwned: 'ShardNotOwned',
  /** Not retryable: outputs are missing between the ledger and this request. */
  sequenceGap: 'SequenceGap',
  /** Not retryable: a newer life of this workflow has published. */
  staleIncarnation: 'StaleIncarnation',
  /** Not retryable: the ledger holds another record under this sequence number. */
  divergence: 'Divergence',
  /** Not retryable as it is: the workflow was reset. `details[0]`: the last sequence number of the stream, after which it may go on. */
  workflowReset: 'WorkflowReset',
  /** The broker does not take this very output. Not retryable in a local activity: the workflow task is tried again later. */
  outputRefused: 'OutputRefused',
  /** Retryable. */
  publishFailed: 'PublishFailed',
  sessionServiceUnavailable: 'SessionServiceUnavailable',
  /** Retryable: no request to the session service had its time, as when no place for one became free. */
  lookupsBusy: 'LookupsBusy',
  watermarkNotReached: 'WatermarkNotReached',
} as const;
