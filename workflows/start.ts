/**
 * What a workflow is started with. Anybody may start one under a user's id, with anything; then it is as if it had been
 * started with nothing, and what comes later still comes out. A run that continues another is different: what it carries is
 * all that is known of the user, so what cannot be read there fails the task, until it can be read.
 */
import { isObject } from './batches.ts';
import type { Life, Start } from './life.ts';
import { UNREADABLE } from '../src/engine/workflow/mark.ts';

export interface Begun {
  readonly whose: Whose;
  readonly life?: Life;
  /** Why the argument was put aside, in words without values. */
  readonly notOurs?: string;
}

/**
 * The user of a workflow. Its id says it, or is a keyed hash that says nothing (src/money/workflow-ids.ts): then what it was started
 * with is a claim until the first batch, which the bridge sends to the id that it computed itself.
 */
export class Whose {
  #userId: string | undefined;
  #certain: boolean;

  constructor(userId: string | undefined, certain: boolean) {
    this.#userId = userId;
    this.#certain = certain;
  }

  /** Undefined until it is known. */
  get userId(): string | undefined {
    return this.#userId;
  }

  /** The user that a batch names, if it may be this one. */
  mayBe(userId: string | undefined): boolean {
    return userId === undefined || !this.#certain || userId === this.#userId;
  }

  /** A batch of this user was taken. */
  took({ userId }: { readonly userId?: string }): void {
    this.#userId = userId ?? this.#userId;
    this.#certain ||= this.#userId !== undefined;
  }
}

const HASHED = /^[0-9a-f]{64}$/;

/** The user of a workflow's id, see `workflowIdOf`; undefined where the id is a hash. */
export function userOf(workflowId: string): string | undefined {
  const name = workflowId.slice(workflowId.lastIndexOf('/') + 1);
  return HASHED.test(name) ? undefined : name;
}

/** Throws, and so fails the task, for what a run before this one carried and cannot be read. */
export function begin(
  argument: unknown,
  { workflowId, continued }: { readonly workflowId: string; readonly continued: boolean },
): Begun {
  const named = userOf(workflowId);
  const wrong = whyNotAStart(argument);
  if (wrong !== undefined) {
    if (continued) {
      throw new Error(
        `The carried state of ${workflowId} cannot be used (${wrong}): run the version that wrote it, or terminate the workflow and rebuild it with "bootstrap"`,
      );
    }
    return { whose: new Whose(named, named !== undefined), notOurs: wrong };
  }
  const { userId, life } = argument as Start;
  // What the run before carried says whose it is: a history may be replayed under another name.
  if (!continued && named !== undefined && userId !== named) {
    return { whose: new Whose(named, true), notOurs: 'the start of another user' };
  }
  return {
    whose: new Whose(userId, continued || named !== undefined || life !== undefined),
    ...(life === undefined ? {} : { life }),
  };
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
  if (
    !isObject(incarnation) ||
    typeof incarnation['startedAt'] !== 'number' ||
    typeof incarnation['runId'] !== 'string'
  ) {
    return false;
  }
  if (!isObject(published) || typeof published['applied'] !== 'number' || typeof published['resolved'] !== 'number') {
    return false;
  }
  if (
    !Array.isArray(unpublished) ||
    (rules !== null && !isObject(rules)) ||
    typeof partition !== 'number' ||
    !isObject(user)
  ) {
    return false;
  }
  const { redelivery, birthYear, residentCountryCode, sessions, dedup, moneyTypes, pending, lookups, counters } = user;
  return (
    [redelivery, sessions, dedup, pending, counters].every(isObject) &&
    [birthYear, residentCountryCode, moneyTypes, lookups].every(Array.isArray)
  );
}
