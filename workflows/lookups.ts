/** The session lookups of a user's workflow, as the questions of the engine: what waits for how long is decided there. */
import { FAILURES, type LookupOutcome } from '../activities/contract.ts';
import type { EntityQuestions } from '../src/engine/workflow/entity/entity.ts';
import { resolveLookup, type Answer } from '../src/money/domain/apply.ts';
import type { Life, Lookup, Output } from '../src/money/domain/types.ts';
import { lookupSummary } from './details.ts';
import { lookupGroups } from './lookup-groups.ts';

const HOUR = 3_600_000;

export const sessionLookups: EntityQuestions<Life, Output, Lookup, Answer> = {
  activity: 'lookupSessions',
  failures: { noAnswer: FAILURES.sessionServiceUnavailable, notAsked: FAILURES.lookupsBusy },
  open: ({ user }) => user.lookups,
  groups: (lookups) =>
    lookupGroups(lookups).map(({ sessionIds, giveUpAt, lookups: questions }) => ({
      request: { sessionIds, giveUpAt },
      giveUpAt,
      questions,
    })),
  summary: lookupSummary,
  giveUpAfter: ({ rules }) => rules?.lookupGiveUpAfter ?? HOUR,
  answersIn(result) {
    const bySession = new Map((result as readonly LookupOutcome[]).map((outcome) => [outcome.sessionId, outcome]));
    return ({ money }) => {
      const outcome = bySession.get(money.userSessionId);
      return outcome === undefined || outcome.status === 'retry' ? undefined : outcome;
    };
  },
  givenUp: { status: 'given-up' },
  answered: (life, lookup, answer, { key, now }) => [resolveLookup(life.user, lookup, answer, { userId: key, now })],
};
