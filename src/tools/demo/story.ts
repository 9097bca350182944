/** One user's story: what came in, by event time but the late where it arrived, and what became of it. */
import type { ModelResult } from '../../money/model/model.ts';
import type { UserStateView } from '../../../workflows/views.ts';
import { INPUTS } from '../../money/domain/events.ts';
import type { MoneyInput } from '../../money/domain/events.ts';
import type { SeenRecord } from '../../engine/kafka/kafkajs/tail.ts';
import type { StoryTopics } from './verdict.ts';

export interface StoryInput {
  readonly userId: string;
  readonly topics: StoryTopics;
  readonly inputs: readonly SeenRecord[];
  /** As they came out of the system. */
  readonly outputs: readonly SeenRecord[];
  readonly deadLetters: readonly SeenRecord[];
  readonly expected: ModelResult;
  readonly state: UserStateView;
}

type Json = Readonly<Record<string, unknown>>;
type Parsed = Json & { readonly [AMOUNT]: string };
/** The amount as its text in the record: no number may pass through a binary float, not even to be shown. */
const AMOUNT = Symbol('amount');

/** ms between event time and arrival that are worth telling */
const LATE = 12 * 60_000;

export function tellStory(story: StoryInput): string[] {
  const inputOf = new Map<string, MoneyInput>(INPUTS.map((input) => [story.topics[input], input]));
  const own = story.inputs
    .filter(({ key }) => String(key) === `"${story.userId}"`)
    .map((record) => {
      const event = parse(record.value);
      const ts = Date.parse(String(event['processedAt']));
      const delay = record.timestamp - ts;
      return { record, event, ts, delay, told: delay > LATE ? record.timestamp : ts };
    })
    .sort((a, b) => a.told - b.told || a.record.offset - b.record.offset);
  const lines = own.flatMap(({ record, event, ts, delay }) => {
    const what = describe(event);
    const outcome = outcomeOf(inputOf.get(record.topic)!, record, story);
    const line = `  ${time(ts)}  ${what}${delay > LATE ? `  (arrives ${Math.round(delay / 60_000)} minutes late)` : ''}`;
    return outcome === undefined ? [line] : [line, `${' '.repeat(16)}-> ${outcome}`];
  });
  return [`The story of user ${story.userId}`, '', ...lines, '', ...stateLines(story.state)];
}

function describe(event: Parsed): string {
  const session =
    event['userSessionId'] === undefined || event['userSessionId'] === null
      ? 'no session'
      : `session ${short(event['userSessionId'])}`;
  switch (event['type']) {
    case 'UserSessionCreatedEvent':
      return `session ${short(event['id'])} begins in ${text(event['clientCountryCode'])}`;
    case 'ChangeBirthDateEvent':
      return `born in ${text(event['birthYear'])}`;
    case 'ChangeAddressEvent':
      return `moves to ${text(event['residentCountryCode'])}`;
    case 'PaymentEvent':
    case 'TransactionEvent': {
      const old = event['isOldMoneyEvent'] === true ? ', old' : '';
      return `money ${short(event['id'])}: ${text(event['moneyType'])} ${event[AMOUNT]} ${text(event['currency'])}, ${session}${old}`;
    }
    default:
      return text(event['type']);
  }
}

function outcomeOf(input: MoneyInput, { topic, partition, offset }: SeenRecord, story: StoryInput): string | undefined {
  const at = ({ headers: { 'source-partition': p, 'source-offset': o } }: SeenRecord): boolean =>
    p === String(partition) && o === String(offset);
  const dead = story.deadLetters.find((record) => record.headers['source-topic'] === topic && at(record));
  if (dead !== undefined) return `dead letter: ${dead.headers['reason']}, ${dead.headers['detail']}`;
  if (input !== 'money') return undefined;
  const is = (place: { partition: number; offset: number }): boolean =>
    place.partition === partition && place.offset === offset;
  const output = story.outputs.find(at);
  if (output === undefined) return story.expected.duplicates.some(is) ? 'duplicate, dropped' : 'nothing came out';
  const expected = story.expected.outputs.find(is);
  const enriched = parse(output.value) as { userInfo?: Json; sessionInfo?: Json; firstOccurrence?: boolean };
  const info = Object.values(enriched.userInfo ?? {})
    .map(text)
    .join(' ');
  const how =
    expected?.path === 'lookup'
      ? `looked up${expected.waited ? ' after an hour of waiting' : ''}`
      : expected?.path === 'session'
        ? 'waited for its session'
        : undefined;
  const country =
    enriched.sessionInfo === undefined
      ? []
      : [`client in ${text(enriched.sessionInfo['clientCountryCode'])}${how === undefined ? '' : ` (${how})`}`];
  return [
    `enriched: user ${info === '' ? 'unknown' : info}`,
    ...country,
    ...(enriched.firstOccurrence === true ? ['first of its type'] : []),
  ].join(', ');
}

function stateLines(state: UserStateView): string[] {
  const { counters, userInfo, sizes } = state;
  const sessions = state.sessions.map(
    ({ sessionId, clientCountryCode, status }) => `${short(sessionId)} ${clientCountryCode} ${status}`,
  );
  const info = Object.values(userInfo ?? {}).join(' ');
  return [
    'Its workflow answers the query "state":',
    `  event time  ${state.effectiveTime ?? 'none yet'}`,
    `  user info   ${info === '' ? 'none' : info}`,
    `  sessions    ${sessions.length === 0 ? 'none' : sessions.join(', ')}`,
    `  first seen  ${state.firstOccurrences.join(', ')}`,
    `  money       applied ${counters.moneyApplied}, published ${counters.published}, duplicates dropped ${counters.duplicatesDropped}, ` +
      `late ${counters.late}, looked up ${counters.lookedUp}`,
    `  waiting     for a session ${sizes.pendingMoney}, for a lookup ${sizes.lookups}`,
  ];
}

function parse(value: Buffer | null): Parsed {
  const json = String(value);
  const parsed: unknown = JSON.parse(json);
  return { ...(parsed as Json), [AMOUNT]: /"amount":([^,}]+)/.exec(json)?.[1] ?? '?' };
}

function short(id: unknown): string {
  return String(id).slice(0, 4);
}

function text(value: unknown): string {
  return String(value);
}

/** Day and minute, in UTC. */
function time(ts: number): string {
  return new Date(ts).toISOString().slice(5, 16).replace('T', ' ');
}
