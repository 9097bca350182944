/**
 * The verdict: everything that came out against what the independent model says of the logs as they are in Kafka,
 * record by record and byte by byte.
 */
import { DEFAULT_SETTINGS, model } from '../../money/model/model.ts';
import type { ModelResult, LogRecord } from '../../money/model/model.ts';
import type { MoneyInput } from '../../money/domain/events.ts';
import { INPUTS } from '../../money/domain/events.ts';
import type { SeenRecord } from '../../engine/kafka/kafkajs/tail.ts';
import { DEMO_RULES, LOOKED_UP_COUNTRY } from './setup.ts';

export type StoryTopics = Readonly<Record<MoneyInput, string>>;

export interface Evidence {
  readonly topics: StoryTopics;
  /** Of the three input topics, in JSON. */
  readonly inputs: readonly SeenRecord[];
  /** The same as they were written. */
  readonly written: readonly SeenRecord[];
  /** In JSON. */
  readonly outputs: readonly SeenRecord[];
  readonly deadLetters: readonly SeenRecord[];
}

export interface Check {
  readonly ok: boolean;
  /** In plain words, with numbers. */
  readonly text: string;
}

export interface DemoVerdict {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  /** What is wrong, one thing a line. */
  readonly differences: readonly string[];
}

/** What the logs must lead to. */
export function expectationOf(inputs: readonly SeenRecord[], topics: StoryTopics): ModelResult {
  const inputOf = new Map(INPUTS.map((input) => [topics[input], input]));
  const records = inputs.flatMap((record): LogRecord[] => {
    const topic = inputOf.get(record.topic);
    return topic === undefined ? [] : [{ ...record, topic }];
  });
  return model({
    records,
    settings: { ...DEFAULT_SETTINGS, ...DEMO_RULES, pendingAtEnd: 'leave' },
    sessionService: () => LOOKED_UP_COUNTRY,
  });
}

export function judge(expected: ModelResult, evidence: Evidence): DemoVerdict {
  const outputs = compare(expectedOutputs(expected), evidence.outputs.map(seenOutput));
  const deadLetters = compare(expectedDeadLetters(expected, evidence), evidence.deadLetters.map(seenDeadLetter));
  const { duplicates, stillPending } = expected;
  const money = evidence.inputs.filter(({ topic }) => topic === evidence.topics.money).length;
  const checks = [
    check(
      outputs.missing + outputs.twice + outputs.unexpected === 0,
      `${plural(expected.outputs.length, 'money event')} had to come out (of ${plural(money, 'record')} in ${evidence.topics.money}): each did, exactly once`,
      `${plural(expected.outputs.length, 'money event')} had to come out once each, but ${said(outputs)}`,
    ),
    check(
      outputs.different === 0,
      `every field of them is right, byte for byte: amounts digit by digit, user info and session as of the event's time`,
      `${plural(outputs.different, 'output')} with wrong content`,
    ),
    check(
      expectNone(outputs.unexpectedPlaces, duplicates),
      `${plural(duplicates.length, 'duplicate')} came in: none of them came out`,
      `duplicates came out`,
    ),
    check(
      deadLetters.missing + deadLetters.twice + deadLetters.unexpected + deadLetters.different === 0,
      `${plural(expected.deadLetters.length, 'record')} could not be used: each is in the dead letters once, unchanged, with its reason`,
      `dead letters: ${said(deadLetters)}${deadLetters.different > 0 ? `, ${deadLetters.different} different` : ''}`,
    ),
    check(
      stillPending.length === 0,
      'nothing is left waiting',
      `${plural(stillPending.length, 'money event')} would still be waiting: the scenario ended too early`,
    ),
  ];
  const differences = [...outputs.differences, ...deadLetters.differences];
  return { ok: checks.every(({ ok }) => ok) && differences.length === 0, checks, differences };
}

function check(ok: boolean, right: string, wrong: string): Check {
  return { ok, text: ok ? right : wrong };
}

function expectNone(
  unexpected: ReadonlySet<string>,
  places: readonly { partition: number; offset: number }[],
): boolean {
  return !places.some(({ partition, offset }) => unexpected.has(`money ${partition}/${offset}`));
}

/** A record as it has to be: its place (where its input was read) and its content. */
interface Item {
  readonly place: string;
  readonly content: string;
}

interface Comparison {
  readonly missing: number;
  readonly twice: number;
  readonly unexpected: number;
  readonly different: number;
  readonly unexpectedPlaces: ReadonlySet<string>;
  readonly differences: readonly string[];
}

