/** What a workflow says of itself beside its outputs: counters of its state, counters of the worker, warnings. Once for each time. */
import type { Identified } from '../publish-request.ts';
import type { EntityLife, EntityNotes } from './entity.ts';
import type { Foreign, TemporalPort } from './port.ts';

export class Notes<L extends EntityLife<O>, O extends Identified = Identified> {
  readonly #port: Pick<TemporalPort, 'count' | 'standing' | 'warn'>;
  readonly #says: EntityNotes<L, O>;
  readonly #life: L;
  #told: Readonly<Record<string, number>>;
  #partitions: number;
  #waited = false;
  #standing: Readonly<Record<string, number>> = {};

  constructor(port: Pick<TemporalPort, 'count' | 'standing' | 'warn'>, says: EntityNotes<L, O>, life: L) {
    this.#port = port;
    this.#says = says;
    this.#life = life;
    this.#told = says.forgotten(life);
    this.#partitions = says.partitions(life);
  }

  foreign(kind: Foreign, why: string): void {
    this.#says.foreign(this.#life);
    this.#port.count({ what: 'not-ours', kind }, 1);
    this.#port.warn(
      `A ${kind} that is none of the product's came to the workflow of ${this.#says.noun} and was dropped: find out who sends it`,
      { why },
    );
  }

  /** Batches were applied. */
  applied(): void {
    const { noun, aboutBounds } = this.#says;
    const forgotten = this.#says.forgotten(this.#life);
    for (const kind in forgotten) {
      const times = forgotten[kind]! - (this.#told[kind] ?? 0);
      if (times === 0) continue;
      this.#port.count({ what: 'forgotten', kind }, times);
      this.#port.warn(`The state of ${noun} is at its bound, and what is oldest makes room (${kind}): ${aboutBounds}`, {
        times,
      });
    }
    this.#told = forgotten;
    const partitions = this.#says.partitions(this.#life);
    if (partitions > 1 && partitions > this.#partitions) {
      this.#port.count({ what: 'happened', kind: 'second-partition' }, 1);
      this.#port.warn(
        `${noun[0]!.toUpperCase()}${noun.slice(1)} is met in more than one partition: its producers do not agree on the key or the partitioner, and its order is not defined`,
        { partitions },
      );
    }
    this.#partitions = partitions;
  }

  /** How much waits: told when that has changed. */
  standing(): void {
    const now = this.#says.standing?.(this.#life) ?? {};
    if (Object.entries(now).every(([kind, waiting]) => waiting === (this.#standing[kind] ?? 0))) return;
    this.#standing = now;
    this.#port.standing?.(now);
  }

  /** The publisher said so, and warns. */
  reset(): void {
    this.#says.reset(this.#life);
  }

  /** Whether signals wait because of what is owed. */
  room(waits: boolean): void {
    if (waits && !this.#waited) {
      this.#port.count({ what: 'happened', kind: 'waits-for-room' }, 1);
      const { noun, owesTo } = this.#says;
      this.#port.warn(
        `The workflow of ${noun} applies nothing until some of what it owes is published: are ${owesTo} there?`,
        {},
      );
    }
    this.#waited = waits;
  }
}
