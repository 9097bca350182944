/**
 * Batches that cannot be decoded yet, because what their values mean has to be asked first (a schema registry). Each lane
 * (a partition of a topic) keeps its order: what comes behind a batch that waits waits too. Nobody answering is an
 * outage and never a fault of the records: it is asked again, with back-off, until the answer comes or the reading ends.
 */
import type { Clock } from '../clock.ts';
import type { DecoderSource, ValueDecoder } from '../values/value.ts';
import { CodedError, messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';

export interface WaitingBatchesOptions {
  readonly decoders: DecoderSource;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted: nothing is handed on any more. */
  readonly ended: AbortSignal;
  /** Fetching of a lane is to pause. */
  readonly onWaiting: (lane: string) => void;
  /** All of a lane was handed on. */
  readonly onCaughtUp: (lane: string) => void;
  readonly onFailure: (error: unknown) => void;
}

export type HandOn = (decoder: ValueDecoder) => void;

interface Waiting {
  readonly values: readonly Buffer[];
  readonly handOn: HandOn;
}

/** ms */
const FIRST_BACKOFF = 200;
const MAX_BACKOFF = 5_000;

export class WaitingBatches {
  readonly #options: WaitingBatchesOptions;
  readonly #lanes = new Map<string, Waiting[]>();
  /** Why a lane waits for longer than one question takes. */
  readonly #problems = new Map<string, string>();

  constructor(options: WaitingBatchesOptions) {
    this.#options = options;
  }

  /** Calls `handOn` at once when nothing has to be asked, otherwise later, in the order of the lane. */
  take(lane: string, values: readonly Buffer[], handOn: HandOn): void {
    const queue = this.#lanes.get(lane);
    if (queue !== undefined) {
      queue.push({ values, handOn });
      return;
    }
    const decoder = this.#options.decoders.decoderFor(values);
    if (!(decoder instanceof Promise)) {
      handOn(decoder);
      return;
    }
    const waiting = [{ values, handOn }];
    this.#lanes.set(lane, waiting);
    this.#options.onWaiting(lane);
    this.#work(lane, waiting, decoder).catch((error: unknown) => {
      if (!this.#options.ended.aborted) this.#options.onFailure(error);
    });
  }

  /** What waits there is of no use any more: it will be fetched anew. */
  forget(lane: string): void {
    this.#lanes.delete(lane);
    this.#problems.delete(lane);
  }

  waits(lane: string): boolean {
    return this.#lanes.has(lane);
  }

  /** For people: undefined when nobody waits for an answer that does not come. */
  get problem(): string | undefined {
    const [first] = this.#problems.values();
    return first === undefined ? undefined : `${this.#problems.size} of its partitions wait: ${first}`;
  }

  async #work(lane: string, queue: Waiting[], first: Promise<ValueDecoder>): Promise<void> {
    const { decoders, ended, onCaughtUp } = this.#options;
    let asked: ValueDecoder | Promise<ValueDecoder> = first;
    for (;;) {
      const { values, handOn } = queue[0]!;
      const decoder = await this.#answer(lane, queue, values, asked);
      if (decoder === undefined || ended.aborted || this.#lanes.get(lane) !== queue) return;
      handOn(decoder);
      queue.shift();
      if (queue.length === 0) break;
      asked = decoders.decoderFor(queue[0]!.values);
    }
    this.#lanes.delete(lane);
    onCaughtUp(lane);
  }

  /** Undefined when the reading has ended, or the lane was forgotten. */
  async #answer(
    lane: string,
    queue: readonly Waiting[],
    values: readonly Buffer[],
    asked: ValueDecoder | Promise<ValueDecoder>,
  ): Promise<ValueDecoder | undefined> {
    const { decoders, clock, logger, ended } = this.#options;
    for (let answer = asked, backoff = FIRST_BACKOFF; ; backoff = Math.min(2 * backoff, MAX_BACKOFF)) {
      try {
        const decoder = await answer;
        if (this.#problems.delete(lane)) logger.info({ lane }, 'a partition that waited for schemas goes on');
        return decoder;
      } catch (error) {
        if (!(error instanceof CodedError) || error.code !== 'UNREACHABLE') throw error;
        if (this.#lanes.get(lane) !== queue) return undefined;
        const problem = messageOf(error);
        if (!this.#problems.has(lane)) logger.warn({ lane, error: problem }, 'a partition waits for schemas');
        this.#problems.set(lane, problem);
      }
      await clock.sleep(backoff, ended);
      if (ended.aborted || this.#lanes.get(lane) !== queue) return undefined;
      answer = decoders.decoderFor(values);
    }
  }
}
