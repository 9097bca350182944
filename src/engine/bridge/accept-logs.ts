/**
 * What a person decides about logs that are not the ones that were read: where each goes on. The new place is committed as the
 * bridge would, by its transactional id: a bridge that runs loses the triple, and takes it again from there.
 */
import type { Ahead } from '../ordering/ahead.ts';
import type { KafkaClient } from '../kafka/port.ts';
import { encodeMetadata, type OffsetMetadata } from '../ordering/checkpoint.ts';
import { asBridge, commitPlaces } from './as-bridge.ts';
import { placeOf, type CommittedPlace } from './committed-place.ts';
import { eachPartition, partitionsBelow } from './each-partition.ts';
import { isOther, logProblem, nameOf, nextName, partitionsProblem, type LogPlace } from '../ordering/log-identity.ts';

export interface Accepting {
  readonly appId: string;
  readonly groupId: string;
  readonly inputTopics: readonly string[];
  /** How many partitions each input has. */
  readonly partitions: number;
  /** Whose new logs are accepted. */
  readonly topics: readonly string[];
  /**
   * Where they go on: a Kafka timestamp in epoch ms is the first record from then on; in a log that has only lost its end it is the
   * committed place, if that is before it: what is between the two was read, and perhaps not applied.
   */
  readonly from: 'beginning' | 'end' | number;
  readonly dryRun: boolean;
  /** Told of each as soon as it is committed: another partition may wait for a leader, or fail. */
  readonly onAccepted?: (accepted: Accepted) => void;
}

/** What was, or would be, committed. */
export interface Accepted {
  readonly topic: string;
  readonly partition: number;
  readonly before: number | null;
  readonly offset: number;
  /** How many offsets behind the committed place are passed over, which were perhaps not applied; absent where none are. */
  readonly skipped?: number;
}

/**
 * What was accepted, by partition.
 *
 * Errors: CodedError KAFKA, FENCED with the numbers of the partitions that failed, when all others are decided about: what
 * `onAccepted` was told of stays. Run it again.
 */
export async function acceptLogs(kafka: KafkaClient, accepting: Accepting): Promise<Accepted[]> {
  const accepted: Accepted[] = [];
  await eachPartition(partitionsBelow(accepting.partitions), async (partition) => {
    const decided = await acceptPartition(kafka, accepting, partition);
    accepted.push(...decided);
    for (const one of decided) accepting.onAccepted?.(one);
  });
  return accepted.sort((a, b) => a.partition - b.partition);
}

async function acceptPartition(kafka: KafkaClient, accepting: Accepting, partition: number): Promise<Accepted[]> {
  const look = await placeOf(kafka, { ...accepting, partition });
  if (!isToDecide(look, accepting)) return [];
  if (accepting.dryRun) return (await decide(kafka, look, accepting)).accepted;
  return asBridge(kafka, accepting.appId, partition, async (producer) => {
    const place = await placeOf(kafka, { ...accepting, partition });
    const { offsets, accepted } = await decide(kafka, place, accepting);
    await commitPlaces(producer, accepting.groupId, offsets);
    return accepted;
  });
}

/**
 * The watermark of a triple begins anew: for one that a wrong clock has moved ahead, so that all is late there. The bridges go on at the
 * same offsets, and find it out of the next records. Undefined when nothing is committed. Errors: as {@link acceptLogs}.
 */
export async function resetWatermark(
  kafka: KafkaClient,
  {
    appId,
    groupId,
    inputTopics,
    dryRun = false,
  }: Pick<Accepting, 'appId' | 'groupId' | 'inputTopics'> & { readonly dryRun?: boolean },
  partition: number,
): Promise<{ readonly before: number } | undefined> {
  if (dryRun) {
    const { inputs } = await placeOf(kafka, { groupId, inputTopics, partition });
    return inputs.every(({ committed }) => committed === null) ? undefined : { before: watermarkOf(inputs) };
  }
  return asBridge(kafka, appId, partition, async (producer) => {
    const { inputs } = await placeOf(kafka, { groupId, inputTopics, partition });
    const offsets = inputs.flatMap(({ topic, committed, metadata }) => {
      if (committed === null) return [];
      // What a person has set stays what a person has set.
      if (metadata === undefined) return [{ topic, partition, offset: committed, metadata: '' }];
      return [
        {
          topic,
          partition,
          offset: committed,
          metadata: encodeMetadata({ ...known(metadata), maxTs: -Infinity, watermark: -Infinity }),
        },
      ];
    });
    if (offsets.length === 0) return undefined;
    await commitPlaces(producer, groupId, offsets);
    return { before: watermarkOf(inputs) };
  });
}

function watermarkOf(inputs: CommittedPlace['inputs']): number {
  return Math.max(...inputs.map(({ metadata }) => metadata?.watermark ?? -Infinity));
}

