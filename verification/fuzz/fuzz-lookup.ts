/** Lookups of a service that lies: every answer becomes one of the documented outcomes, and no request goes elsewhere. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURES, type LookupOutcome } from '../../activities/contract.ts';
import { Limiter } from '../../activities/limiter.ts';
import { createLookupSessions } from '../../activities/lookup-sessions.ts';
import { systemClock } from '../../src/engine/clock.ts';
import { attemptOf } from '../../test/support/attempt.ts';
import type { Random } from '../../src/engine/random.ts';
import { answerOf, type Answer, type Expected } from './answers.ts';
import { BASE, startLyingService, type LyingService } from './lying-service.ts';
import { Memory } from './memory.ts';
import { randomOf } from './records.ts';

export interface LookupReport {
  readonly inputs: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Session ids that are attacks on the path: asked for within the path, or refused. */
  readonly crafted: { readonly asked: number; readonly refused: number };
  /** bytes of resident memory beyond the warm-up, at most. */
  readonly growth: number;
  /** bytes that are alive in the end beyond those of the beginning. */
  readonly live: number;
  readonly failure?: string;
}

export interface LookupFuzzOptions {
  readonly seed: number;
  readonly inputs: number;
  readonly from?: number;
  /** Instead of the real one; for tests of the judge. */
  readonly lookup?: (url: string, timeout: number) => ReturnType<typeof createLookupSessions>;
}

/** ms */
const TIMEOUT = 1_000;
const PATIENT = 20_000;
const AT_A_TIME = 64;
const CALLS = 48;
const CRAFTED = 2_000;
const NOW = 1_000_000;
const AGAIN = 8;
const ROUND = 10_000;
const RELEASED_AFTER = 3_000;

export function realLookup(sessionServiceUrl: string, lookupTimeout: number): ReturnType<typeof createLookupSessions> {
  return createLookupSessions({
    sessionServiceUrl,
    lookupTimeout,
    limiter: new Limiter(AT_A_TIME),
    clock: systemClock,
    observeLookup: () => undefined,
    attempt: attemptOf({ scheduledAt: NOW }),
  });
}

export async function fuzzLookup({
  seed,
  inputs,
  from = 0,
  lookup = realLookup,
}: LookupFuzzOptions): Promise<LookupReport> {
  const service = await startLyingService((name, trap) =>
    /^s\d+$/.test(name) ? answerOf(randomOf(seed, Number(name.slice(1))), trap) : NOT_FOUND,
  );
  const ask = lookup(service.url, TIMEOUT);
  const patient = lookup(service.url, PATIENT);
  const outcomes: Record<string, number> = {};
  const crafted = { asked: 0, refused: 0 };
  let failure: string | undefined;
  const memory = new Memory('live');
  let index = from;
  let calls = 0;
  let last = from;
  const fail = (problem: string | undefined) => (failure ??= problem);

  async function work(): Promise<void> {
    while (index < last && failure === undefined) {
      const start = index;
      index = Math.min(last, index + 1 + (start % 20));
      calls += 1;
      const indexes = Array.from({ length: index - start }, (_, n) => start + n);
      const results = await outcomesOf(ask, indexes, calls % 2 === 0);
      for (const [n, first] of results.entries()) {
        const answer = answerOf(randomOf(seed, indexes[n]!), service.trap);
        const result = fits(first, answer.expected) ? first : await oneOf(patient, indexes[n]!, answer.expected);
        outcomes[result.status] = (outcomes[result.status] ?? 0) + 1;
        if (!fits(result, answer.expected)) fail(described(seed, indexes[n]!, answer, result));
      }
      if (service.trapped() > 0) {
        fail(`a request went to another host (one of the inputs ${start} to ${index} of seed ${seed})`);
      }
    }
  }

  try {
    // Memory is looked at between rounds: answers of some MB are under way else, and connections that were given up take a while.
    while (last < from + inputs && failure === undefined) {
      last = Math.min(from + inputs, last + ROUND);
      await Promise.all(Array.from({ length: CALLS }, work));
      if (inputs > ROUND) await sleep(RELEASED_AFTER);
      memory.measure(index - from <= Math.max(inputs / 5, ROUND));
    }
    fail(await craftedIds(service, patient, randomOf(seed, -1), Math.min(CRAFTED, inputs), crafted));
    if (service.trapped() > 0) fail('a request went to another host');
    fail(memory.problem);
  } finally {
    await service.close();
  }
  return {
    inputs: index - from,
    outcomes,
    crafted,
    growth: memory.growth,
    live: memory.live,
    ...(failure === undefined ? {} : { failure }),
  };
}

const NOT_FOUND: Answer = {
  kind: '404',
  bytes: Buffer.from('HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n'),
  then: 'keep',
  expected: { is: 'not-found' },
};

type Result = LookupOutcome | { readonly status: 'exception'; readonly error: unknown };

