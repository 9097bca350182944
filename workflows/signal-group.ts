/**
 * Signals that are applied together, and then published together. Which signals come together depends on who looks: a worker whose
 * task timed out while it published was seen to go on with what it had begun, and gets only what came since; a replay gets all of
 * them at once. So the answer of a publish says how many signals it was for, and what was applied beyond them is taken back.
 */
import type { Output } from '../activities/contract.ts';
import { applyBatch } from '../src/money/domain/apply.ts';
import { boundedBytes } from '../src/money/domain/bounds.ts';
import type { UserState } from '../src/money/domain/state.ts';
import type { EventBatch } from '../src/money/domain/types.ts';
import type { Life } from './life.ts';

/** bytes of a state up to which it is remembered as it was after each signal; signals to a larger one go alone. */
const SMALL = 50_000;

/** The life after a signal. */
interface After {
  readonly batch: EventBatch;
  readonly applied: number;
  readonly unpublished: number;
  readonly lookups: number;
  /** As JSON; undefined where it cannot be gone back to. */
  user: string | undefined;
}

/** Whether another signal may go with this one. Those of releases before 0.3.0, without bounds, went together whatever the state. */
export function mayFollow(last: EventBatch | undefined, { user }: Life): boolean {
  return last === undefined || last.rules.bounds === undefined || boundedBytes(user) <= SMALL;
}

export class SignalGroup {
  readonly #life: Life;
  readonly #after: After[] = [];
  #applied: Output[] = [];

  constructor(life: Life) {
    this.#life = life;
  }

  get applied(): readonly Output[] {
    return this.#applied;
  }

  get signals(): number {
    return this.#after.length;
  }

  get mayGrow(): boolean {
    return mayFollow(this.#after.at(-1)?.batch, this.#life);
  }

  apply(batch: EventBatch, context: { readonly userId: string; readonly now: number }): void {
    const life = this.#life;
    const last = this.#after.at(-1);
    if (last !== undefined && boundedBytes(life.user) <= SMALL) last.user = JSON.stringify(life.user);
    life.rules = batch.rules;
    life.partition = batch.partition;
    const { applied, resolved } = applyBatch(life.user, batch, context);
    this.#applied.push(...applied);
    life.unpublished.push(...resolved);
    this.#after.push({
      batch,
      applied: this.#applied.length,
      unpublished: life.unpublished.length,
      lookups: life.user.lookups.length,
      user: undefined,
    });
  }

  /** Only so many signals were applied. Returns the others, in order. */
  takeBack(signals: number): EventBatch[] {
    const life = this.#life;
    const last = this.#after[signals - 1];
    if (last?.user === undefined) {
      throw new Error(
        `a publish was answered for ${signals} of ${this.#after.length} signals, which cannot be gone back to`,
      );
    }
    // Lookups are known by themselves, and signals only add some.
    const lookups = life.user.lookups.slice(0, last.lookups);
    life.user = { ...(JSON.parse(last.user) as UserState), lookups };
    life.rules = last.batch.rules;
    life.partition = last.batch.partition;
    life.unpublished.splice(last.unpublished);
    this.#applied = this.#applied.slice(0, last.applied);
    return this.#after.splice(signals).map(({ batch }) => batch);
  }
}
