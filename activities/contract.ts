/** What the workflow may ask of the world. Part of the workflow bundle: types, and names on the wire. */
import { PUBLISH_FAILURES } from '../src/engine/workflow/publish-failure-types.ts';
import { WATERMARK_NOT_REACHED } from '../src/engine/workflow/entity/names.ts';
import type { PublishAnswer, PublishRequest as Request, Stream } from '../src/engine/workflow/publish-request.ts';
import type { Incarnation } from '../src/engine/workflow/ledger-types.ts';
import type { Output } from '../src/money/domain/types.ts';

export type { Incarnation, Output, Stream };

/** What the publish activity is asked: outputs of this application. Its key is called as in the releases before 0.3.0. */
export type UserPublishRequest = Omit<Request<Output>, 'key'> & { readonly userId: string };

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

interface WatermarkRequest {
  readonly partition: number;
  /** Epoch ms. */
  readonly passes?: number;
  readonly userId?: string;
}

export interface Activities {
  /** Resolves when all outputs are visible to a read_committed reader, whether by this call or an earlier one. */
  publish(request: UserPublishRequest): Promise<PublishAnswer | void>;
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
  ...PUBLISH_FAILURES,
  /** Retryable. */
  sessionServiceUnavailable: 'SessionServiceUnavailable',
  /** Retryable: no request to the session service had its time, as when no place for one became free. */
  lookupsBusy: 'LookupsBusy',
  watermarkNotReached: WATERMARK_NOT_REACHED,
} as const;
