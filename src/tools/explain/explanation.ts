/** What is known of one money id: its stories, and what of it is in Kafka. */
import { encodeEnriched } from '../../money/codec/enriched.ts';
import type { Attempt } from './load.ts';
import { disagreements, type PublishedRecord } from './published.ts';
import { placeKey } from './happening.ts';
import type { MoneyStory, Stories } from './story.ts';

export interface ExplainedMoney {
  readonly story: MoneyStory;
  readonly published: readonly PublishedRecord[];
  /** What does not fit between history and Kafka. */
  readonly problems: readonly string[];
}

export interface Explained {
  readonly userId: string;
  readonly moneyId: string;
  readonly workflowId: string;
  readonly topic: string;
  /** `read`, or why Kafka was not. */
  readonly kafka: string;
  readonly money: readonly ExplainedMoney[];
  readonly runs: Stories['runs'];
  readonly complete: boolean;
  readonly closed?: string;
}

/** `published`: by place; undefined when Kafka was not read. Attempts of lookups under way are not in the history. */
export function explained(
  who: Pick<Explained, 'userId' | 'moneyId' | 'workflowId' | 'topic' | 'kafka'>,
  stories: Stories,
  attempts: readonly Attempt[],
  published: ReadonlyMap<string, readonly PublishedRecord[]> | undefined,
): Explained {
  const money = stories.ofMoney.map((story): ExplainedMoney => {
    for (const lookup of story.lookups) {
      const attempt =
        lookup.status === 'under-way' ? attempts.find(({ activityId }) => activityId === lookup.activityId) : undefined;
      if (attempt !== undefined) {
        Object.assign(lookup, {
          attempts: attempt.attempt,
          ...(attempt.lastFailure === undefined ? {} : { lastFailure: attempt.lastFailure }),
        });
      }
    }
    const records = published?.get(placeKey(story.place)) ?? [];
    // What no worker has applied for the history may be published already by a task under way.
    const unapplied = story.record === undefined && story.carried === undefined;
    return { story, published: records, problems: unapplied ? [] : disagreements(story, who.userId, records) };
  });
  const { runs, complete, closed } = stories;
  return { ...who, money, runs, complete, ...(closed === undefined ? {} : { closed }) };
}

/** Times as ISO text, the output as the JSON value that consumers get. */
export function explanationDocument(given: Explained): unknown {
  const money = given.money.map(({ story, published, problems }) => ({
    ...story,
    ...(story.output === undefined
      ? {}
      : { output: { value: encodeEnriched(story.output.enriched), incomplete: story.output.incomplete === true } }),
    published: published.map(({ topic, partition, offset, timestamp, headers }) => ({
      topic,
      partition,
      offset,
      timestamp,
      headers,
    })),
    problems,
  }));
  return withTimesIn({ version: 1, ...given, money });
}

const TIMES = /^(ts|timestamp|at|from|late|reached|effectiveTime|watermark|dueAt|wallDueAt|giveUpAt|.+At)$/;

function withTimesIn(document: object): unknown {
  return JSON.parse(JSON.stringify(document, withTimes));
}

function withTimes(name: string, value: unknown): unknown {
  if (Array.isArray(value) && TIMES.test(name) && value.every((one) => typeof one === 'number')) {
    return value.map((ms: number) => new Date(ms).toISOString());
  }
  return typeof value === 'number' && TIMES.test(name) ? new Date(value).toISOString() : value;
}

export function happeningDocument(happening: object): unknown {
  return withTimesIn(happening);
}