/** `inTime`: before the time to give up. All without an answer is a failure then, which Temporal retries. */
async function outcomesOf(
  ask: ReturnType<typeof createLookupSessions>,
  indexes: readonly number[],
  inTime: boolean,
): Promise<Result[]> {
  const sessionIds = indexes.map((index) => `s${index}`);
  try {
    const outcomes = await ask({ sessionIds, giveUpAt: inTime ? NOW + 1 : NOW });
    const complete =
      outcomes.length === sessionIds.length &&
      outcomes.every(
        ({ sessionId, status }, n) => sessionId === sessionIds[n] && status !== (inTime ? 'given-up' : 'retry'),
      );
    return complete
      ? outcomes
      : sessionIds.map(() => ({
          status: 'exception',
          error: `outcomes of others: ${JSON.stringify(outcomes).slice(0, 500)}`,
        }));
  } catch (error) {
    const documented =
      inTime &&
      error instanceof ApplicationFailure &&
      error.type === FAILURES.sessionServiceUnavailable &&
      error.nonRetryable !== true;
    return sessionIds.map((sessionId) =>
      documented ? { sessionId, status: 'retry' } : { status: 'exception', error },
    );
  }
}

/**
 * An answer may also be missed because the service had closed the connection that the request went to, or because the
 * machine was busy: then asking again helps, and that is what the workflow does.
 */
async function oneOf(ask: ReturnType<typeof createLookupSessions>, index: number, expected: Expected): Promise<Result> {
  for (let left = AGAIN; ; left -= 1) {
    const [result] = await outcomesOf(ask, [index], true);
    if (fits(result!, expected) || result!.status !== 'retry' || left === 0) return result!;
  }
}

function fits(result: Result, expected: Expected): boolean {
  if (result.status === 'exception') return false;
  const noAnswer = result.status === 'retry' || result.status === 'given-up';
  switch (expected.is) {
    case 'any':
      return result.status !== 'found' || typeof result.clientCountryCode === 'string';
    case 'no-answer':
      return noAnswer;
    case 'not-found':
      return result.status === 'not-found';
    case 'found':
      return result.status === 'found' && result.clientCountryCode === expected.country;
    default:
      return expected satisfies never;
  }
}

function described(seed: number, index: number, { kind, bytes, then, expected }: Answer, result: Result): string {
  const text = bytes.toString('latin1');
  return [
    `input ${index} of seed ${seed} (${kind}): expected ${JSON.stringify(expected).slice(0, 200)}, got ${result.status === 'exception' ? String(result.error) : JSON.stringify(result).slice(0, 200)}`,
    `  again:  npm run fuzz -- --only lookup --seed ${seed} --from ${index} --inputs 1`,
    `  answer: ${JSON.stringify(text.slice(0, 1_000))}${text.length > 1_000 ? `… (${text.length} bytes)` : ''} (latin1), then ${then}`,
  ].join('\n');
}

const PARTS = [
  '..',
  '.',
  '/',
  '\\',
  '%2e',
  '%2e%2e',
  '%2f',
  '%252e',
  '%00',
  '?',
  '#',
  ';',
  '@',
  ':',
  '//',
  'http://',
  'a',
  'b',
  '..;',
  '\0',
  '\r\n',
  '\r\nHost: x',
  ' ',
  '\t',
  '\u007f',
  '\u202e',
  '．．',
  '／',
  '\ud800',
  '😀',
  '%',
  '&',
  '=',
  '+',
  '[',
  ']',
  '|',
  "'",
  '"',
  '<',
  '127.0.0.1',
];

/**
 * Every one below the path of the service, as one part of it, or not asked for at all. A request whose
 * connection broke (an answer of before had left something in it) may arrive after its asker has given up: then it is
 * seen while a later id is asked for, and belongs to the earlier one.
 */
async function craftedIds(
  service: LyingService,
  ask: ReturnType<typeof createLookupSessions>,
  random: Random,
  count: number,
  seen: { asked: number; refused: number },
): Promise<string | undefined> {
  const unseen: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const sessionId =
      n < PARTS.length
        ? PARTS[n]!
        : Array.from({ length: random.below(6) }, () => random.pick([...PARTS, service.trap])).join('');
    const [outcome] = await ask({ sessionIds: [sessionId], giveUpAt: NOW });
    const targets = service.targets.splice(0).filter((target) => !isInput(target));
    const shown = JSON.stringify(sessionId);
    let own = 0;
    for (const target of targets) {
      const asked = idOf(target);
      if (asked === undefined) return `the session id ${shown} led to ${JSON.stringify(target)}`;
      if (asked === sessionId && own === 0) {
        own += 1;
        seen.asked += 1;
      } else if (unseen.includes(asked)) {
        unseen.splice(unseen.indexOf(asked), 1);
        seen.refused -= 1;
        seen.asked += 1;
      } else return `the session id ${shown} made a second request, or another's: ${targets.join(' ')}`;
    }
    if (own > 0) continue;
    if (outcome?.status !== 'given-up') return `the session id ${shown} was not asked for and is ${outcome?.status}`;
    unseen.push(sessionId);
    seen.refused += 1;
  }
  return undefined;
}

const SESSIONS = `${BASE}/sessions/`;

/** Of an input of before, which was given up. */
function isInput(target: string): boolean {
  return target.startsWith(SESSIONS) && /^s\d+$/.test(target.slice(SESSIONS.length));
}

/** The session id that a request asks for, if it is one part of a path below that of the service. */
function idOf(target: string): string | undefined {
  const part = target.startsWith(SESSIONS) ? target.slice(SESSIONS.length) : '';
  return /^[A-Za-z0-9\-_.!~*'()%]+$/.test(part) ? decodeURIComponent(part) : undefined;
}
