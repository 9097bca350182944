/** Reads two topics at the same time, read_committed, each up to where it ends now, and finds how they differ. */
import { scanTopic, rangesOf, type Scan } from '../../engine/kafka/scan-topic.ts';
import { CodedError } from '../../engine/errors.ts';
import type { InRecord, KafkaPort } from '../../engine/kafka/port.ts';
import { digestsOf, placeOf, type Identity } from './digest.ts';
import { Partners, type Difference, type RecordPlace, type Side } from './partners.ts';

export interface CompareOptions {
  readonly appId: string;
  readonly a: string;
  readonly b: string;
  /** Differences that are kept with their records. */
  readonly shown: number;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface FoundDifference {
  readonly difference: Difference;
  readonly a?: InRecord;
  readonly b?: InRecord;
}

export interface Comparison {
  readonly by: Identity;
  /** Records of each. */
  readonly counts: { readonly a: number; readonly b: number };
  readonly changed: number;
  readonly onlyInA: number;
  readonly onlyInB: number;
  /** More often in one than in the other. */
  readonly againInA: number;
  readonly againInB: number;
  /** The first ones. */
  readonly differences: readonly FoundDifference[];
}

/** Records without a partner on the side that is ahead: it waits for the other. */
const MAX_AHEAD = 100_000;
/** Records without a partner on both sides: some 200 bytes each. */
const MAX_WAITING = 4_000_000;
/** Records for which it is remembered that they were there, so that a doubled one is told from a missing one. */
const MAX_REMEMBERED = 4_000_000;

/** Errors: CodedError TOPIC (one does not exist), CHECK_FAILED (too different to compare), KAFKA. */
export async function compareTopics(
  kafka: KafkaPort,
  { appId, a, b, shown, onProgress }: CompareOptions,
): Promise<Comparison> {
  const ranges = { a: await rangesOf(kafka, a), b: await rangesOf(kafka, b) };
  const groupPrefix = `${appId}-compare`;
  const total = [...ranges.a, ...ranges.b].reduce((sum, { from, end }) => sum + end - from, 0);
  const firstOf = (topic: string, side: Side) => firstRecord(kafka, topic, groupPrefix, ranges[side]);
  const [firstA, firstB] = await Promise.all([firstOf(a, 'a'), firstOf(b, 'b')]);
  const hasPlace = (first: InRecord | undefined): boolean => first === undefined || placeOf(first) !== undefined;
  const by: Identity = hasPlace(firstA) && hasPlace(firstB) ? 'place' : 'content';

  const partners = new Partners({ remember: total <= 2 * MAX_REMEMBERED });
  const open = { a: true, b: true };
  const scans: { a?: Scan; b?: Scan } = {};
  const scan = (topic: string, side: Side): Scan => {
    const other: Side = side === 'a' ? 'b' : 'a';
    return scanTopic(kafka, {
      topic,
      groupPrefix,
      ranges: ranges[side],
      onRecord: (record, partition) => {
        partners.add(side, digestsOf(record, by), { partition, offset: record.offset });
        if (partners.waiting.a + partners.waiting.b > MAX_WAITING) {
          throw new CodedError(
            'CHECK_FAILED',
            `more than ${MAX_WAITING.toLocaleString('en')} records of ${a} and ${b} have no equal in the other: they are not alike`,
          );
        }
      },
      mayPause: () => {
        onProgress?.((scans.a?.passed ?? 0) + (scans.b?.passed ?? 0), total);
        if (partners.waiting[other] < MAX_AHEAD / 2) scans[other]?.goOn();
        return open[other] && partners.waiting[side] >= MAX_AHEAD && partners.waiting[side] > partners.waiting[other];
      },
    });
  };
  scans.a = scan(a, 'a');
  scans.b = scan(b, 'b');
  const ending = async (side: Side): Promise<void> => {
    const other: Side = side === 'a' ? 'b' : 'a';
    try {
      await scans[side]!.done;
      open[side] = false;
      scans[other]!.goOn();
    } catch (error) {
      scans[other]!.abort(error);
      throw error;
    }
  };
  const [endA, endB] = await Promise.allSettled([ending('a'), ending('b')]);
  for (const end of [endA, endB]) if (end.status === 'rejected') throw end.reason;
  return summarise(kafka, { a, b, by, shown, groupPrefix }, partners);
}

async function summarise(
  kafka: KafkaPort,
  {
    a,
    b,
    by,
    shown,
    groupPrefix,
  }: Pick<CompareOptions, 'a' | 'b' | 'shown'> & { readonly by: Identity; readonly groupPrefix: string },
  partners: Partners,
): Promise<Comparison> {
  const counts = { changed: 0, onlyInA: 0, onlyInB: 0, againInA: 0, againInB: 0 };
  const first: Difference[] = [];
  for (const difference of partners.differences()) {
    if (difference.type === 'changed') counts.changed += 1;
    else if (difference.type === 'only') counts[difference.side === 'a' ? 'onlyInA' : 'onlyInB'] += 1;
    else counts[difference.side === 'a' ? 'againInA' : 'againInB'] += 1;
    if (first.length < shown) first.push(difference);
  }
  const places = (side: Side): RecordPlace[] =>
    first.flatMap((one) => (one.type === 'changed' ? [one[side]] : one.side === side ? [one.at] : []));
  const [ofA, ofB] = await Promise.all([
    fetchRecords(kafka, a, groupPrefix, places('a')),
    fetchRecords(kafka, b, groupPrefix, places('b')),
  ]);
  const differences = first.map((difference): FoundDifference => {
    const at = (side: Side): RecordPlace | undefined =>
      difference.type === 'changed' ? difference[side] : difference.side === side ? difference.at : undefined;
    const [inA, inB] = [ofA.get(nameOf(at('a'))), ofB.get(nameOf(at('b')))];
    return { difference, ...(inA === undefined ? {} : { a: inA }), ...(inB === undefined ? {} : { b: inB }) };
  });
  return { by, counts: partners.counts, ...counts, differences };
}

function nameOf(place: RecordPlace | undefined): string {
  return place === undefined ? '' : `${place.partition}/${place.offset}`;
}

/** One at a time: they may lie far apart. */
async function fetchRecords(
  kafka: KafkaPort,
  topic: string,
  groupPrefix: string,
  places: readonly RecordPlace[],
): Promise<Map<string, InRecord>> {
  const found = new Map<string, InRecord>();
  const rest = [...places];
  while (rest.length > 0) {
    // One place of each partition a scan.
    const round = new Map<number, RecordPlace>();
    for (const place of rest) if (!round.has(place.partition)) round.set(place.partition, place);
    for (const place of round.values()) rest.splice(rest.indexOf(place), 1);
    const partitions = Math.max(...round.keys()) + 1;
    const ranges = Array.from({ length: partitions }, (_, partition) => {
      const offset = round.get(partition)?.offset;
      return offset === undefined ? { from: 0, end: 0 } : { from: offset, end: offset + 1 };
    });
    await scanTopic(kafka, {
      topic,
      groupPrefix,
      ranges,
      onRecord: (record, partition) => void found.set(nameOf({ partition, offset: record.offset }), copyOf(record)),
    }).done;
  }
  return found;
}

/** The buffers of a record are windows on the whole response of the broker. */
function copyOf(record: InRecord): InRecord {
  const copy = (data: Buffer | null): Buffer | null => (data === null ? null : Buffer.from(data));
  return { ...record, key: copy(record.key), value: copy(record.value) };
}

class Enough extends Error {}

async function firstRecord(
  kafka: KafkaPort,
  topic: string,
  groupPrefix: string,
  ranges: readonly { from: number; end: number }[],
): Promise<InRecord | undefined> {
  let first: InRecord | undefined;
  try {
    await scanTopic(kafka, {
      topic,
      groupPrefix,
      ranges,
      onRecord: (record) => {
        first = record;
        throw new Enough();
      },
    }).done;
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  return first;
}
