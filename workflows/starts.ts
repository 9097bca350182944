/** What a user's workflow may be started with. Anybody may start one, with anything. */
import { isObject } from './batches.ts';

const HASHED = /^[0-9a-f]{64}$/;

/** The user in the id of a workflow (src/money/workflow-ids.ts); undefined where a hash stands for it. */
export function userIn(workflowId: string): string | undefined {
  const name = workflowId.slice(workflowId.lastIndexOf('/') + 1);
  return HASHED.test(name) ? undefined : name;
}

/** Undefined for a start of a user; otherwise why it is none, in words without values. */
export function whyNotAStart(argument: unknown): string | undefined {
  if (!isObject(argument)) return 'no start of a user';
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
