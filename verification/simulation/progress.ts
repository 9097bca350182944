/**
 * The judge that nothing that could go on stands still. An output could go on from when the logs have all that it waits
 * for. From then on it has a bounded time to come out, in which only the moments count when nothing that it needs was
 * disturbed: its partition, its shard, its user, the session service if it is looked up. Whatever else is broken meanwhile is
 * no excuse. The same holds for a dead letter, which needs its partition only.
 */
import type { ModelResult } from '../../src/money/model/model.ts';
import { shardOf } from '../../src/money/codec/shard.ts';
import type { Log } from './logged.ts';
import type { Operator } from './operator.ts';
import type { Scenario } from './scenario.ts';
import { INPUT_TOPICS, TOPICS, type SimSystem } from './system.ts';
import type { Scope, Touched } from './touched.ts';

/** ms of undisturbed time; fetches, spacing, commits, retries and polls take some of it. */
const BOUND = 30_000;

export interface Stalled {
  readonly what: string;
  readonly ms: number;
}

/** Everything that came out later than it had to, the worst first. */
export function stalled(
  system: SimSystem,
  expected: ModelResult,
  log: Log,
  touched: Touched,
  scenario: Scenario,
  accepted: Operator['accepted'],
): Stalled[] {
  const { pendingTimeout, lookupGiveUpAfter } = scenario.settings.rules;
  // A person said then how reading goes on in it, if they ever had to.
  const decidedAt = (partition: number): number =>
    Math.max(...INPUT_TOPICS.map((topic) => accepted.get(`${topic}/${partition}`)?.to ?? -Infinity));
  const seen = firstSeen(system, log);
  const found: Stalled[] = [];
  const judge = (what: string, from: number, to: number, allowed: number, scopes: readonly Scope[]): void => {
    const ms = touched.untouched(from, to, ['everything', ...scopes]) - allowed;
    if (ms > BOUND) found.push({ what, ms });
  };
  for (const { partition, offset, userId, path, waited, incomplete } of expected.outputs) {
    const place = `money/${partition}/${offset}`;
    const at = seen.get(place);
    if (at === undefined) continue; // told elsewhere
    const shard = shardOf(userId, scenario.shards);
    const scopes: Scope[] = [`partition ${partition}`, `shard ${shard}`, `user ${userId}`];
    // By bytes, a user's state may have forgotten a session that the model knows: its money waits as if that had never come.
    const mayWait = waited || (scenario.boundsPlan === 'small' && log.namesSession(place));
    // What waited may have been looked up by the wall clock, before its session came by event time: the output is the same.
    if ((path === 'lookup' || mayWait) && !incomplete) scopes.push('lookups');
    const allowed = (mayWait ? pendingTimeout : 0) + (incomplete ? lookupGiveUpAfter : 0);
    judge(
      `${place} of ${userId} in shard ${shard} (${path}${waited ? ', waited' : ''}${incomplete ? ', incomplete' : ''})`,
      log.readyAt(place, decidedAt(partition)),
      at,
      allowed,
      scopes,
    );
  }
  for (const { topic, partition, offset } of expected.deadLetters) {
    const place = `${topic}/${partition}/${offset}`;
    const at = system.deadLettersSeen.get(place); // of a log that took another's place: told elsewhere
    if (at !== undefined) {
      judge(`the dead letter of ${place} in ${TOPICS.deadLetter}`, log.arrivedAt(place), at, 0, [
        `partition ${partition}`,
      ]);
    }
  }
  return found.sort((a, b) => b.ms - a.ms);
}

function firstSeen({ outputs }: SimSystem, log: Log): Map<string, number> {
  const seen = new Map<string, number>();
  for (const output of outputs) {
    const place = log.moneyOf(output);
    if (place !== undefined && !seen.has(place)) seen.set(place, output.seenAt);
  }
  return seen;
}
