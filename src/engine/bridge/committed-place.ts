/** Where a partition triple is to be read on: what the group has committed, checked against what the logs are now. */
import type { Ahead } from '../ordering/ahead.ts';
import { CodedError } from '../errors.ts';
import type { KafkaPort, TopicPartition, TopicIdentity } from '../kafka/port.ts';
import { decodeMetadata, type Checkpoint, type OffsetMetadata, type StoppedAt } from '../ordering/checkpoint.ts';
import type { InputOffsets } from '../ordering/decoded.ts';
import {
  decideHow,
  logProblem,
  nameOf,
  partitionsProblem,
  type KnownLogs,
  type LogNames,
  type LogPlace,
} from '../ordering/log-identity.ts';
import { printOf, type RecordMark, type RecordMarks } from '../ordering/record-mark.ts';

export interface PlaceOptions {
  readonly groupId: string;
  readonly partition: number;
  /** By input. */
  readonly inputTopics: readonly string[];
  /** For people: the command by which they decide about the logs of these topics. */
  readonly acceptCommand?: (topics: readonly string[]) => string;
  /** For people: the command by which they let a partition go on that the brake has stopped. */
  readonly releaseCommand?: (topic: string, partition: number) => string;
}

export interface Committed {
  readonly start: Checkpoint;
  readonly deadLettersBelow: InputOffsets;
  /** By input: what passes the brake; absent where that is nothing. */
  readonly releasedBelow?: InputOffsets | undefined;
  readonly ahead?: Ahead | undefined;
  readonly marks?: RecordMarks | undefined;
}

/** All that is known of a triple's place. */
export interface CommittedPlace {
  readonly inputs: readonly (LogPlace & { readonly metadata: OffsetMetadata | undefined })[];
  /** As it was committed. */
  readonly knownPartitions: number;
  readonly identities: readonly TopicIdentity[];
}

export async function placeOf(
  kafka: KafkaPort,
  { groupId, partition, inputTopics }: PlaceOptions,
): Promise<CommittedPlace> {
  const partitions = inputTopics.map((topic) => ({ topic, partition }));
  // A partition that was added has no place yet: the first one tells how many there were.
  const first = inputTopics.map((topic) => ({ topic, partition: 0 }));
  const [committed, ends, identities] = await Promise.all([
    kafka.committedOffsets(groupId, partition === 0 ? partitions : [...partitions, ...first]),
    kafka.endOffsets(partitions),
    kafka.topicIdentities?.(inputTopics) ?? [],
  ]);
  const offsets = committed.filter((one) => one.partition === partition);
  const metadata = inputTopics.map((topic) =>
    decodeMetadata(offsets.find((one) => one.topic === topic)?.metadata ?? ''),
  );
  const known = metadata.find((one) => one?.logs !== undefined)?.logs;
  const knownPartitions =
    known?.partitions ??
    committed.map((one) => decodeMetadata(one.metadata)?.logs?.partitions).find((count) => count !== undefined) ??
    0;
  const inputs = await Promise.all(
    inputTopics.map(async (topic, input) => {
      const { start, end } = ends.find((one) => one.topic === topic)!;
      const last = metadata[input]?.last;
      return {
        topic,
        partition,
        start,
        end,
        committed: offsets.find((one) => one.topic === topic)?.offset ?? null,
        ours: metadata[input] !== undefined,
        identity: identities.find((one) => one.topic === topic),
        known: known?.names[input],
        last,
        now:
          last !== undefined && start <= last.offset && last.offset < end
            ? await markNow(kafka, { topic, partition }, last)
            : undefined,
        metadata: metadata[input],
        cutBelow: metadata[input]?.cutBelow,
      };
    }),
  );
  return { inputs, knownPartitions, identities };
}

/** The mark of what is at that offset now; undefined where nothing is, and null for what is no record. */
export async function markNow(
  kafka: KafkaPort,
  place: TopicPartition,
  { offset }: RecordMark,
): Promise<RecordMark | null | undefined> {
  const found = await kafka.recordAt?.(place, offset);
  return found && { offset, print: printOf(found) };
}

