/**
 * Signals that are applied together, and then published together. Which signals come together depends on who looks: a worker whose
 * task timed out while it published was seen to go on with what it had begun, and gets only what came since; a replay gets all of
 * them at once. So the answer of a publish says how many signals it was for, and what was applied beyond them is taken back.
 */
import type { Identified } from '../publish-request.ts';
import type { Entity, EntityBatch, EntityContext, EntityLife } from './entity.ts';

/** bytes of a state up to which it is remembered as it was after each signal; signals to a larger one go alone. */
const SMALL = 50_000;

/** The life after a signal. */
interface After<B> {
  readonly batch: B;
  readonly applied: number;
  readonly unpublished: number;
  readonly questions: number;
  /** Undefined where it cannot be gone back to. */
  memory: string | undefined;
}

/** What a group asks of its entity. */
export type Applies<L extends EntityLife<O>, B extends EntityBatch, O extends Identified> = Pick<
  Entity<L, B, O>,
  'rules' | 'memory' | 'earlier'
> & { readonly sizes: { kept(life: L): number }; readonly questions: { open(life: L): readonly object[] } };

/** Whether another signal may go with this one. Those of earlier releases went together whatever the state. */
function mayFollow<L extends EntityLife>(
  last: EntityBatch | undefined,
  { sizes, earlier }: Pick<Applies<L, EntityBatch, Identified>, 'sizes' | 'earlier'>,
  life: L,
): boolean {
  return last === undefined || earlier?.isOf(last.rules) === true || sizes.kept(life) <= SMALL;
}

export class SignalGroup<L extends EntityLife<O>, B extends EntityBatch, O extends Identified> {
  readonly #entity: Applies<L, B, O>;
  readonly #life: L;
  readonly #after: After<B>[] = [];
  #applied: O[] = [];

  constructor(entity: Applies<L, B, O>, life: L) {
    this.#entity = entity;
    this.#life = life;
  }

  get applied(): readonly O[] {
    return this.#applied;
  }

  get signals(): number {
    return this.#after.length;
  }

  get mayGrow(): boolean {
    return mayFollow(this.#after.at(-1)?.batch, this.#entity, this.#life);
  }

  apply(batch: B, context: EntityContext): void {
    const { rules, memory, sizes, questions } = this.#entity;
    const life = this.#life;
    const last = this.#after.at(-1);
    if (last !== undefined && sizes.kept(life) <= SMALL) last.memory = memory.remember(life);
    life.rules = batch.rules;
    life.partition = batch.partition;
    const { applied, resolved } = rules.apply(life, batch, context);
    this.#applied.push(...applied);
    life.unpublished.push(...resolved);
    this.#after.push({
      batch,
      applied: this.#applied.length,
      unpublished: life.unpublished.length,
      questions: questions.open(life).length,
      memory: undefined,
    });
  }

  /** Only so many signals were applied. Returns the others, in order. */
  takeBack(signals: number): B[] {
    const life = this.#life;
    const last = this.#after[signals - 1];
    if (last?.memory === undefined) {
      throw new Error(
        `a publish was answered for ${signals} of ${this.#after.length} signals, which cannot be gone back to`,
      );
    }
    this.#entity.memory.goBack(life, last.memory, last.questions);
    life.rules = last.batch.rules;
    life.partition = last.batch.partition;
    life.unpublished.splice(last.unpublished);
    this.#applied = this.#applied.slice(0, last.applied);
    return this.#after.splice(signals).map(({ batch }) => batch);
  }
}
