/** What is counted in a run, in the part of it that is looked at. */
export type What =
  | 'touches'
  | 'tasks'
  | 'events signalled'
  | 'outputs'
  | 'transactions'
  | 'history events'
  | 'history bytes'
  | 'signal actions'
  | 'marker actions'
  | 'timer actions'
  | 'activity actions'
  | 'continue-as-new actions'
  | 'timers cancelled'
  | 'watermark looks';

/** Of Temporal Cloud: what is billed. A look at the watermark is an attempt of an activity, and each attempt is an action. */
const ACTIONS: readonly What[] = [
  'signal actions',
  'marker actions',
  'timer actions',
  'activity actions',
  'continue-as-new actions',
  'watermark looks',
];

export class Counters {
  readonly #counts = new Map<What, number>();
  /** Whether what happens now is looked at. */
  looking = false;

  add(what: What, by = 1): void {
    if (this.looking) this.#counts.set(what, this.of(what) + by);
  }

  of(what: What): number {
    return this.#counts.get(what) ?? 0;
  }

  get actions(): number {
    return ACTIONS.reduce((sum, what) => sum + this.of(what), 0);
  }

  /** For 1,000 events that were signalled, rounded to whole ones. */
  perThousandEvents(count: number): number {
    return Math.round((count * 1_000) / this.of('events signalled'));
  }
}
