/**
 * The verdict: what came out against what the independent model says of the logs as they are in Kafka. Pure. Everything
 * is compared by the place of the input record that an output stands for.
 */
import { createHash } from 'node:crypto';
import { DEFAULT_SETTINGS, model } from '../../src/money/model/model.ts';
import type { ModelResult, ModelSettings, LogRecord, Topic } from '../../src/money/model/model.ts';
import type { JavaRecord } from './reader.ts';

export type InputTopics = Readonly<Record<Topic, string>>;

export interface Evidence {
  readonly topics: InputTopics;
  readonly inputs: readonly JavaRecord[];
  /** Each partition in the order of its offsets, as a read_committed reader sees it in the end. */
  readonly outputs: readonly JavaRecord[];
  readonly deadLetters: readonly JavaRecord[];
  /** {@link digestOf} by {@link placeOf}: what a read_committed reader saw while it happened. */
  readonly seenLive: ReadonlyMap<string, string>;
}

const COUNTED = ['missing', 'twice', 'different', 'unexpected', 'sequence', 'order', 'vanished', 'input'] as const;
type Wrong = (typeof COUNTED)[number];

export interface Verdict {
  readonly ok: boolean;
  readonly counts: Readonly<Record<Wrong, number>>;
  /** What is wrong, one thing a line. */
  readonly differences: readonly string[];
}

export function expectationOf(
  inputs: readonly JavaRecord[],
  topics: InputTopics,
  countries: (sessionId: string) => string | null | undefined,
  settings: Partial<ModelSettings> = {},
): ModelResult {
  const inputOf = new Map(Object.entries(topics).map(([topic, name]) => [name, topic as Topic]));
  const records = inputs.flatMap((record): LogRecord[] => {
    const topic = inputOf.get(record.topic);
    return topic === undefined ? [] : [{ ...record, topic }];
  });
  return model({
    records,
    settings: { ...DEFAULT_SETTINGS, pendingAtEnd: 'leave', ...settings },
    sessionService: countries,
  });
}

/** Of an output that was looked up both are right, the answer and giving up; which one it is, it says itself. */
export function eitherOf(answered: ModelResult, givenUp: ModelResult, outputs: readonly JavaRecord[]): ModelResult {
  const without = new Map(givenUp.outputs.map((output) => [`${output.partition}/${output.offset}`, output]));
  const incomplete = new Set(
    outputs
      .filter(({ headers }) => headers['enrichment'] === 'incomplete')
      .map(({ headers }) => `${headers['source-partition']}/${headers['source-offset']}`),
  );
  return {
    ...answered,
    outputs: answered.outputs.map((output) => {
      const place = `${output.partition}/${output.offset}`;
      return incomplete.has(place) && output.path === 'lookup' ? (without.get(place) ?? output) : output;
    }),
  };
}

export function judge(expected: ModelResult, evidence: Evidence): Verdict {
  const differences: string[] = [];
  const counts = Object.fromEntries(COUNTED.map((kind) => [kind, 0])) as Record<Wrong, number>;
  const wrong = (kind: Wrong, text: string): void => {
    counts[kind] += 1;
    differences.push(`${kind}: ${text}`);
  };
  compare(expectedOutputs(expected), evidence.outputs.map(seenOutput), wrong);
  compare(expectedDeadLetters(expected, evidence), evidence.deadLetters.map(seenDeadLetter), wrong);
  checkSequences(evidence.outputs, wrong);
  checkOrder(expected, evidence.outputs, wrong);
  checkSeenLive(evidence, wrong);
  checkInputs(evidence.inputs, wrong);
  return { ok: differences.length === 0, counts, differences };
}

type Note = (kind: Wrong, text: string) => void;

interface Item {
  readonly place: string;
  readonly content: string;
}

function compare(expected: readonly Item[], seen: readonly Item[], wrong: Note): void {
  const wanted = new Map(expected.map(({ place, content }) => [place, content]));
  const found = new Set<string>();
  for (const { place, content } of seen) {
    const right = wanted.get(place);
    if (found.has(place)) wrong('twice', `${place} ${content}`);
    else if (right === undefined) wrong('unexpected', `${place} ${content}`);
    else if (right !== content) wrong('different', `${place}\n  is        ${content}\n  should be ${right}`);
    found.add(place);
  }
  for (const { place, content } of expected) if (!found.has(place)) wrong('missing', `${place} ${content}`);
}

function expectedOutputs(expected: ModelResult): Item[] {
  return expected.outputs.map(({ partition, offset, key, value, incomplete }) => ({
    place: `money ${partition}/${offset}`,
    content: `key ${key} ${value}${incomplete ? ' (incomplete)' : ''}`,
  }));
}

