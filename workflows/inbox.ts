/**
 * What came to a workflow, in order. Signals are applied before anything else that happened; but while what is owed leaves no
 * room for what would follow from them, only what makes room goes on: answers of lookups, and of publishing. These change
 * nothing that decides an `applied` output.
 */
import { outputSize, textSize } from '../src/money/domain/stored-size.ts';
import type { EventBatch } from '../src/money/domain/types.ts';
import { hasRoomFor } from './carried.ts';
import type { Life } from './life.ts';

interface Happening {
  readonly run: () => void;
  readonly makesRoom: boolean;
}

export class Inbox {
  readonly #batches: { readonly batch: EventBatch; bytes?: number }[] = [];
  readonly #happened: Happening[] = [];
  readonly #life: Life;

  constructor(life: Life) {
    this.#life = life;
  }

  signal(batch: EventBatch): void {
    this.#batches.push({ batch });
  }

  /** Before all others, in this order. */
  putBack(batches: readonly EventBatch[]): void {
    this.#batches.unshift(...batches.map((batch) => ({ batch })));
  }

  /** `makesRoom`: it may come before signals that wait. */
  happens(run: () => void, { makesRoom = false } = {}): void {
    this.#happened.push({ run, makesRoom });
  }

  get empty(): boolean {
    return this.#batches.length === 0 && this.#happened.length === 0;
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
    // Rules without bounds are of a release that did not wait.
    if (first.batch.rules.bounds === undefined) return true;
    return hasRoomFor((first.bytes ??= growthOf(first.batch, this.#life)), this.#life);
  }

  takeBatch(): EventBatch | undefined {
    return this.mayApply ? this.#batches.shift()!.batch : undefined;
  }

  /** What is next, when no signal may be applied. */
  takeHappened(): (() => void) | undefined {
    if (this.#batches.length === 0) return this.#happened.shift()?.run;
    const at = this.#happened.findIndex(({ makesRoom }) => makesRoom);
    return at < 0 ? undefined : this.#happened.splice(at, 1)[0]!.run;
  }
}

/** Bytes, at most, of what is owed after a batch and was not before. */
function growthOf({ records, partition }: EventBatch, { user }: Life): number {
  const longest = (changes: readonly { readonly value: string }[]): number =>
    changes.reduce((most, { value }) => Math.max(most, textSize(value)), 0);
  const info = 2 * (longest(user.birthYear) + longest(user.residentCountryCode));
  let bytes = 0;
  for (const { offset, event } of records) {
    if (event.type === 'money') {
      bytes +=
        outputSize({ partition, offset, enriched: { userId: '', money: event.money, firstOccurrence: true } }) +
        info +
        100;
    }
    if (event.type === 'session') {
      bytes += (user.pending[event.sessionId]?.length ?? 0) * (textSize(event.clientCountryCode) + 60);
    }
  }
  return bytes;
}
