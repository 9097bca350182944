/** Collects, from what happened to a user, the stories of the records of one money id. Pure. */
import type { LookupOutcome, Stream } from '../../../activities/contract.ts';
import type { Money, Output } from '../../money/domain/events.ts';
import {
  placeKey,
  type AppliedRecord,
  type CarriedWait,
  type Coordinate,
  type Happening,
  type Joined,
  type PlacedDecision,
  type Release,
} from './happening.ts';
import { differenceWords } from './words.ts';

interface LookupStory {
  readonly call: string;
  readonly askedAt: number;
  readonly giveUpAt: number;
  readonly activityId: string;
  endedAt?: number;
  /** Absent while it is under way, where the history does not say yet. */
  attempts?: number;
  lastFailure?: string;
  status: LookupOutcome['status'] | 'under-way';
}

/** All times are epoch ms. What is absent has not happened, or happened before the retained history. */
export interface MoneyStory {
  readonly place: Coordinate;
  readonly money: Money;
  /** Applied before the oldest retained run: only what was carried is known. */
  readonly carried?: CarriedWait['type'];
  /** Absent while no worker has applied it. */
  readonly record?: AppliedRecord;
  readonly appliedAt?: number;
  readonly decision?: PlacedDecision;
  readonly joined?: Joined;
  readonly redeliveredAt: number[];
  readonly lookups: LookupStory[];
  released?: { readonly at: number; readonly by: Release };
  output?: Output;
  /** `seq`: in its stream. `acknowledgedAt`: when the workflow knew that it was in Kafka. */
  publication?: {
    readonly stream: Stream;
    readonly seq: number;
    readonly askedAt?: number;
    readonly acknowledgedAt?: number;
  };
}

export interface RunStory {
  readonly runId: string;
  readonly from: number;
  /** False: by these rules the run before would have carried another state than this one began with. */
  readonly agrees?: boolean;
  /** From when on it is not followed, because these rules do something else than is recorded. */
  differs?: { readonly at: number; readonly how: string };
}

export interface Stories {
  /** In the order of application. */
  readonly ofMoney: readonly MoneyStory[];
  /** Of the retained runs, oldest first. */
  readonly runs: readonly RunStory[];
  /** Whether nothing is missing before the first of them. */
  readonly complete: boolean;
  readonly closed?: string;
}

export class StoryTeller {
  readonly #moneyId: string;
  readonly #stories: MoneyStory[] = [];
  readonly #runs: RunStory[] = [];
  #complete = false;
  #closed: string | undefined;

  /** `moneyId` in lower case. */
  constructor(moneyId: string) {
    this.#moneyId = moneyId;
  }

  get told(): Stories {
    return {
      ofMoney: this.#stories,
      runs: this.#runs,
      complete: this.#complete,
      ...(this.#closed === undefined ? {} : { closed: this.#closed }),
    };
  }

  hear(told: Happening): void {
    switch (told.type) {
      case 'run':
        if (told.beginning === 'first') this.#complete = true;
        this.#runs.push({
          runId: told.runId,
          from: told.at,
          ...(told.agrees === undefined ? {} : { agrees: told.agrees }),
        });
        return;
      case 'carried':
        return this.#carried(told.place, told.waiting);
      case 'money': {
        if (told.money.id !== this.#moneyId) return;
        const { record, money, decision, joined, output, seq } = told;
        const place = { topic: record.topic, partition: record.partition, offset: record.offset };
        this.#stories.push({
          place,
          money,
          record,
          appliedAt: told.at,
          decision,
          ...(joined && { joined }),
          redeliveredAt: [],
          lookups: [],
          ...(output && { output, publication: { stream: 'applied', seq: seq! } }),
        });
        return;
      }
      case 'unapplied':
        if (told.money?.id !== this.#moneyId) return;
        this.#stories.push({
          place: { topic: told.record.topic, partition: told.record.partition, offset: told.record.offset },
          money: told.money,
          redeliveredAt: [],
          lookups: [],
        });
        return;
      case 'redelivery':
        if (told.moneyId === this.#moneyId) this.#of(told.record)?.redeliveredAt.push(told.at);
        return;
      case 'released':
        return this.#change(told.place, (story) => {
          story.released = { at: told.at, by: told.by };
          if (told.output !== undefined) story.output = told.output;
        });
      case 'lookup-asked':
        for (const place of told.of) {
          this.#of(place)?.lookups.push({
            call: told.call,
            askedAt: told.at,
            giveUpAt: told.giveUpAt,
            activityId: told.activityId,
            status: 'under-way',
          });
        }
        return;
      case 'lookup-ended':
        for (const answer of told.answers) {
          this.#change(answer.place, (story) => {
            const lookup = story.lookups.find(({ call }) => call === told.call);
            if (lookup === undefined) return;
            Object.assign(lookup, {
              endedAt: told.at,
              attempts: told.attempts,
              status: answer.status,
              ...(told.lastFailure === undefined ? {} : { lastFailure: told.lastFailure }),
            });
            if (answer.output !== undefined) story.output = answer.output;
          });
        }
        return;
      case 'publish-asked':
        return told.of.forEach((place, index) =>
          this.#change(place, (story) => {
            story.publication = { stream: told.stream, seq: told.first + index, askedAt: told.at };
          }),
        );
      case 'published':
        return told.of.forEach((place, index) =>
          this.#change(place, (story) => {
            story.publication = {
              ...story.publication,
              stream: told.stream,
              seq: told.first + index,
              acknowledgedAt: told.at,
            };
          }),
        );
      case 'differs':
        this.#runs.at(-1)!.differs = { at: told.at, how: differenceWords(told) };
        return;
      case 'closed':
        this.#closed = told.how;
        return;
      case 'change':
      case 'session':
      case 'watermark':
      case 'task-failed':
        return;
      default:
        return told satisfies never;
    }
  }

  #carried(place: Coordinate, waiting: CarriedWait): void {
    const money = waiting.type === 'unpublished' ? waiting.output.enriched.money : waiting.money.money;
    if (money.id !== this.#moneyId) return;
    const decision = waiting.type === 'pending' && {
      decision: {
        type: 'pending',
        dueAt: waiting.money.dueAt,
        ...(waiting.money.wallDueAt === undefined ? {} : { wallDueAt: waiting.money.wallDueAt }),
      } as const,
    };
    this.#stories.push({
      place,
      money,
      carried: waiting.type,
      ...(decision || {}),
      redeliveredAt: [],
      lookups: [],
      ...(waiting.type === 'unpublished' ? { output: waiting.output } : {}),
    });
  }

  /** The last story of this place that is no duplicate's: of money that came out, there is one. */
  #of(place: Pick<Coordinate, 'partition' | 'offset'>): MoneyStory | undefined {
    return this.#stories.findLast((story) => placeKey(story.place) === placeKey(place));
  }

  #change(place: Coordinate, change: (story: MoneyStory) => void): void {
    const story = this.#of(place);
    if (story !== undefined) change(story);
  }
}
