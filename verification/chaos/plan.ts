/**
 * The plan of faults: what follows from a seed, without end. Every kind comes up in proportion to its weight: kinds are
 * drawn from a bag that is filled anew when it is empty, so that a short run has many kinds and a long one all.
 */
import { appendFileSync } from 'node:fs';
import { Random } from '../../src/engine/random.ts';

export const KINDS = [
  'kill-worker',
  'kill-bridge',
  'kill-broker',
  'kill-temporal',
  'zombie-worker',
  'zombie-bridge',
  'cut',
  'delay',
  'one-way',
  'half-open',
  'foreign-owner',
  'rolling-restart',
  'lookups-slow',
  'lookups-failing',
  'lookups-lying',
  'disk-full',
  'rebalance-storm',
  'move-leader',
  'rolling-restart-brokers',
  'isr-below-minimum',
  'coordinator-moves',
  'partition-without-leader',
] as const;
export type Kind = (typeof KINDS)[number];

/** Where there is one broker these cannot be. */
const OF_SEVERAL_BROKERS: readonly Kind[] = [
  'move-leader',
  'isr-below-minimum',
  'coordinator-moves',
  'partition-without-leader',
];

export function kindsFor(brokers: number): readonly Kind[] {
  return brokers > 1 ? KINDS : KINDS.filter((kind) => !OF_SEVERAL_BROKERS.includes(kind));
}

export type Role = 'bridge' | 'worker';

export interface PlannedFault {
  readonly index: number;
  readonly kind: Kind;
  /** Whom it hits, where the kind leaves a choice. */
  readonly role: Role;
  readonly slot: 1 | 2;
  /** To what: the other end of a link. */
  readonly peer: 'kafka' | 'temporal' | 'service';
  /** Which form of it, where the kind has several. */
  readonly form: number;
  /** ms that it lasts, where that is free. */
  readonly lasts: number;
  /** ms of peace before it. */
  readonly pause: number;
}

/** In one bag. Kills are many, since only some of them hit their window; what takes long is rare. */
const WEIGHTS: Readonly<Record<Kind, number>> = {
  'kill-worker': 5,
  'kill-bridge': 4,
  'kill-broker': 4,
  'kill-temporal': 3,
  'zombie-worker': 2,
  'zombie-bridge': 2,
  cut: 4,
  delay: 3,
  'one-way': 4,
  'half-open': 3,
  'foreign-owner': 2,
  'rolling-restart': 1,
  'lookups-slow': 2,
  'lookups-failing': 2,
  'lookups-lying': 3,
  'disk-full': 1,
  'rebalance-storm': 1,
  'move-leader': 4,
  'rolling-restart-brokers': 1,
  'isr-below-minimum': 3,
  'coordinator-moves': 3,
  'partition-without-leader': 3,
};

/** ms of peace before a fault, at most. */
export const PAUSE = 1_500;

/** The same seed, kinds and pause, the same plan. */
export function* planOf(
  seed: number,
  kinds: readonly Kind[] = KINDS,
  pause: number = PAUSE,
): Generator<PlannedFault, never> {
  const random = new Random(seed);
  for (let index = 1; ;) {
    for (const kind of shuffled(bagOf(kinds), random)) {
      const role = random.chance(0.5) ? 'worker' : 'bridge';
      yield {
        index,
        kind,
        role,
        slot: random.chance(0.5) ? 1 : 2,
        peer:
          role === 'worker'
            ? random.pick(['kafka', 'kafka', 'temporal', 'service'] as const)
            : random.pick(['kafka', 'temporal'] as const),
        form: random.below(1_000),
        lasts: 1_000 + random.below(7_000),
        pause: random.below(pause),
      };
      index += 1;
    }
  }
}

function bagOf(kinds: readonly Kind[]): Kind[] {
  return kinds.flatMap((kind) => Array.from({ length: WEIGHTS[kind] }, () => kind));
}

function shuffled<T>(list: T[], random: Random): T[] {
  for (let last = list.length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [list[last], list[other]] = [list[other] as T, list[last] as T];
  }
  return list;
}

/** One JSON object a line, with the time at which it was written. */
export function recorder(file: string): (what: object) => void {
  return (what) => appendFileSync(file, `${JSON.stringify({ at: new Date().toISOString(), ...what })}\n`);
}
