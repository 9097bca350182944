import type { LogNames } from '../ordering/log-identity.ts';
import type { PlacedEvent, InputOffsets } from '../ordering/decoded.ts';

/** One signal: events of one key, in the order of their application. */
export interface Batch<E = unknown> {
  readonly partition: number;
  /** Every record below was acknowledged. */
  readonly lowWater: InputOffsets;
  /** Names of the logs that the offsets are of; absent where they are not known. */
  readonly logs?: LogNames;
  readonly rules: unknown;
  readonly records: readonly PlacedEvent<E>[];
  readonly key: string;
}

export interface HistoryLength {
  readonly events: number;
  readonly bytes: number;
  /** A workflow task of it is under way or waits: not all that was signalled is applied, perhaps. */
  readonly busy: boolean;
}

/** Where the bridge's signals go. */
export interface Signaller {
  /**
   * Starts the key's workflow if there is none, and signals it. Resolves when the signal is durable; rejects on any
   * doubt, and then the same signal is sent again: a workflow drops what it already has.
   */
  signal(key: string, batch: Batch): Promise<void>;
  /** The history of the key's running workflow; null when there is none. */
  history(key: string): Promise<HistoryLength | null>;
  /**
   * The id of the key's workflow. People are told of it, and a workflow whose signals wait is named by it in what the bridge commits:
   * with another id than the one that its worker knows it by, event time would run ahead of what it still has to get.
   */
  workflowIdOf(key: string): string;
}
