/**
 * Asks for the ends of the logs: at short intervals while reading waits for them, otherwise often enough to notice silence.
 * All triples are asked for together; one whose ends are not told is asked for alone, with back-off, until they are, and
 * holds up the others no more.
 */
import type { Clock } from '../clock.ts';
import { messageOf, isFatal } from '../errors.ts';
import type { KafkaPort } from '../kafka/port.ts';
import type { TripleRunner } from './triple-runner.ts';
import type { Waits } from './waits.ts';
import type { InputIndex } from '../ordering/watermark.ts';

export interface LogEndsDeps {
  readonly kafka: Pick<KafkaPort, 'endOffsets'>;
  readonly clock: Clock;
  readonly waits: Waits;
  readonly ended: AbortSignal;
  /** ms */
  readonly idleTimeout: number;
  /** Those that this member has now. */
  readonly runners: () => readonly TripleRunner[];
  readonly onEnd: (runner: TripleRunner, input: InputIndex, start: number, end: number, at: number) => void;
  /** Some were told. */
  readonly onAnswer: () => void;
  /** What no retry can mend. */
  readonly onFailure: (error: unknown) => void;
}

/** ms */
const ASK_INTERVAL = 50;
const RELAXED = 1_000;
/** ms that an answer about all is waited for. */
const TOGETHER = 2_000;
const FIRST_BACKOFF = 200;
const MAX_BACKOFF = 2_000;

interface Doubt {
  notBefore: number;
  backoff: number;
  asking: boolean;
}

export class LogEnds {
  readonly #deps: LogEndsDeps;
  readonly #doubts = new Map<TripleRunner, Doubt>();

  constructor(deps: LogEndsDeps) {
    this.#deps = deps;
  }

  /** Until the membership ends. */
  async run(): Promise<void> {
    const { clock, ended, idleTimeout, runners } = this.#deps;
    const relaxed = Math.max(ASK_INTERVAL, Math.min(RELAXED, idleTimeout / 5));
    let lastAll = -Infinity;
    while (!ended.aborted) {
      const at = clock.elapsed();
      const all = at - lastAll >= relaxed;
      const asking = runners().filter(
        (runner) => !this.#doubts.has(runner) && runner.taken !== undefined && (all || runner.taken.triple.blocked),
      );
      if (all) lastAll = at;
      if (asking.length > 0) await this.#askTogether(asking, at);
      for (const [runner, doubt] of this.#doubts) {
        if (runner.over) this.#doubts.delete(runner);
        else if (!doubt.asking && doubt.notBefore <= at) void this.#askAlone(runner, doubt);
      }
      await clock.sleep(ASK_INTERVAL, ended);
    }
  }

  async #askTogether(runners: readonly TripleRunner[], at: number): Promise<void> {
    const { clock, ended } = this.#deps;
    const answered = new AbortController();
    const late = clock.sleep(TOGETHER, answered.signal).then(() => {
      if (!answered.signal.aborted && !ended.aborted) {
        for (const runner of runners) this.#doubt(runner, `no answer within ${TOGETHER} ms`);
      }
    });
    await Promise.race([this.#ask(runners, at), late]);
    answered.abort();
  }

  async #askAlone(runner: TripleRunner, doubt: Doubt): Promise<void> {
    doubt.asking = true;
    await this.#ask([runner], this.#deps.clock.elapsed());
    doubt.asking = false;
    doubt.backoff = Math.min(2 * doubt.backoff, MAX_BACKOFF);
    doubt.notBefore = this.#deps.clock.elapsed() + doubt.backoff;
  }

  async #ask(runners: readonly TripleRunner[], at: number): Promise<void> {
    const { kafka, ended, onEnd, onAnswer, onFailure } = this.#deps;
    try {
      const rows = await kafka.endOffsets(
        runners.flatMap(({ lanes }) => lanes),
        { partial: true },
      );
      if (ended.aborted) return;
      const found = new Map(rows.map((row) => [`${row.topic}/${row.partition}`, row]));
      for (const runner of runners) {
        const missing = runner.lanes.filter(({ topic, partition }) => !found.has(`${topic}/${partition}`));
        for (const [input, { topic, partition }] of runner.lanes.entries()) {
          const row = found.get(`${topic}/${partition}`);
          if (row !== undefined) onEnd(runner, input, row.start, row.end, at);
        }
        if (missing.length === 0) this.#trust(runner);
        else this.#doubt(runner, `${missing.map(({ topic }) => topic).join(', ')} has no leader for it that answers`);
      }
      onAnswer();
    } catch (error) {
      if (ended.aborted) return;
      if (isFatal(error)) onFailure(error);
      else for (const runner of runners) this.#doubt(runner, messageOf(error));
    }
  }

  #trust(runner: TripleRunner): void {
    if (this.#doubts.delete(runner)) this.#deps.waits.end(runner.partition, 'ends', this.#deps.clock.elapsed());
  }

  #doubt(runner: TripleRunner, why: string): void {
    if (runner.over) return;
    const now = this.#deps.clock.elapsed();
    if (!this.#doubts.has(runner)) {
      this.#doubts.set(runner, { notBefore: now, backoff: FIRST_BACKOFF, asking: false });
      runner.doubt();
    }
    this.#deps.waits.begin(
      runner.partition,
      'ends',
      `the ends of its logs cannot be read: ${why}; check the brokers that lead it`,
      now,
    );
  }
}
