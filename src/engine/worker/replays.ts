/** The replays of all shards of a process: for its metrics, its log, and /readyz. */
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { ReplaySlots, TASK_TIMEOUT } from './replay-slots.ts';

export interface ReplaysDeps {
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
  /** One has ended; it took so many ms. */
  readonly observe: (ms: number) => void;
}

export class Replays {
  readonly #deps: ReplaysDeps;
  readonly #shards = new Map<number, ReplaySlots>();
  #saidLate = false;

  constructor(deps: ReplaysDeps) {
    this.#deps = deps;
  }

  /** For a worker of this shard that is about to start. */
  begin(shard: number): ReplaySlots {
    const slots = new ReplaySlots(this.#deps.clock, { replayed: (ms) => this.#observe(shard, ms) });
    this.#shards.set(shard, slots);
    return slots;
  }

  /** That worker has stopped. */
  end(shard: number, slots: ReplaySlots): void {
    if (this.#shards.get(shard) === slots) this.#shards.delete(shard);
  }

  get underWay(): number {
    return [...this.#shards.values()].reduce((sum, { replays }) => sum + replays, 0);
  }

  /** For people; null while all end in time. */
  get problem(): string | null {
    const late = [...this.#shards].filter(([, slots]) => slots.late !== undefined);
    const [first] = late;
    if (first === undefined) return null;
    const [shard, slots] = first;
    const others = late.length === 1 ? '' : ` (and ${late.length - 1} others)`;
    return (
      `workflows of shard ${shard}${others} wait while they are replayed: one took ${seconds(slots.late!)} s, and a workflow task has ${seconds(TASK_TIMEOUT)}. ` +
      `${slots.limit} are replayed at a time: this machine is too full, or the histories are too long`
    );
  }

  #observe(shard: number, ms: number): void {
    const { logger, observe } = this.#deps;
    observe(ms);
    const { problem } = this;
    if (problem !== null && !this.#saidLate) logger.warn({ shard }, problem);
    if (problem === null && this.#saidLate) logger.info({ shard }, 'replays end in time again');
    this.#saidLate = problem !== null;
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
