/**
 * Histories by hand: each step is what Temporal records for it, commands of a task behind it. What activities are asked is not looked at.
 * Times are ms after {@link WALL}.
 */
import type { LookupOutcome } from '../../../activities/contract.ts';
import type { Applicable } from '../../../src/money/domain/events.ts';
import { foldRuns } from '../../../src/tools/explain/fold.ts';
import type { Happening } from '../../../src/tools/explain/happening.ts';
import type { RecordedEvent, RecordedRun } from '../../../src/tools/explain/recorded.ts';
import { StoryTeller, type MoneyStory } from '../../../src/tools/explain/story.ts';
import { happeningWords } from '../../../src/tools/explain/words.ts';
import { newLife, type Life } from '../../../workflows/life.ts';
import { RULES, USER } from '../../money/domain/given.ts';

export const WALL = Date.UTC(2026, 1, 1, 12);
export const TOPICS = { user: 'users', session: 'sessions', money: 'wallet' };

type Fields = RecordedEvent extends infer E ? (E extends RecordedEvent ? Omit<E, 'id' | 'at'> : never) : never;

export class History {
  readonly events: RecordedEvent[] = [];
  readonly #runId: string;
  readonly #life: Life | undefined;
  #activities = 0;
  #timers = 0;

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
  task(at: number, published = 0, { suggested = false } = {}): this {
    this.add(at, { type: 'task-started', bytes: 0, continueAsNewSuggested: suggested, newVersion: false });
    this.add(at, { type: 'task-completed', goesOn: false });
    for (let one = 0; one < published; one += 1) {
      this.add(at, {
        type: 'answered-locally',
        activityId: this.#nextActivity(),
        completedAt: WALL + at,
        result: null,
      });
    }
    return this;
  }

  /** A timer is started by the task before; the alarm is one. */
  timer(at: number): this {
    this.add(at, { type: 'timer-started', timerId: String((this.#timers += 1)) });
    return this;
  }

  /** The last timer is moved: another one is started, and it is cancelled. */
  timerMoved(at: number): this {
    const timerId = String(this.#timers);
    this.timer(at).add(at, { type: 'timer-cancelled', timerId });
    return this;
  }

  timerCancelled(at: number): this {
    this.add(at, { type: 'timer-cancelled', timerId: String(this.#timers) });
    return this;
  }

  timerFired(at: number): this {
    this.add(at, { type: 'timer-fired', timerId: String(this.#timers) });
    return this;
  }

  #nextActivity(): string {
    return String((this.#activities += 1));
  }

  lookup(at: number): number {
    return this.add(at, { type: 'scheduled', activityId: this.#nextActivity(), name: 'lookupSessions', request: {} });
  }

  answer(at: number, scheduled: number, attempt: number, outcome: LookupOutcome, lastFailure?: string): this {
    this.add(at, { type: 'started', scheduled, attempt, ...(lastFailure === undefined ? {} : { lastFailure }) });
    this.add(at, { type: 'completed', scheduled, result: [outcome] });
    return this;
  }

  watch(at: number): number {
    return this.add(at, { type: 'scheduled', activityId: this.#nextActivity(), name: 'readWatermark', request: {} });
  }

  publish(at: number): number {
    return this.add(at, { type: 'scheduled', activityId: this.#nextActivity(), name: 'publish', request: {} });
  }

  get run(): RecordedRun {
    const start = { userId: USER, ...(this.#life === undefined ? {} : { life: this.#life }) };
    return {
      workflowId: USER,
      runId: this.#runId,
      taskQueue: 'app-shard-0',
      startedAt: WALL,
      firstRunId: 'run-1',
      continued: this.#life !== undefined,
      start,
      events: this.events,
    };
  }
}

export async function happenings(...histories: History[]): Promise<Happening[]> {
  const told: Happening[] = [];
  await foldRuns(
    histories.map(({ run }) => run),
    TOPICS,
    (happening) => told.push(happening),
  );
  const differing = told.find(({ type }) => type === 'differs');
  if (differing !== undefined) throw new Error(happeningWords(differing).text);
  return told;
}

export async function stories(moneyId: string, ...histories: History[]): Promise<StoryTeller['told']> {
  const teller = new StoryTeller(moneyId);
  for (const happening of await happenings(...histories)) teller.hear(happening);
  return teller.told;
}

export async function story(moneyId: string, ...histories: History[]): Promise<MoneyStory> {
  return (await stories(moneyId, ...histories)).ofMoney[0]!;
}

export const emptyLife = (): Life => newLife({ startedAt: WALL, runId: 'run-1' });
