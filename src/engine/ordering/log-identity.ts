/**
 * Which log a committed place belongs to (semantics, section 4: a coordinate belongs to one log). A log is named by the id of its
 * topic, with `~n` behind it after a person has decided n times that it goes on elsewhere. The names ride in the metadata of the
 * committed offsets, of all inputs on each, because Kafka forgets the offsets of a topic that is deleted; and in every
 * signal, so that a workflow tells the coordinates of one log from those of another.
 *
 * Nobody can tell from outside what another log holds: it may be new, or a copy of the old one. So a triple whose log is not
 * the one that was read waits, and a person decides where to go on: `topics --accept`.
 */
import type { TopicIdentity } from '../kafka/port.ts';
import type { RecordMark } from './record-mark.ts';

/** By input; '' for one that is not known. */
export type LogNames = readonly string[];

/** What was known of the inputs when a place was committed. */
export interface KnownLogs {
  readonly names: LogNames;
  /** Partitions of each input; 0 when that is not known. */
  readonly partitions: number;
}

/** One input at one place. */
export interface LogPlace {
  readonly topic: string;
  readonly partition: number;
  /** Null when nothing is committed. */
  readonly committed: number | null;
  /** Whether the bridge wrote what is committed; a person has, with Kafka's own tools, where not. */
  readonly ours: boolean;
  readonly start: number;
  readonly end: number;
  readonly identity: TopicIdentity | undefined;
  /** Its name as it was known; undefined where no offset says it. */
  readonly known: string | undefined;
  /** Of the last record that was read, and of what is at its offset now: see record-mark.ts. Null for what is no record. */
  readonly last?: RecordMark | undefined;
  readonly now?: RecordMark | null | undefined;
  /** Up to where it was read when it was seen to end before that. */
  readonly cutBelow?: number | undefined;
}

/** The name under which the log is read from now on. */
export function nameOf({ identity, known = '' }: Pick<LogPlace, 'identity' | 'known'>): string {
  const id = identity?.id ?? null;
  return id === null || baseOf(known) === id ? known : id;
}

/** Another name for the same topic: its coordinates begin anew. */
export function nextName(place: Pick<LogPlace, 'identity' | 'known'>): string {
  const name = nameOf(place);
  if (name !== (place.known ?? '')) return name;
  const [base = '', turn = '0'] = name.split('~');
  return `${base}~${Number(turn) + 1}`;
}

/** The ids of topics as they are now; '' where the brokers have none. */
export function idsOf(topics: readonly string[], identities: readonly TopicIdentity[] = []): LogNames {
  return topics.map((topic) => identities.find((one) => one.topic === topic)?.id ?? '');
}

/** The topics that are others than they were, as far as both are known. */
export function othersThan(before: readonly string[] | undefined, now: LogNames, topics: readonly string[]): string[] {
  return topics.filter(
    (_, input) => before !== undefined && before[input] !== '' && now[input] !== '' && before[input] !== now[input],
  );
}

/** Whether a topic with this id is another one than the log that has this name, as far as both are known. */
export function isOther(name: string, id: string): boolean {
  return name !== '' && id !== '' && baseOf(name) !== id;
}

/** Why it is not the log that was read; undefined where it is, as far as can be known. */
export function logProblem(place: LogPlace): string | undefined {
  const { topic, partition, committed, ours, start, end, identity, known, last, cutBelow } = place;
  const id = identity?.id ?? null;
  const where = `${topic}, partition ${partition}`;
  const now = `it now holds the offsets from ${start} to before ${end}`;
  // A person who has placed the offset with Kafka's own tools has decided.
  if (committed !== null && !ours) return undefined;
  if (isOther(known ?? '', id ?? '')) {
    const was = committed === null ? 'the committed offset went with it' : `it was read up to offset ${committed}`;
    return `${where} belongs to another topic of that name than the one that was read, which was deleted and made anew: ${was}, ${now}`;
  }
  if (cutBelow !== undefined) {
    return `${where} was read up to offset ${cutBelow}, and then ended before that; ${now}: it was cut, restored or made anew`;
  }
  const upTo = Math.max(committed ?? 0, last === undefined ? 0 : last.offset + 1);
  if (upTo > end) return `${where} was read up to offset ${upTo}, but ${now}: it was cut, restored or made anew`;
  if (last !== undefined && isAnother(last, place.now)) {
    return `${where} was read up to offset ${upTo}, but at offset ${last.offset} is not the record that was read there, and ${now}: it was cut or restored, and has grown beyond that place again`;
  }
  return undefined;
}

export function partitionsProblem(known: number, identities: readonly TopicIdentity[]): string | undefined {
  if (known === 0) return undefined;
  const other = identities.filter(({ partitions }) => partitions !== null && partitions !== known);
  if (other.length === 0) return undefined;
  const found = other.map(({ topic, partitions }) => `${topic} has ${partitions}`).join(', ');
  return `the inputs had ${known} partitions when they were read last, and now ${found}: most keys are in another partition than before, where their later events may come before their earlier ones`;
}

/** What to do, for the end of a sentence. */
export function decideHow(
  topics: readonly string[],
  command = (names: readonly string[]): string => `acceptLogs for ${names.join(', ')}`,
): string {
  return `Nothing of it is processed until a person decides where to go on: ${command(topics)}; see "A log that has changed" in docs/operations.md`;
}

/** Whether another record is there now. Nothing is concluded from one that is gone. */
export function isAnother(last: RecordMark, now: RecordMark | null | undefined): boolean {
  return now === null || (now !== undefined && now.print !== last.print);
}

function baseOf(name: string): string {
  return name.split('~')[0]!;
}
