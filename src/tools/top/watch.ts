/** What `top` reads of Kafka: ends, places of the bridge's group, and the last records of the inputs. It writes and commits nothing. */
import { randomUUID } from 'node:crypto';
import { bridgeGroupOf } from '../../engine/naming.ts';
import { CodedError, isFatalAtStart } from '../../engine/errors.ts';
import type { GroupMember, KafkaPort, RecordBatch, TopicPartition } from '../../engine/kafka/port.ts';
import { decodeMetadata } from '../../engine/ordering/checkpoint.ts';
import { userOfKey } from '../../money/codec/user-of-key.ts';
import { inputTopicsOf, type Config } from '../../money/config.ts';
import { workflowIdsOf } from '../../money/workflow-ids.ts';
import type { KafkaSight } from './snapshot.ts';

/** Of each partition of each input. */
const LAST_RECORDS = 500;
/** ms before it joins once more. */
const JOIN_AGAIN = 5_000;

export interface Watch {
  /** Errors: CodedError of Kafka. */
  look(): Promise<KafkaSight>;
  /** Resolves when the last records of all partitions have been read once. */
  readonly caughtUp: Promise<void>;
  /** By the name under which {@link look} tells of users. */
  readonly userIds: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** Errors: CodedError TOPIC when an input is missing. */
export async function watchKafka(kafka: KafkaPort, config: Config, now: () => number): Promise<Watch> {
  const { appId, topics } = config;
  const inputs = inputTopicsOf(topics);
  const counts = await kafka.partitionCounts([...inputs, topics.output, topics.deadLetter]);
  const missing = [...inputs, topics.output, topics.deadLetter].filter((_, index) => !counts[index]);
  if (missing.length > 0) {
    throw new CodedError('TOPIC', `missing topics: ${missing.join(', ')}; create them with "money-enrichment topics"`);
  }
  const all = (topic: string, index: number) =>
    Array.from({ length: counts[index]! }, (_, partition) => ({ topic, partition }));
  const inputPlaces = inputs.flatMap(all);
  const outputPlaces = all(topics.output, inputs.length);
  const letterPlaces = all(topics.deadLetter, inputs.length + 1);

  const nameOf = config.userIdHashKey === undefined ? (user: string) => user : hashed(config);
  const userIds = new Map<string, string>();
  const recent = new Map<string, string[]>();
  const behind = new Map<string, number>();
  let sayCaughtUp: () => void = () => undefined;
  const caughtUp = new Promise<void>((resolve) => (sayCaughtUp = resolve));
  let closed = false;
  let member: GroupMember | undefined;
  const join = async (): Promise<void> => {
    const joined = kafka.joinGroup({ groupId: `${appId}-top-${randomUUID()}`, topics: inputs });
    member = joined;
    await joined.start({
      async onAssigned() {
        behind.clear();
        for (const { topic, partition, start, end } of await kafka.endOffsets(inputPlaces)) {
          const from = Math.max(start, end - LAST_RECORDS);
          joined.seek(topic, partition, from);
          if (from < end) behind.set(`${topic}/${partition}`, end);
        }
        if (behind.size === 0) sayCaughtUp();
      },
      async onRecords(batch) {
        note(batch);
      },
      onCrash: joinAgain,
    });
  };
  // After an outage the users go on as the rest does.
  function joinAgain(): void {
    if (closed) return;
    setTimeout(() => {
      if (!closed) void join().catch(joinAgain);
    }, JOIN_AGAIN).unref();
  }
  await join().catch((error: unknown) => {
    if (isFatalAtStart(error)) throw error;
    joinAgain();
  });

  /** As they were last told: a partition without a leader has its last ones. */
  const ends = new Map<string, { readonly start: number; readonly end: number }>();
  const placeOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;
  const allPlaces = [...inputPlaces, ...outputPlaces, ...letterPlaces];
  async function lookAtEnds(): Promise<string[]> {
    const told = await kafka.endOffsets(allPlaces, { partial: true });
    for (const row of told) ends.set(placeOf(row), row);
    const answered = new Set(told.map(placeOf));
    return allPlaces.map(placeOf).filter((place) => !answered.has(place));
  }

  function note({ topic, partition, records, next }: RecordBatch): void {
    const place = `${topic}/${partition}`;
    const list = recent.get(place) ?? [];
    recent.set(place, list);
    for (const { key } of records) {
      const user = userOfKey(key);
      if (user !== undefined) list.push(user);
    }
    list.splice(0, Math.max(0, list.length - LAST_RECORDS));
    if (next >= (behind.get(place) ?? Infinity)) behind.delete(place);
    if (behind.size === 0) sayCaughtUp();
  }

  function busiest(): KafkaSight['users'] {
    const records = new Map<string, number>();
    for (const list of recent.values()) for (const user of list) records.set(user, (records.get(user) ?? 0) + 1);
    userIds.clear();
    return [...records]
      .sort(([a, more], [b, most]) => most - more || a.localeCompare(b))
      .slice(0, 50)
      .map(([userId, count]) => {
        const user = nameOf(userId);
        userIds.set(user, userId);
        return { user, records: count };
      });
  }

  return {
    caughtUp,
    userIds,
    async look() {
      const at = now();
      const [withoutLeader, committed] = await Promise.all([
        lookAtEnds(),
        kafka.committedOffsets(bridgeGroupOf(appId), inputPlaces),
      ]);
      const count = Math.max(...inputs.map((_, index) => counts[index]!));
      const sumOf = (places: readonly TopicPartition[]): number =>
        places.reduce((sum, place) => sum + (ends.get(placeOf(place))?.end ?? 0), 0);
      return {
        at,
        partitions: Array.from({ length: count }, (_, partition) => {
          const own = inputPlaces.filter((place) => place.partition === partition);
          const places = committed.filter((row) => row.partition === partition);
          const watermark = Math.max(...places.map(({ metadata }) => decodeMetadata(metadata)?.watermark ?? -Infinity));
          return {
            end: sumOf(own),
            lag: own.reduce((sum, place) => {
              const { start, end } = ends.get(placeOf(place)) ?? { start: 0, end: 0 };
              return sum + Math.max(0, end - (places.find((row) => row.topic === place.topic)?.offset ?? start));
            }, 0),
            watermark: Number.isFinite(watermark) ? watermark : null,
          };
        }),
        outputEnd: sumOf(outputPlaces),
        deadLetterEnd: sumOf(letterPlaces),
        users: busiest(),
        withoutLeader,
      };
    },
    async close() {
      closed = true;
      await member?.stop();
    },
  };
}

/** As workflow ids name users, without the app id. */
function hashed(config: Config): (user: string) => string {
  const workflowId = workflowIdsOf(config);
  return (user) => workflowId(user).slice(config.appId.length + 1);
}
