/**
 * User info as of event time (semantics, section 3). Each field is a list of changes ordered by (ts, offset). Kept:
 * everything newer than `tau - sessionTtl`, and of what is older the newest.
 */
import type { UserInfo } from './events.ts';
import type { Change, UserState } from './state.ts';
import { changeSize } from './stored-size.ts';

/** The changes of one field of a state, with what is derived of them. */
export class Changes {
  /** As stored. */
  bytes = 0;
  readonly #changes: Change[];

  constructor(changes: Change[]) {
    this.#changes = changes;
    for (const change of changes) this.bytes += changeSize(change);
  }

  get count(): number {
    return this.#changes.length;
  }

  add(change: Change): void {
    const changes = this.#changes;
    let at = changes.length;
    while (at > 0 && isAfter(changes[at - 1]!, change)) at -= 1;
    changes.splice(at, 0, change);
    this.bytes += changeSize(change);
  }

  prune(tau: number, sessionTtl: number): void {
    const changes = this.#changes;
    let dropped = 0;
    while (dropped + 1 < changes.length && changes[dropped + 1]!.ts <= tau - sessionTtl) dropped += 1;
    this.#forget(dropped);
  }

  forgetOldest(): void {
    this.#forget(1);
  }

  #forget(count: number): void {
    if (count === 0) return;
    for (const change of this.#changes.splice(0, count)) this.bytes -= changeSize(change);
  }
}

function isAfter(a: Change, b: Change): boolean {
  return a.ts > b.ts || (a.ts === b.ts && a.offset > b.offset);
}

/** The user info at `t`; undefined when no field is known then. */
export function userInfoAt(
  state: Pick<UserState, 'birthYear' | 'residentCountryCode'>,
  t: number,
): UserInfo | undefined {
  const birthYear = valueAt(state.birthYear, t);
  const residentCountryCode = valueAt(state.residentCountryCode, t);
  if (birthYear === undefined && residentCountryCode === undefined) return undefined;
  return {
    ...(birthYear === undefined ? {} : { birthYear }),
    ...(residentCountryCode === undefined ? {} : { residentCountryCode }),
  };
}

function valueAt(changes: readonly Change[], t: number): string | undefined {
  for (let at = changes.length - 1; at >= 0; at -= 1) {
    if (changes[at]!.ts <= t) return changes[at]!.value;
  }
  return undefined;
}
