import type { DeadLetterReason } from '../codec/dead-letter.ts';
import type { Limits } from '../codec/decode.ts';
import type { Rules } from '../domain/events.ts';
import type { InputIndex } from './watermark.ts';

export interface BridgeSettings {
  readonly appId: string;
  readonly groupId: string;
  /** Indexed like INPUTS. */
  readonly inputTopics: readonly [string, string, string];
  readonly deadLetterTopic: string;
  readonly deadLetterPartitions: number;
  readonly outOfOrderness: number;
  readonly idleTimeout: number;
  readonly limits: Limits;
  readonly rules: Rules;
}

/** What happens, for metrics. */
export interface BridgeObserver {
  read(input: InputIndex, records: number): void;
  deadLettersWritten(reasons: readonly DeadLetterReason[]): void;
  /** So many dead letters lack something of their records, which no batch of their topic could carry. */
  deadLettersCut(letters: number): void;
  /** A late record was signalled. */
  late(): void;
  signalled(events: number): void;
  signalFailed(): void;
  committed(): void;
  /** So many offsets of an input went from its log before they were read. */
  recordsLost?(input: InputIndex, offsets: number): void;
}
