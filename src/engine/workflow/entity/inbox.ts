/**
 * What came to a workflow, in order. Signals are applied before anything else that happened; but while what is owed leaves no
 * room for what would follow from them, only what makes room goes on: answers to questions, and of publishing. These change
 * nothing that decides an `applied` output.
 */
import type { EarlierReleases, EntityBatch, EntityLife } from './entity.ts';
import { hasRoomFor, type Measured } from './room.ts';

interface Happening {
  readonly run: () => void;
  readonly makesRoom: boolean;
}

/** What an inbox asks about its life. */
export type RoomOf<L, B> = Measured<L, B> & { readonly earlier?: Pick<EarlierReleases<L>, 'isOf'> };

export class Inbox<L extends EntityLife, B extends EntityBatch> {
  readonly #batches: { readonly batch: B; bytes?: number }[] = [];
  readonly #happened: Happening[] = [];
  readonly #room: RoomOf<L, B>;
  readonly #life: L;

  constructor(room: RoomOf<L, B>, life: L) {
    this.#room = room;
    this.#life = life;
  }

  signal(batch: B): void {
    this.#batches.push({ batch });
  }

  /** Before all others, in this order. */
  putBack(batches: readonly B[]): void {
    this.#batches.unshift(...batches.map((batch) => ({ batch })));
  }

  /** `makesRoom`: it may come before signals that wait. */
  happens(run: () => void, { makesRoom = false } = {}): void {
    this.#happened.push({ run, makesRoom });
  }

  get empty(): boolean {
    return this.#batches.length === 0 && this.#happened.length === 0;
  }

  get hasSignal(): boolean {
    return this.#batches.length > 0;
  }

  get waitsForRoom(): boolean {
    return this.#batches.length > 0 && !this.mayApply;
  }

  get hasSomething(): boolean {
    if (this.#batches.length > 0) return this.mayApply || this.#happened.some(({ makesRoom }) => makesRoom);
    return this.#happened.length > 0;
  }

  get mayApply(): boolean {
    const [first] = this.#batches;
    if (first === undefined) return false;
    // Earlier releases did not wait.
    if (this.#room.earlier?.isOf(first.batch.rules) === true) return true;
    return hasRoomFor((first.bytes ??= this.#room.sizes.growth(this.#life, first.batch)), this.#room, this.#life);
  }

  takeBatch(): B | undefined {
    return this.mayApply ? this.#batches.shift()!.batch : undefined;
  }

  /** What is next, when no signal may be applied. */
  takeHappened(): (() => void) | undefined {
    if (this.#batches.length === 0) return this.#happened.shift()?.run;
    const at = this.#happened.findIndex(({ makesRoom }) => makesRoom);
    return at < 0 ? undefined : this.#happened.splice(at, 1)[0]!.run;
  }
}
