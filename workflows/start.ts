/**
 * What a workflow is started with. Anybody may start one under a user's id, with anything; then it is as if it had been
 * started with nothing, and what comes later still comes out. A run that continues another is different: what it carries is
 * all that is known of the user, so what cannot be read there fails the task, until it can be read.
 */
import { isObject } from './batches.ts';
import type { Start } from './life.ts';
import { UNREADABLE } from './messages.ts';

export interface Begun {
  readonly start: Start;
  /** Why the argument was put aside, in words without values. */
  readonly notOurs?: string;
}

/** The user of a workflow's id, see `workflowIdOf`. */
export function userOf(workflowId: string): string {
  return workflowId.slice(workflowId.lastIndexOf('/') + 1);
}

/** Throws, and so fails the task, for what a run before this one carried and cannot be read. */
export function begin(argument: unknown, { workflowId, continued }: { readonly workflowId: string; readonly continued: boolean }): Begun {
  const userId = userOf(workflowId);
  const wrong = whyNotAStart(argument);
  // What the run before carried says whose it is: a history may be replayed under another name.
  const another = wrong === undefined && !continued && (argument as Start).userId !== userId;
  if (wrong === undefined && !another) return { start: argument as Start };
  if (continued) throw new Error(`The carried state of ${workflowId} cannot be used (${wrong}): run the version that wrote it, or terminate the workflow and rebuild it with "bootstrap"`);
  return { start: { userId }, notOurs: wrong ?? 'the start of another user' };
}

function whyNotAStart(argument: unknown): string | undefined {
  if (!isObject(argument)) return 'no start of a user';
  if (UNREADABLE in argument) return String(argument[UNREADABLE]);
  if (typeof argument['userId'] !== 'string') return 'no user';
  const { life } = argument;
  return life === undefined || isLife(life) ? undefined : 'a state that is none';
}

/** As far as the fold goes on with it; what is within is of our own making or of nobody's. */
function isLife(life: unknown): boolean {
  if (!isObject(life)) return false;
  const { incarnation, published, unpublished, user, rules, partition } = life;
  if (!isObject(incarnation) || typeof incarnation['startedAt'] !== 'number' || typeof incarnation['runId'] !== 'string') return false;
  if (!isObject(published) || typeof published['applied'] !== 'number' || typeof published['resolved'] !== 'number') return false;
  if (!Array.isArray(unpublished) || (rules !== null && !isObject(rules)) || typeof partition !== 'number' || !isObject(user)) return false;
  const { redelivery, birthYear, residentCountryCode, sessions, dedup, moneyTypes, pending, lookups, counters } = user;
  return [redelivery, sessions, dedup, pending, counters].every(isObject) && [birthYear, residentCountryCode, moneyTypes, lookups].every(Array.isArray);
}
