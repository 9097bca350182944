/**
 * Metadata answers of brokers, in the place of kafkajs' own check, which refuses a whole topic when one of its partitions
 * has an error, so that one partition without a leader stops consumers, producers and admin requests of all others. Here
 * such a partition stays in the answer, without a leader: it counts, and only requests for it itself fail.
 */

/** No node has this id, so that kafkajs finds no broker to ask. */
export const NO_LEADER = -1;

export interface Metadata {
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly partitionMetadata: readonly {
      readonly partitionErrorCode: number;
      readonly partitionId: number;
      readonly leader: number;
    }[];
  }[];
}

/** A replica that is away; the leader is well. */
const REPLICA_NOT_AVAILABLE = 9;

/** `errorOf`: the error of a code of the protocol. Throws that of a topic as a whole. */
export function metadataParser(errorOf: (code: number) => Error): (data: Metadata) => Promise<Metadata> {
  return async (data) => {
    const refused = data.topicMetadata.find(({ topicErrorCode }) => topicErrorCode !== 0);
    if (refused !== undefined) throw errorOf(refused.topicErrorCode);
    return {
      ...data,
      topicMetadata: data.topicMetadata.map((topic) => ({
        ...topic,
        partitionMetadata: topic.partitionMetadata.map((partition) => {
          const well = partition.partitionErrorCode === 0 || partition.partitionErrorCode === REPLICA_NOT_AVAILABLE;
          return well ? partition : { ...partition, leader: NO_LEADER };
        }),
      })),
    };
  };
}
