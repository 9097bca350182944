/**
 * One record by its offset, without a consumer. A broker answers with one batch, however few bytes are asked for: the one in which that
 * offset is, or the next where compaction has removed it.
 */
import { CodedError } from '../../errors.ts';
import { isOutOfRange, isUnreadable } from './fetching.ts';
import type { RecordFound, TopicPartition } from '../port.ts';
import { timestampOf } from '../record-timestamp.ts';

/** The part of kafkajs' internal Cluster that is used here (2.2.4: src/cluster/index.js, src/broker/index.js). */
export interface FetchingCluster {
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[];
  refreshMetadata(): Promise<void>;
  findBroker(options: { nodeId: string }): Promise<FetchingBroker>;
}
interface FetchingBroker {
  fetch(options: {
    readonly maxWaitTime: number;
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly isolationLevel: number;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly fetchOffset: string;
        readonly maxBytes: number;
      }[];
    }[];
  }): Promise<{ readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[] }>;
}
export interface FetchedPartition {
  readonly errorCode: number;
  readonly messages: readonly {
    readonly offset: string;
    readonly timestamp: string;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly isControlRecord?: boolean;
  }[];
}

const READ_UNCOMMITTED = 0;
const TOPIC_AUTHORIZATION_FAILED = 29;

/** The topic is among those whose metadata the cluster knows. Errors: CodedError KAFKA, to be repeated. */
export async function recordAt(
  cluster: FetchingCluster,
  { topic, partition }: TopicPartition,
  offset: number,
): Promise<RecordFound> {
  const leader = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition)?.leader;
  if (leader === undefined || leader < 0) {
    await cluster.refreshMetadata();
    throw new CodedError('KAFKA', `${topic}, partition ${partition} has no leader`);
  }
  const broker = await cluster.findBroker({ nodeId: String(leader) });
  const { responses } = await broker.fetch({
    maxWaitTime: 1,
    minBytes: 1,
    maxBytes: 1,
    isolationLevel: READ_UNCOMMITTED,
    topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: 1 }] }],
  });
  const answer = responses[0]?.partitions[0];
  if (answer !== undefined && isMoved(answer)) await cluster.refreshMetadata();
  return recordOf(answer, { topic, partition }, offset);
}

/** What an answer says of that offset. */
export function recordOf(
  answer: FetchedPartition | undefined,
  { topic, partition }: TopicPartition,
  offset: number,
): RecordFound {
  if (answer === undefined || isMoved(answer)) {
    throw new CodedError(
      'KAFKA',
      `${topic}, partition ${partition}: its leader does not tell the record at offset ${offset} (error ${answer?.errorCode ?? 'unknown'})`,
    );
  }
  const found = answer.messages.find((message) => message.offset === String(offset));
  if (found === undefined) return undefined;
  return found.isControlRecord === true
    ? null
    : { ...timestampOf(found.timestamp), key: found.key, value: found.value };
}

/** Another broker, or this one a moment later, can say. */
function isMoved({ errorCode }: FetchedPartition): boolean {
  return (
    errorCode !== 0 && !isOutOfRange(errorCode) && !isUnreadable(errorCode) && errorCode !== TOPIC_AUTHORIZATION_FAILED
  );
}