function said({ missing, twice, unexpected }: Comparison): string {
  return [`${missing} missing`, `${twice} more than once`, `${unexpected} that should not be there`].join(', ');
}

function compare(expected: readonly Item[], seen: readonly Item[]): Comparison {
  const wanted = new Map(expected.map((item) => [item.place, item.content]));
  const found = new Set<string>();
  const unexpectedPlaces = new Set<string>();
  const differences: string[] = [];
  const counts = { missing: 0, twice: 0, unexpected: 0, different: 0 };
  for (const { place, content } of seen) {
    const right = wanted.get(place);
    if (found.has(place)) {
      counts.twice += 1;
      differences.push(`more than once: ${place}\n    ${content}`);
    } else if (right === undefined) {
      counts.unexpected += 1;
      unexpectedPlaces.add(place);
      differences.push(`should not be there: ${place}\n    ${content}`);
    } else if (right !== content) {
      counts.different += 1;
      differences.push(`different: ${place}\n    is        ${content}\n    should be ${right}`);
    }
    found.add(place);
  }
  for (const { place, content } of expected) {
    if (found.has(place)) continue;
    counts.missing += 1;
    differences.push(`missing: ${place}\n    ${content}`);
  }
  return { ...counts, unexpectedPlaces, differences };
}

function expectedOutputs(expected: ModelResult): Item[] {
  return expected.outputs.map(({ partition, offset, key, value, incomplete }) => ({
    place: `money ${partition}/${offset}`,
    content: `key ${key} ${value}${incomplete ? ' (incomplete)' : ''}`,
  }));
}

function seenOutput({ key, value, headers }: SeenRecord): Item {
  const { 'source-partition': partition, 'source-offset': offset, enrichment } = headers;
  const mark = enrichment === undefined ? '' : ` (${enrichment})`;
  return { place: `money ${partition}/${offset}`, content: `key ${String(key)} ${String(value)}${mark}` };
}

function expectedDeadLetters(expected: ModelResult, { written, topics }: Evidence): Item[] {
  const raw = new Map(written.map((record) => [`${record.topic}/${record.partition}/${record.offset}`, record]));
  return expected.deadLetters.map(({ topic, partition, offset, reason }) => {
    const place = `${topics[topic]}/${partition}/${offset}`;
    const record = raw.get(place);
    return {
      place: `dead letter of ${place}`,
      content: deadLetterText(reason, String(record?.timestamp), record?.key, record?.value),
    };
  });
}

function seenDeadLetter({ key, value, headers }: SeenRecord): Item {
  const place = `${headers['source-topic']}/${headers['source-partition']}/${headers['source-offset']}`;
  return {
    place: `dead letter of ${place}`,
    content: deadLetterText(headers['reason'] ?? 'no reason', headers['source-timestamp'] ?? 'none', key, value),
  };
}

function deadLetterText(
  reason: string,
  timestamp: string,
  key: Buffer | null | undefined,
  value: Buffer | null | undefined,
): string {
  return `${reason}, timestamp ${timestamp}, key ${bytes(key)}, value ${bytes(value)}`;
}

function bytes(data: Buffer | null | undefined): string {
  return data === null || data === undefined ? 'null' : `base64 ${data.toString('base64')}`;
}

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** What the workflows count themselves; `views` of everybody who has one. */
export function judgeStates(expected: ModelResult, views: readonly StateCounts[]): Check {
  const sum = (of: (view: StateCounts) => number): number => views.reduce((total, view) => total + of(view), 0);
  const applied = sum(({ counters }) => counters.moneyApplied);
  const published = sum(({ counters }) => counters.published);
  const dropped = sum(({ counters }) => counters.duplicatesDropped);
  const pending = sum(({ sizes }) => sizes.pendingMoney);
  const right = expected.outputs.length;
  const books = `${applied.toLocaleString('en')} applied, ${published.toLocaleString('en')} published, ${dropped.toLocaleString('en')} duplicates dropped, ${pending} waiting`;
  return check(
    published === right &&
      applied === right + expected.stillPending.length &&
      dropped === expected.duplicates.length &&
      pending === expected.stillPending.length,
    `the state of ${plural(views.length, 'workflow')} says the same: ${books}`,
    `the state of ${plural(views.length, 'workflow')} does not fit: ${books}`,
  );
}

export interface StateCounts {
  readonly counters: { readonly moneyApplied: number; readonly published: number; readonly duplicatesDropped: number };
  readonly sizes: { readonly pendingMoney: number };
}