/** What stands against reading on; undefined when nothing does. For people. */
export function problemOf(
  { inputs, knownPartitions, identities }: CommittedPlace,
  acceptCommand?: PlaceOptions['acceptCommand'],
): string | undefined {
  const found = inputs.flatMap((input) => {
    const problem = logProblem(input);
    return problem === undefined ? [] : [{ topic: input.topic, problem }];
  });
  if (found.length > 0) {
    return `${found.map(({ problem }) => problem).join('; ')}. ${decideHow(
      found.map(({ topic }) => topic),
      acceptCommand,
    )}`;
  }
  const moved = partitionsProblem(knownPartitions, identities);
  return moved === undefined
    ? undefined
    : `${moved}. ${decideHow(
        inputs.slice(-1).map(({ topic }) => topic),
        acceptCommand,
      )}`;
}

export function describeStop(
  { topic, partition }: TopicPartition,
  { offset, unusable, records }: StoppedAt,
  releaseCommand: PlaceOptions['releaseCommand'] = (name) => `releaseBrake for ${name}`,
): string {
  return `${topic}, partition ${partition}: with the record at offset ${offset}, ${unusable} of the last ${records} records are unusable, more than the brake lets pass. Is it a producer's bad release? Nothing of this partition is processed until a person decides: look at its dead letters, mend the producer, then ${releaseCommand(topic, partition)}; see "The brake" in docs/dead-letters.md`;
}

/** Why the brake has stopped it, and what to do; undefined where it has not. For people. */
export function stopOf(
  { inputs }: CommittedPlace,
  releaseCommand?: PlaceOptions['releaseCommand'],
): string | undefined {
  const stops = inputs.flatMap(({ topic, partition, metadata }) => {
    if (metadata?.stopped === undefined) return [];
    return [describeStop({ topic, partition }, metadata.stopped, releaseCommand)];
  });
  return stops.length === 0 ? undefined : stops.join('. ');
}

/** Throws CodedError LOG_CHANGED or STOPPED when a person has to decide first. */
export async function readPlace(
  kafka: KafkaPort,
  options: PlaceOptions,
): Promise<{ readonly committed: Committed; readonly logs: KnownLogs }> {
  const place = await placeOf(kafka, options);
  const problem = problemOf(place, options.acceptCommand);
  if (problem !== undefined) throw new CodedError('LOG_CHANGED', problem);
  const stop = stopOf(place, options.releaseCommand);
  if (stop !== undefined) throw new CodedError('STOPPED', stop);
  const each = <T>(value: (input: CommittedPlace['inputs'][number]) => T) => place.inputs.map(value);
  const next = each(({ committed, start }) => committed ?? start);
  const partitions = place.identities.map((identity) => identity.partitions).find((count) => count !== null);
  const start: Checkpoint = {
    next,
    maxTs: each(({ metadata }) => metadata?.maxTs ?? -Infinity),
    watermark: Math.max(...place.inputs.map(({ metadata }) => metadata?.watermark ?? -Infinity)),
  };
  const known = place.inputs[0]!.metadata?.ahead;
  // Of a bridge with fewer inputs: what it was ahead by is sent again.
  const ahead = known?.next.length === place.inputs.length ? known : undefined;
  const released = each(({ metadata }) => metadata?.releasedBelow ?? 0);
  const marks = each(({ last }) => last ?? null) satisfies RecordMarks;
  return {
    committed: {
      start,
      deadLettersBelow: each(
        ({ metadata, committed, start: first }) => metadata?.deadLettersBelow ?? committed ?? first,
      ),
      ...(released.some((below) => below > 0) && { releasedBelow: released }),
      ...(ahead && { ahead }),
      ...(marks.some((mark) => mark !== null) && { marks }),
    },
    logs: { names: each(nameOf) satisfies LogNames, partitions: partitions ?? place.knownPartitions },
  };
}
