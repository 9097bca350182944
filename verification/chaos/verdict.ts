/**
 * The verdict: what came out against what the independent model says of the logs as they are in Kafka. Pure. Everything
 * is compared by what an output stands for: an input record, or whatever else the application has one output of.
 */
import { createHash } from 'node:crypto';
import type { Expectation, Item } from './apps/app.ts';
import type { JavaRecord } from './reader.ts';

export interface Evidence {
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

export function judge(expected: Expectation, evidence: Evidence): Verdict {
  const differences: string[] = [];
  const counts = Object.fromEntries(COUNTED.map((kind) => [kind, 0])) as Record<Wrong, number>;
  const wrong = (kind: Wrong, text: string): void => {
    counts[kind] += 1;
    differences.push(`${kind}: ${text}`);
  };
  compare(
    expected.outputs,
    evidence.outputs.map((output) => expected.itemOf(output)),
    wrong,
  );
  compare(expectedDeadLetters(expected, evidence), evidence.deadLetters.map(seenDeadLetter), wrong);
  checkSequences(evidence.outputs, wrong);
  checkOrder(expected, evidence.outputs, wrong);
  checkSeenLive(evidence, wrong);
  checkInputs(evidence.inputs, wrong);
  return { ok: differences.length === 0, counts, differences };
}

type Note = (kind: Wrong, text: string) => void;

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

function expectedDeadLetters(expected: Expectation, { inputs }: Evidence): Item[] {
  const raw = new Map(inputs.map((record) => [placeOf(record), record]));
  return expected.deadLetters.map(({ reason, ...at }) => {
    const place = placeOf(at);
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

/** One life of each key, and in each of its streams the numbers 1, 2, 3 ... in the order of the log. */
function checkSequences(outputs: readonly JavaRecord[], wrong: Note): void {
  const last = new Map<string, number>();
  const lives = new Map<string, string>();
  for (const record of outputs) {
    const { incarnation = '', stream, seq } = record.headers;
    const key = String(record.key);
    const life = lives.get(key) ?? incarnation;
    lives.set(key, incarnation);
    if (life !== incarnation) {
      wrong('sequence', `${placeOf(record)} is of another life of ${key}: ${incarnation} after ${life}`);
    }
    const name = `${key} ${incarnation} ${stream}`;
    const expected = (last.get(name) ?? 0) + 1;
    if (Number(seq) !== expected) {
      wrong('sequence', `${placeOf(record)} has number ${seq} and not ${expected} of ${name}`);
    }
    last.set(name, Number(seq));
  }
}

/** Of a key, what comes out in the order of application. */
function checkOrder(expected: Expectation, outputs: readonly JavaRecord[], wrong: Note): void {
  const position = new Map(expected.outputs.map(({ place }, index) => [place, index]));
  const last = new Map<string, number>();
  for (const record of outputs) {
    if (!expected.isInOrder(record)) continue;
    const at = position.get(expected.itemOf(record).place);
    if (at === undefined) continue; // unexpected altogether
    const key = String(record.key);
    if (at < (last.get(key) ?? -1)) wrong('order', `${placeOf(record)} of ${key} comes too late`);
    last.set(key, at);
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
