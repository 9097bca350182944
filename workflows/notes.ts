/** What a workflow says of itself beside its outputs: counters of its state, counters of the worker, warnings. Once for each time. */
import { partitionsOf } from '../src/engine/workflow/redelivery.ts';
import type { Engine, Foreign } from './engine.ts';
import type { Life } from './life.ts';

const FORGOTTEN = {
  duplicatesForgotten: 'dedup',
  sessionsForgotten: 'session',
  pendingHurried: 'pending',
  changesForgotten: 'change',
  moneyTypesForgotten: 'money-type',
} as const;
type Counted = keyof typeof FORGOTTEN;

export class Notes {
  readonly #engine: Engine;
  readonly #life: Life;
  #told: Record<Counted, number>;
  #partitions: number;
  #waited = false;

  constructor(engine: Engine, life: Life) {
    this.#engine = engine;
    this.#life = life;
    this.#told = { ...life.user.counters };
    this.#partitions = partitionsOf(life.user.redelivery).length;
  }

  notOurs(kind: Foreign, why: string): void {
    this.#life.user.counters.notOurs += 1;
    this.#engine.count({ what: 'not-ours', kind }, 1);
    this.#engine.warn(
      `A ${kind} that is none of the product's came to the workflow of a user and was dropped: find out who sends it`,
      { why },
    );
  }

  /** Batches were applied. */
  applied(): void {
    const { counters, redelivery } = this.#life.user;
    for (const [name, kind] of Object.entries(FORGOTTEN) as [Counted, (typeof FORGOTTEN)[Counted]][]) {
      const times = counters[name] - this.#told[name];
      if (times === 0) continue;
      this.#engine.count({ what: 'forgotten', kind }, times);
      this.#engine.warn(
        `The state of a user is at its bound, and what is oldest makes room (${kind}): see "Bounds" in README.md`,
        { times },
      );
    }
    this.#told = { ...counters };
    const partitions = partitionsOf(redelivery).length;
    if (partitions > 1 && partitions > this.#partitions) {
      this.#engine.count({ what: 'happened', kind: 'second-partition' }, 1);
      this.#engine.warn(
        'A user is met in more than one partition: its producers do not agree on the key or the partitioner, and its order is not defined',
        { partitions },
      );
    }
    this.#partitions = partitions;
  }

  /** The publisher said so, and warns. */
  reset(): void {
    this.#life.user.counters.resets += 1;
  }

  /** Whether signals wait because of what is owed. */
  room(waits: boolean): void {
    if (waits && !this.#waited) {
      this.#engine.count({ what: 'happened', kind: 'waits-for-room' }, 1);
      this.#engine.warn(
        'The workflow of a user applies nothing until some of what it owes is published: are Kafka and the session service there?',
        {},
      );
    }
    this.#waited = waits;
  }
}
