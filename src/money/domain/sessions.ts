/** Sessions of one user (semantics, section 3): visible for a TTL, known as expired for another, then forgotten. */
import { Oldest } from './oldest.ts';
import type { Session } from './state.ts';
import { sessionSize } from './stored-size.ts';

export type SessionStatus = 'visible' | 'expired' | 'unknown';

export function sessionStatus(session: Session | undefined, tau: number, sessionTtl: number): SessionStatus {
  if (session === undefined || tau > session.ts + 2 * sessionTtl) return 'unknown';
  return tau <= session.ts + sessionTtl ? 'visible' : 'expired';
}

interface Place {
  readonly id: string;
  readonly session: Session;
}

/** By event time, of equal ones by offset, then by id. */
function older(a: Place, b: Place): number {
  return a.session.ts - b.session.ts || a.session.offset - b.session.offset || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** So many of the newest are known without a look at all. */
const NEWEST = 8;

/** The sessions of a state, with what is derived of them. */
export class Sessions {
  count = 0;
  /** As stored. */
  bytes = 0;
  readonly #sessions: Record<string, Session>;
  #oldest: Oldest<Place>;
  /** At most {@link NEWEST}, the newest first; undefined when they are not known. */
  #newest: Place[] | undefined;

  constructor(sessions: Record<string, Session>) {
    this.#sessions = sessions;
    this.#oldest = this.#inOrder();
    for (const id in sessions) {
      this.count += 1;
      this.bytes += sessionSize(id, sessions[id]!);
    }
  }

  /** The largest event time of a session; -Infinity without one. */
  get latest(): number {
    return this.#known()[0]?.session.ts ?? -Infinity;
  }

  /** At most {@link NEWEST}, the newest first. */
  newest(most: number): readonly Place[] {
    return this.#known().slice(0, most);
  }

  /** Of two records of one session the last (ts, offset) wins. */
  add(id: string, session: Session): void {
    const known = this.#sessions[id];
    if (known !== undefined) {
      if (known.ts > session.ts || (known.ts === session.ts && known.offset > session.offset)) return;
      this.#remove(id);
    }
    this.#sessions[id] = session;
    if (this.#newest !== undefined) this.#isNew({ id, session });
    this.count += 1;
    this.bytes += sessionSize(id, session);
    // What was replaced stands in it still.
    if (this.#oldest.size > 2 * this.count + 100) this.#oldest = this.#inOrder();
    else this.#oldest.add({ id, session });
  }

  forgetExpired(tau: number, sessionTtl: number): void {
    for (
      let place = this.#oldest.first;
      place !== undefined && sessionStatus(place.session, tau, sessionTtl) === 'unknown';
      place = this.#oldest.first
    ) {
      this.#oldest.take();
      if (this.#sessions[place.id] === place.session) this.#remove(place.id);
    }
  }

  forgetOldest(): void {
    for (let place = this.#oldest.take(); place !== undefined; place = this.#oldest.take()) {
      if (this.#sessions[place.id] === place.session) return this.#remove(place.id);
    }
  }

  #remove(id: string): void {
    this.count -= 1;
    const session = this.#sessions[id]!;
    this.bytes -= sessionSize(id, session);
    this.#isGone(id);
    delete this.#sessions[id];
  }

  #known(): readonly Place[] {
    return (this.#newest ??= Object.entries(this.#sessions)
      .map(([id, session]) => ({ id, session }))
      .sort((a, b) => older(b, a))
      .slice(0, NEWEST));
  }

  #isNew(place: Place): void {
    const newest = this.#newest!;
    let at = newest.length;
    while (at > 0 && older(newest[at - 1]!, place) < 0) at -= 1;
    newest.splice(at, 0, place);
    newest.length = Math.min(newest.length, NEWEST);
  }

  /** None moves up in its place: what is forgotten is the oldest of all, and what replaces one is newer. */
  #isGone(id: string): void {
    const at = this.#newest?.findIndex((place) => place.id === id) ?? -1;
    if (at !== -1) this.#newest!.splice(at, 1);
  }

  #inOrder(): Oldest<Place> {
    return new Oldest(
      older,
      Object.entries(this.#sessions).map(([id, session]) => ({ id, session })),
    );
  }
}
