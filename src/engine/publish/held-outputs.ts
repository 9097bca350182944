/**
 * Outputs that the broker does not take, of one shard: larger than its topic takes, or against a policy. Each holds up what
 * follows it in its own stream of its own key, and nothing else: until its next turn it is in no transaction. Its turns come with a
 * growing back-off, each in a transaction of its own. Forgotten with the shard: whoever has it next meets it once more.
 */
import type { PublishRequest } from '../workflow/publish-request.ts';
import type { Clock } from '../clock.ts';
import type { CodedError } from '../errors.ts';

/** ms until the next turn */
const BACK_OFF = { first: 2_000, factor: 4, last: 120_000 };
/** ms after its turn without a request: its workflow is gone, or began a new life. */
const FORGOTTEN = 3_600_000;

export interface HeldOutput {
  /** Sequence number of the output. */
  readonly seq: number;
  readonly error: CodedError;
  /** `elapsed()` of the clock, since it was refused first. */
  readonly since: number;
  readonly turns: number;
  readonly until: number;
}

export class HeldOutputs {
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #holds = new Map<string, HeldOutput>();

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#holds.size;
  }

  of(request: PublishRequest): HeldOutput | undefined {
    return this.#holds.get(keyOf(request));
  }

  /** Whether it must not be sent now. */
  isBarred({ until }: HeldOutput): boolean {
    return this.#clock.elapsed() < until;
  }

  /** Output `seq` of the stream of this request was refused. */
  refuse(request: PublishRequest, seq: number, error: CodedError): HeldOutput {
    const now = this.#clock.elapsed();
    const before = this.of(request);
    const { since, turns } = before?.seq === seq ? before : { since: now, turns: 0 };
    const hold = {
      seq,
      error,
      since,
      turns: turns + 1,
      until: now + Math.min(BACK_OFF.last, BACK_OFF.first * BACK_OFF.factor ** turns),
    };
    this.#holds.set(keyOf(request), hold);
    for (const [key, { until }] of this.#holds) if (now - until > FORGOTTEN) this.#holds.delete(key);
    return hold;
  }

  /** All outputs of this stream up to `seq` are published. The hold that ended with it. */
  published(request: PublishRequest, seq: number): HeldOutput | undefined {
    const hold = this.of(request);
    if (hold === undefined || seq < hold.seq) return undefined;
    this.#holds.delete(keyOf(request));
    return hold;
  }
}

function keyOf({ key, incarnation, stream }: PublishRequest): string {
  return `${key}/${stream}/${incarnation.startedAt}/${incarnation.runId}`;
}
