/**
 * Asks the session service for several sessions at once: `GET /sessions/{id}` -> 200 `{"clientCountryCode": "UY"}` or
 * 404. Anything else (timeout, refused, 5xx, a redirect, a malformed or oversized body) is no answer, and asked again
 * until the time of the request is over.
 */
import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { messageOf } from '../src/errors.ts';
import { FAILURES, type Activities, type LookupOutcome } from './contract.ts';

/** What is known of a session elsewhere. */
export interface SessionService {
  /** Rejects when there is no usable answer; it may be asked again. */
  get(sessionId: string): Promise<Extract<LookupOutcome, { status: 'found' | 'not-found' }>>;
}

export interface LookupDeps {
  readonly sessionServiceUrl: string;
  /** ms for one answer. */
  readonly lookupTimeout: number;
  /** Bounds the requests under way in this process. */
  readonly limiter: Limiter;
  readonly now: () => number;
  readonly observeLookup: (outcome: LookupOutcome['status']) => void;
  /** Tells the server that the attempt is alive until the function that it returns is called; Temporal's own when absent. */
  readonly signsOfLife?: () => () => void;
}

/** ms between two signs of life */
const HEARTBEAT_INTERVAL = 1_000;
/** bytes; an answer has a few dozen. */
const MAX_BODY = 64 * 1024;

export class Limiter {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.free = limit;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}

export function createLookupSessions(deps: LookupDeps, sessionService: SessionService = httpSessionService(deps)): Activities['lookupSessions'] {
  return async ({ sessionIds, giveUpAt }) => {
    let problem = '';
    const stopSignsOfLife = (deps.signsOfLife ?? heartbeats)();
    const outcomes = await Promise.all(
      sessionIds.map((sessionId) =>
        deps.limiter.run(async (): Promise<LookupOutcome> => {
          try {
            return await sessionService.get(sessionId);
          } catch (error) {
            problem = describe(error);
            return { sessionId, status: deps.now() >= giveUpAt ? 'given-up' : 'retry' };
          }
        }),
      ),
    ).finally(stopSignsOfLife);
    for (const { status } of outcomes) deps.observeLookup(status);
    if (outcomes.every(({ status }) => status === 'retry')) {
      throw ApplicationFailure.create({
        type: FAILURES.sessionServiceUnavailable,
        category: ApplicationFailureCategory.BENIGN,
        message: `The session service gave no usable answer for ${sessionIds.length} sessions: ${problem}`,
      });
    }
    return outcomes;
  };
}

function heartbeats(): () => void {
  const context = Context.current();
  return every(HEARTBEAT_INTERVAL, () => context.heartbeat());
}

/** Until the function that it returns is called. */
export function every(ms: number, action: () => void): () => void {
  const timer = setInterval(action, ms);
  return () => clearInterval(timer);
}

export function httpSessionService(deps: Pick<LookupDeps, 'sessionServiceUrl' | 'lookupTimeout'>): SessionService {
  return { get: (sessionId) => ask(deps, sessionId) };
}

async function ask({ sessionServiceUrl, lookupTimeout }: Pick<LookupDeps, 'sessionServiceUrl' | 'lookupTimeout'>, sessionId: string): ReturnType<SessionService['get']> {
  const response = await fetch(urlOf(sessionServiceUrl, sessionId), {
    redirect: 'manual',
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(lookupTimeout),
  });
  if (response.status === 404) {
    await response.body?.cancel();
    return { sessionId, status: 'not-found' };
  }
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  const body = parse(await readBody(response));
  if (typeof body !== 'object' || body === null || !('clientCountryCode' in body) || typeof body.clientCountryCode !== 'string') {
    throw new Error('status 200 without a clientCountryCode');
  }
  return { sessionId, status: 'found', clientCountryCode: body.clientCountryCode };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The message of the SyntaxError quotes the answer, and a failure of an activity is kept in the user's history.
    throw new Error('status 200 with a body that is not JSON');
  }
}

/** Ids are UUIDs when they come here; whatever they are, no request leaves `/sessions/`. */
function urlOf(sessionServiceUrl: string, sessionId: string): string {
  // Dots are all that encodeURIComponent leaves of what a URL gives a meaning to.
  if (/^\.{0,2}$/.test(sessionId)) throw new Error('a session id that cannot be part of a path');
  return `${sessionServiceUrl.replace(/\/+$/, '')}/sessions/${encodeURIComponent(sessionId)}`;
}

async function readBody(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_BODY) throw new Error(`an answer of more than ${MAX_BODY} bytes`);
    parts.push(part);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
}

function describe(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? `${messageOf(error)} (${cause.message})` : messageOf(error);
}