function isToDecide({ inputs, knownPartitions, identities }: CommittedPlace, { topics }: Accepting): boolean {
  return (
    inputs.some((input) => topics.includes(input.topic) && logProblem(input) !== undefined) ||
    partitionsProblem(knownPartitions, identities) !== undefined
  );
}

/** What stays as it was committed. */
function known({
  deadLettersBelow,
  logs,
  last,
  cutBelow,
  stopped,
  releasedBelow,
}: OffsetMetadata): Omit<OffsetMetadata, 'maxTs' | 'watermark'> {
  return {
    deadLettersBelow,
    ...(logs && { logs }),
    ...(last && { last }),
    ...(cutBelow !== undefined && { cutBelow }),
    ...(stopped && { stopped }),
    ...(releasedBelow !== undefined && { releasedBelow }),
  };
}

async function decide(kafka: KafkaClient, place: CommittedPlace, { topics, from }: Accepting) {
  const { inputs } = place;
  const [{ partition }] = inputs as [CommittedPlace['inputs'][number]];
  const grown = partitionsProblem(place.knownPartitions, place.identities) !== undefined;
  const changed = inputs.map((input) => logProblem(input) !== undefined);
  const isNew = inputs.map((input, index) => changed[index]! && topics.includes(input.topic));
  // One that has changed and is not accepted keeps its name, and is still to be decided about.
  const nameNow = (input: CommittedPlace['inputs'][number], index: number): string =>
    isNew[index] ? nextName(input) : changed[index] ? (input.known ?? '') : nameOf(input);
  const names = inputs.map(nameNow);
  const partitions =
    place.identities.map((identity) => identity.partitions).find((count) => count !== null) ?? place.knownPartitions;
  const watermark = watermarkOf(inputs);
  const found = await Promise.all(
    inputs.map((input, index) => (isNew[index] ? firstOf(kafka, input, from) : input.committed)),
  );
  const ahead = typeof from === 'number' ? aheadStill(place, isNew, found) : undefined;
  const offsets: { topic: string; partition: number; offset: number; metadata: string }[] = [];
  const accepted: Accepted[] = [];
  for (const [index, input] of inputs.entries()) {
    const { topic, start, committed, metadata } = input;
    const stands = isNew[index] ? whereItStands(input) : undefined;
    const first = found[index]!;
    const offset = typeof from === 'number' && stands !== undefined ? Math.min(first ?? stands, stands) : first;
    // Of an added partition nothing was read: whether it is looked at before or after partition 0, there is nothing to accept.
    if (isNew[index] || (grown && topics.includes(topic) && offset !== null)) {
      const skipped = Math.max(0, (offset ?? start) - (stands ?? Infinity));
      accepted.push({
        topic,
        partition,
        before: committed,
        offset: offset ?? start,
        ...(skipped > 0 && { skipped }),
      });
    }
    if (offset === null) continue;
    // Below what was found it is as it was read, with the dead letters of that.
    const written = stands === undefined || first === null ? 0 : Math.min(first, metadata?.deadLettersBelow ?? 0);
    const kept =
      isNew[index] || metadata === undefined ? { deadLettersBelow: Math.max(offset, written) } : known(metadata);
    offsets.push({
      topic,
      partition,
      offset,
      metadata: encodeMetadata({
        ...kept,
        maxTs: metadata?.maxTs ?? -Infinity,
        watermark,
        logs: { names, partitions },
        ...(index === 0 && ahead && { ahead }),
      }),
    });
  }
  return { offsets, accepted };
}

/** Where a person wants a log to go on. */
async function firstOf(
  kafka: KafkaClient,
  { topic, partition, start, end }: LogPlace,
  from: Accepting['from'],
): Promise<number> {
  if (from === 'beginning') return start;
  if (from === 'end') return end;
  return (await kafka.firstOffsetSince({ topic, partition }, from)) ?? end;
}

/** What was acknowledged behind the committed place, as long as every log is up to there what it was. */
function aheadStill(
  { inputs }: CommittedPlace,
  isNew: readonly boolean[],
  found: readonly (number | null)[],
): Ahead | undefined {
  const ahead = inputs[0]?.metadata?.ahead;
  const holds = inputs.every(
    (input, index) =>
      !isNew[index] || (whereItStands(input) !== undefined && (ahead?.next[index] ?? 0) <= found[index]!),
  );
  return holds && ahead?.next.length === inputs.length ? ahead : undefined;
}

/** The committed place, where it is one of this very log still: the topic is the same one, and reaches as far. */
function whereItStands({ committed, start, end, known = '', identity }: LogPlace): number | undefined {
  const isSame = !isOther(known, identity?.id ?? '');
  return isSame && committed !== null && start <= committed && committed <= end ? committed : undefined;
}