function seenOutput({ key, value, headers }: JavaRecord): Item {
  const mark = headers['enrichment'] === undefined ? '' : ` (${headers['enrichment']})`;
  return {
    place: `money ${headers['source-partition']}/${headers['source-offset']}`,
    content: `key ${String(key)} ${String(value)}${mark}`,
  };
}

function expectedDeadLetters(expected: ModelResult, { inputs, topics }: Evidence): Item[] {
  const raw = new Map(inputs.map((record) => [placeOf(record), record]));
  return expected.deadLetters.map(({ topic, partition, offset, reason }) => {
    const place = `${topics[topic]}/${partition}/${offset}`;
    const { key, value, timestamp } = raw.get(place) as JavaRecord;
    return { place: `dead letter of ${place}`, content: deadLetterText(reason, String(timestamp), key, value) };
  });
}

function seenDeadLetter({ key, value, headers }: JavaRecord): Item {
  const place = `${headers['source-topic']}/${headers['source-partition']}/${headers['source-offset']}`;
  return {
    place: `dead letter of ${place}`,
    content: deadLetterText(String(headers['reason']), String(headers['source-timestamp']), key, value),
  };
}

function deadLetterText(reason: string, timestamp: string, key: Buffer | null, value: Buffer | null): string {
  const text = (bytes: Buffer | null): string => (bytes === null ? 'null' : bytes.toString('base64'));
  return `${reason}, timestamp ${timestamp}, key ${text(key)}, value ${text(value)}`;
}

/** One life of each user, and in each of its streams the numbers 1, 2, 3 ... in the order of the log. */
function checkSequences(outputs: readonly JavaRecord[], wrong: Note): void {
  const last = new Map<string, number>();
  const lives = new Map<string, string>();
  for (const record of outputs) {
    const { incarnation = '', stream, seq } = record.headers;
    const user = String(record.key);
    const life = lives.get(user) ?? incarnation;
    lives.set(user, incarnation);
    if (life !== incarnation) {
      wrong('sequence', `${placeOf(record)} is of another life of ${user}: ${incarnation} after ${life}`);
    }
    const name = `${user} ${incarnation} ${stream}`;
    const expected = (last.get(name) ?? 0) + 1;
    if (Number(seq) !== expected) {
      wrong('sequence', `${placeOf(record)} has number ${seq} and not ${expected} of ${name}`);
    }
    last.set(name, Number(seq));
  }
}

/** Of a user, what needed no waiting comes out in the order of application. */
function checkOrder(expected: ModelResult, outputs: readonly JavaRecord[], wrong: Note): void {
  const position = new Map(expected.outputs.map(({ partition, offset }, index) => [`${partition}/${offset}`, index]));
  const last = new Map<string, number>();
  for (const record of outputs) {
    if (record.headers['stream'] !== 'applied') continue;
    const at = position.get(`${record.headers['source-partition']}/${record.headers['source-offset']}`);
    if (at === undefined) continue; // unexpected altogether
    const user = String(record.key);
    if (at < (last.get(user) ?? -1)) wrong('order', `${placeOf(record)} of ${user} comes too late`);
    last.set(user, at);
  }
}

/** What was visible once stays, as it was: nothing that was aborted was ever shown. */
function checkSeenLive({ outputs, deadLetters, seenLive }: Evidence, wrong: Note): void {
  const final = new Map([...outputs, ...deadLetters].map((record) => [placeOf(record), digestOf(record)]));
  for (const [place, digest] of seenLive) {
    if (final.get(place) !== digest) {
      wrong('vanished', `${place} was visible with other content, or is not visible any more`);
    }
  }
}

/** The promise of one right outcome holds for logs in the merged order only: the input must be as it was planned. */
function checkInputs(inputs: readonly JavaRecord[], wrong: Note): void {
  const newest = new Map<string, number>();
  for (const record of inputs) {
    const log = `${record.topic}/${record.partition}`;
    if (record.timestamp < (newest.get(log) ?? -Infinity)) {
      wrong('input', `${placeOf(record)} is older than the record before it`);
    }
    newest.set(log, record.timestamp);
  }
}

export function placeOf({ topic, partition, offset }: Pick<JavaRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}/${partition}/${offset}`;
}

/** Tells apart records that differ in anything; short, for an overload has a million of them in memory. */
export function digestOf({ timestamp, key, value, headers }: JavaRecord): string {
  const content = JSON.stringify([
    timestamp,
    key?.toString('base64') ?? null,
    value?.toString('base64') ?? null,
    headers,
  ]);
  return createHash('sha256').update(content).digest('base64');
}
