/** Sessions of one user (semantics, section 3): visible for a TTL, known as expired for another, then forgotten. */
import type { Session } from './state.ts';

export type SessionStatus = 'visible' | 'expired' | 'unknown';

export function sessionStatus(session: Session | undefined, tau: number, sessionTtl: number): SessionStatus {
  if (session === undefined || tau > session.ts + 2 * sessionTtl) return 'unknown';
  return tau <= session.ts + sessionTtl ? 'visible' : 'expired';
}

/** Of two records of one session the last (ts, offset) wins. */
export function addSession(sessions: Record<string, Session>, sessionId: string, session: Session): void {
  const known = sessions[sessionId];
  if (known !== undefined && (known.ts > session.ts || (known.ts === session.ts && known.offset > session.offset))) return;
  sessions[sessionId] = session;
}

export function forgetSessions(sessions: Record<string, Session>, tau: number, sessionTtl: number): void {
  for (const [sessionId, session] of Object.entries(sessions)) {
    if (sessionStatus(session, tau, sessionTtl) === 'unknown') delete sessions[sessionId];
  }
}
