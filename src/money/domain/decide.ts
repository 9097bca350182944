/**
 * The table of semantics, section 3: what is to happen to money, as the state of its user is at tau. A decision changes nothing;
 * the fold follows it (apply.ts), and whoever explains an output prints it.
 */
import type { Money, Rules } from './events.ts';
import { keptOf } from './kept.ts';
import { sessionStatus } from './sessions.ts';
import type { Session, UserState } from './state.ts';
import type { SessionMoney } from './types.ts';

export type LookupReason = 'old-money' | 'session-expired' | 'late-and-unknown';

/** The row that fits. */
export type Decision =
  | { readonly type: 'duplicate' }
  | { readonly type: 'no-session' }
  | { readonly type: 'joined'; readonly money: SessionMoney; readonly session: Session }
  | { readonly type: 'lookup'; readonly money: SessionMoney; readonly why: LookupReason; readonly session?: Session }
  /** Until `dueAt`, epoch ms of event time. */
  | { readonly type: 'pending'; readonly money: SessionMoney; readonly dueAt: number };

/** Of money that is applied at tau; the first row that fits. */
export function decide(
  state: UserState,
  money: Money,
  { tau, isLate, rules }: { readonly tau: number; readonly isLate: boolean; readonly rules: Rules },
): Decision {
  const { userSessionId } = money;
  if (keptOf(state).dedup.isVisible(money.id, tau, rules.dedupTtl)) return { type: 'duplicate' };
  if (userSessionId === undefined) return { type: 'no-session' };
  const own: SessionMoney = { ...money, userSessionId };
  if (money.isOldMoneyEvent) return { type: 'lookup', money: own, why: 'old-money' };
  const session = state.sessions[userSessionId];
  if (session !== undefined && sessionStatus(session, tau, rules.sessionTtl) !== 'unknown') {
    return decideBySession(own, session, tau, rules);
  }
  return isLate
    ? { type: 'lookup', money: own, why: 'late-and-unknown' }
    : { type: 'pending', money: own, dueAt: money.ts + rules.pendingTimeout };
}

/** Of money whose session is known at tau, and may be expired. */
export function decideBySession(
  money: SessionMoney,
  session: Session,
  tau: number,
  { sessionTtl }: Pick<Rules, 'sessionTtl'>,
): Extract<Decision, { readonly type: 'joined' | 'lookup' }> {
  const isOpen = sessionStatus(session, tau, sessionTtl) === 'visible' && money.ts <= session.ts + sessionTtl;
  return isOpen ? { type: 'joined', money, session } : { type: 'lookup', money, why: 'session-expired', session };
}
