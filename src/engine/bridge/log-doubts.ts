/**
 * Inputs of a triple whose log may have been cut and have grown again while nobody could look: by its length it fits then. The record that
 * was fetched last tells whether it is still that log, as the leader epoch does for clients that know it (KIP-320).
 */
import type { RecordMark } from '../ordering/record-mark.ts';
import type { InputIndex } from '../ordering/watermark.ts';
import { isAnother } from '../ordering/log-identity.ts';

export class LogDoubts {
  /** What was fetched last when the doubt began. */
  readonly #marks = new Map<InputIndex, RecordMark>();
  #checks = 0;

  /** `last`: undefined where nothing was fetched that could tell. */
  begin(input: InputIndex, last: RecordMark | undefined): void {
    if (last !== undefined && !this.#marks.has(input)) this.#marks.set(input, last);
  }

  clear(): void {
    this.#marks.clear();
  }

  /** Whether an answer is waited for. */
  get checking(): boolean {
    return this.#checks > 0;
  }

  /**
   * The log of `input` holds the offsets from `start` to before `end`: what was fetched last, where `now` finds another record in its place.
   * Undefined where it is the same one, where it is gone, and where nothing is in doubt. What `now` throws leaves the doubt.
   */
  async other(
    input: InputIndex,
    { start, end }: { readonly start: number; readonly end: number },
    now: (last: RecordMark) => Promise<RecordMark | null | undefined>,
  ): Promise<RecordMark | undefined> {
    const last = this.#marks.get(input);
    if (last === undefined || last.offset >= end) return undefined;
    this.#marks.delete(input);
    if (last.offset < start) return undefined;
    this.#checks += 1;
    try {
      return isAnother(last, await now(last)) ? last : undefined;
    } catch (error) {
      this.#marks.set(input, last);
      throw error;
    } finally {
      this.#checks -= 1;
    }
  }
}
