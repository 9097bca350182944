/** What each life of each user's workflow was sent, as the server has it. A life begins with the first signal, or with the first after a termination. */
import type { Incarnation } from '../../activities/contract.ts';
import type { MoneyInput } from '../../src/money/domain/events.ts';
import type { EventBatch } from '../../workflows/messages.ts';

export interface Life {
  /** As in the header of its outputs. */
  readonly name: string;
  readonly userId: string;
  /** Places (`input/partition/offset`) of what it has to apply. */
  readonly places: Set<string>;
  /** By log: below this everything of the user was acknowledged when it was told last, and is known to it. */
  readonly lowWater: Map<string, number>;
  /** It was sent again what one before it had, when it already had what follows that (a bridge took over meanwhile): in no order. */
  inNoOrder: boolean;
}

/** Of one log, which may be another than the one that had these offsets before. */
export type PlaceOf = (input: MoneyInput, partition: number, offset: number, log: string) => string;

const INPUTS = ['user', 'session', 'money'] as const satisfies MoneyInput[];

export class Lives {
  /** By user, the first one first. */
  readonly #lives = new Map<string, Life[]>();
  readonly #placeOf: PlaceOf;

  constructor(placeOf: PlaceOf) {
    this.#placeOf = placeOf;
  }

  of(userId: string): readonly Life[] {
    return this.#lives.get(userId) ?? [];
  }

  /**
   * Returns the places of what it will apply, or has applied. What lies below the low water that it was told before is dropped: it is
   * known, or was lost, and a bridge that is long dead brings it when another has said so.
   */
  signalled(userId: string, incarnation: Incarnation, { partition, logs, lowWater, records }: EventBatch): string[] {
    const life = this.#lifeOf(userId, `${incarnation.startedAt}/${incarnation.runId}`);
    const logOf = (input: MoneyInput): string => `${input}/${partition}/${logs?.[input] ?? ''}`;
    for (const [index, input] of INPUTS.entries()) {
      life.lowWater.set(logOf(input), Math.max(life.lowWater.get(logOf(input)) ?? 0, lowWater[index]!));
    }
    return records.flatMap(({ offset, event }) => {
      const input = event.type === 'money' ? 'money' : event.type === 'session' ? 'session' : 'user';
      if (offset < life.lowWater.get(logOf(input))!) return [];
      const place = this.#placeOf(input, partition, offset, logs?.[input] ?? '');
      this.#add(life, place);
      return [place];
    });
  }

  #add(life: Life, place: string): void {
    const before = this.of(life.userId).slice(0, this.of(life.userId).indexOf(life));
    const another = before.find(({ places }) => places.has(place));
    if (!life.places.has(place) && another !== undefined) {
      const sent = [...another.places];
      const follows = (one: string): boolean =>
        sent.indexOf(one) > sent.indexOf(place) || !before.some(({ places }) => places.has(one));
      if ([...life.places].some(follows)) life.inNoOrder = true;
    }
    life.places.add(place);
  }

  #lifeOf(userId: string, name: string): Life {
    const lives = this.#lives.get(userId) ?? [];
    this.#lives.set(userId, lives);
    let life = lives.find((one) => one.name === name);
    if (life === undefined) {
      lives.push((life = { name, userId, places: new Set(), lowWater: new Map(), inNoOrder: false }));
    }
    return life;
  }
}
