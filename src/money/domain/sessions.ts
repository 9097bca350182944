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

/** The sessions of a state, with what is derived of them. */
export class Sessions {
  count = 0;
  /** As stored. */
  bytes = 0;
  readonly #sessions: Record<string, Session>;
  #oldest: Oldest<Place>;
  /** Of all sessions; undefined when it is not known. */
  #latest: number | undefined;

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
    return (this.#latest ??= Object.values(this.#sessions).reduce((most, { ts }) => Math.max(most, ts), -Infinity));
  }

  /** Of two records of one session the last (ts, offset) wins. */
  add(id: string, session: Session): void {
    const known = this.#sessions[id];
    if (known !== undefined) {
      if (known.ts > session.ts || (known.ts === session.ts && known.offset > session.offset)) return;
      this.#remove(id);
    }
    this.#sessions[id] = session;
    if (this.#latest !== undefined) this.#latest = Math.max(this.#latest, session.ts);
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
    if (session.ts === this.#latest) this.#latest = undefined;
    delete this.#sessions[id];
  }

  #inOrder(): Oldest<Place> {
    return new Oldest(
      older,
      Object.entries(this.#sessions).map(([id, session]) => ({ id, session })),
    );
  }
}
