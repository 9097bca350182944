/** Histories by hand: each step is what Temporal records for it. Times are ms after {@link WALL}. */
import type { LookupOutcome, Output } from '../../../activities/contract.ts';
import type { Applicable } from '../../../src/money/domain/events.ts';
import { foldRuns } from '../../../src/tools/explain/fold.ts';
import type { Happening } from '../../../src/tools/explain/happening.ts';
import type { RecordedEvent, RecordedRun } from '../../../src/tools/explain/recorded.ts';
import { StoryTeller, type MoneyStory } from '../../../src/tools/explain/story.ts';
import { newLife, type Life } from '../../../workflows/life.ts';
import { RULES, USER } from '../../money/domain/given.ts';

export const WALL = Date.UTC(2026, 1, 1, 12);
export const TOPICS = { user: 'users', session: 'sessions', money: 'wallet' };

type Fields = RecordedEvent extends infer E ? (E extends RecordedEvent ? Omit<E, 'id' | 'at'> : never) : never;

export class History {
  readonly events: RecordedEvent[] = [];
  readonly #runId: string;
  readonly #life: Life | undefined;

  constructor(runId = 'run-1', life?: Life) {
    this.#runId = runId;
    this.#life = life;
  }

  add(at: number, fields: Fields): number {
    const id = this.events.length + 2;
    this.events.push({ id, at: WALL + at, ...fields } as RecordedEvent);
    return id;
  }

  signal(at: number, ...records: Applicable[]): this {
    this.add(at, { type: 'signal', batch: { partition: 0, lowWater: [0, 0, 0], rules: RULES, records } });
    return this;
  }

  /** A completed task, with the markers of `published` local activities. */
  task(at: number, published = 0): this {
    this.add(at, { type: 'task-started' });
    this.add(at, { type: 'task-completed' });
    for (let one = 0; one < published; one += 1) this.add(at, { type: 'published-locally', completedAt: WALL + at });
    return this;
  }

  lookup(at: number, sessionId: string, giveUpAt: number): number {
    return this.add(at, {
      type: 'scheduled',
      activityId: '9',
      activity: { name: 'lookupSessions', request: { sessionIds: [sessionId], giveUpAt: WALL + giveUpAt } },
    });
  }

  answer(at: number, scheduled: number, attempt: number, outcome: LookupOutcome, lastFailure?: string): this {
    this.add(at, { type: 'started', scheduled, attempt, ...(lastFailure === undefined ? {} : { lastFailure }) });
    this.add(at, { type: 'completed', scheduled, result: [outcome] });
    return this;
  }

  publish(at: number, first: number, ...outputs: Output[]): number {
    const request = {
      userId: USER,
      incarnation: { startedAt: WALL, runId: 'run-1' },
      stream: 'resolved',
      first,
      outputs,
    } as const;
    return this.add(at, { type: 'scheduled', activityId: '8', activity: { name: 'publish', request } });
  }

  get run(): RecordedRun {
    const start = { userId: USER, ...(this.#life === undefined ? {} : { life: this.#life }) };
    return { runId: this.#runId, startedAt: WALL, firstRunId: 'run-1', start, events: this.events };
  }
}

export function happenings(...histories: History[]): Happening[] {
  const told: Happening[] = [];
  foldRuns(
    histories.map(({ run }) => run),
    TOPICS,
    (happening) => told.push(happening),
  );
  return told;
}

export function stories(moneyId: string, ...histories: History[]): StoryTeller['told'] {
  const teller = new StoryTeller(moneyId);
  for (const happening of happenings(...histories)) teller.hear(happening);
  return teller.told;
}

export function story(moneyId: string, ...histories: History[]): MoneyStory {
  return stories(moneyId, ...histories).ofMoney[0]!;
}

export const emptyLife = (): Life => newLife({ startedAt: WALL, runId: 'run-1' });
