/** Finds an output in Kafka by the place of its money record, and says whether it is what the history explains. */
import { sourceIn } from '../../engine/workflow/output-headers.ts';
import { randomUUID } from 'node:crypto';
import { createAvroEncoder } from '../../money/codec/avro-output.ts';
import { encodeOutput } from '../../money/codec/output-record.ts';
import { watchGone } from '../../engine/kafka/gone.ts';
import type { InRecord, KafkaClient, RecordBatch } from '../../engine/kafka/port.ts';
import { shardOf } from '../../money/codec/shard.ts';
import { placeKey } from './happening.ts';
import type { MoneyStory } from './story.ts';

export interface PublishedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Kafka record timestamp, epoch ms. */
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
}

/** ms by which the clocks of Temporal and of who writes to Kafka may differ. */
const CLOCKS = 3_600_000;

/** `since`: nothing of it was published before, epoch ms of Temporal; undefined when that is not known. By {@link placeKey}; more than one record of a place would be a broken promise, and is kept for that. Null: the topic does not exist. */
export async function findPublished(
  kafka: KafkaClient,
  {
    appId,
    topic,
    userId,
    since,
  }: { readonly appId: string; readonly topic: string; readonly userId: string; readonly since: number | undefined },
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly PublishedRecord[]> | null> {
  const [shards] = await kafka.partitionCounts([topic]);
  if (!shards) return null;
  const partition = shardOf(userId, shards);
  const [bounds] = await kafka.endOffsets([{ topic, partition }]);
  const found = new Map<string, PublishedRecord[]>();
  if (bounds === undefined || bounds.end <= bounds.start || wanted.size === 0) return found;
  const first = since === undefined ? bounds.start : await kafka.firstOffsetSince({ topic, partition }, since - CLOCKS);
  if (first === null) return found;
  const member = kafka.joinGroup({ groupId: `${appId}-explain-${randomUUID()}`, topics: [topic] });
  let unwatch: () => void = () => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const onRecords = async (batch: RecordBatch): Promise<void> => {
        if (batch.partition !== partition) return;
        for (const record of batch.records) {
          if (record.offset >= bounds.end || unquoted(record.key) !== userId || record.value === null) continue;
          const headers = textsOf(record);
          const source = sourceIn(headers);
          const place = source && placeKey(source);
          if (place === undefined || !wanted.has(place)) continue;
          const { offset, timestamp, value } = record;
          const before = found.get(place) ?? [];
          // A member that joins once more reads from the same place again.
          if (before.some((one) => one.offset === offset)) continue;
          found.set(place, [...before, { topic, partition, offset, timestamp, headers, value }]);
        }
        if (batch.next >= bounds.end) resolve();
      };
      const onAssigned = async (partitions: readonly number[]): Promise<void> => {
        for (const each of partitions) {
          if (each !== partition) member.pause(topic, each);
          else member.seek(topic, each, first);
        }
      };
      // What expires meanwhile never comes, nor does anything of a partition that has lost its leader.
      const awaited = [{ topic, partition, next: bounds.end - 1 }];
      unwatch = watchGone(kafka, { awaited: () => awaited, onGone: () => resolve(), onError: reject });
      member.start({ onAssigned, onRecords, onCrash: reject }).catch(reject);
    });
  } finally {
    unwatch();
    await member.stop();
  }
  return found;
}

/** What does not fit between the history and Kafka, in sentences; empty when all fits. `incarnation`: `<started at>/<run id>`. */
export function disagreements(
  story: Pick<MoneyStory, 'output' | 'publication' | 'decision'>,
  userId: string,
  records: readonly PublishedRecord[],
): string[] {
  const { output, publication, decision } = story;
  const found: string[] = [];
  if (records.length > 1) {
    found.push(
      `it is in the output topic ${records.length} times, at offsets ${records.map(({ offset }) => offset).join(', ')}`,
    );
  }
  for (const { offset, headers, value } of records) {
    if (output === undefined) {
      // What still waited when the history was read may have come out since.
      if (decision?.type === 'duplicate') {
        found.push(`offset ${offset} is an output of this record, and the history dropped it as a duplicate`);
      }
      continue;
    }
    if (!value.equals(encodedLike(value, output, userId))) {
      found.push(`the value at offset ${offset} is not the one that the history gives`);
    }
    if ((headers['enrichment'] === 'incomplete') !== (output.incomplete === true)) {
      found.push(`the header "enrichment" at offset ${offset} is not as the history says`);
    }
    if (publication === undefined) continue;
    if (headers['stream'] !== publication.stream || headers['seq'] !== String(publication.seq)) {
      found.push(
        `offset ${offset} is ${headers['stream']} #${headers['seq']}, and the history says ${publication.stream} #${publication.seq}`,
      );
    }
  }
  return found;
}

/** JSON or Avro, whichever the published value is; with its schema id. */
function encodedLike(value: Buffer, output: NonNullable<MoneyStory['output']>, userId: string): Buffer {
  const encode = value[0] === 0 && value.length > 5 ? createAvroEncoder(value.readUInt32BE(1)) : encodeOutput;
  return Buffer.from(encode(output, userId).value);
}

function unquoted(key: Buffer | null): string {
  return key === null ? '' : key.toString().replace(/^"|"$/g, '');
}

function textsOf({ headers }: InRecord): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
}
