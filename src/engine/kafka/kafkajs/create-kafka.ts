/** The implementation of {@link KafkaPort} on kafkajs. */
import type { KafkaConfig } from '../kafka-config.ts';
import type { Logger } from '../../log.ts';
import { createAdmin } from './admin.ts';
import type { SocketFactory } from './client.ts';
import { createGroupMember } from './group-member.ts';
import type { GroupMember, KafkaClient, TransactionalProducer } from '../port.ts';
import { fence } from './transactional-producer.ts';

export interface KafkaOptions {
  /** For tests that break connections on purpose. */
  readonly socketFactory?: SocketFactory;
}

/** Connects nothing yet. `close` ends everything that came out of the port and is still open. */
export function createKafka(config: KafkaConfig, logger: Logger, options: KafkaOptions = {}): KafkaClient {
  const admin = createAdmin(config, logger);
  const members = new Set<GroupMember>();
  const producers = new Set<TransactionalProducer>();

  return {
    async fence(transactionalId) {
      const producer = await fence(config, transactionalId, logger, options);
      producers.add(producer);
      return {
        begin: () => producer.begin(),
        async close() {
          producers.delete(producer);
          await producer.close();
        },
      };
    },

    joinGroup({ groupId, topics, cooperative = false, instance }) {
      const member = createGroupMember(config, logger, {
        groupId,
        topics,
        cooperative,
        ...(instance && { instance }),
        committed: (partitions) => admin.committedOffsets(groupId, partitions),
        partitionCounts: (names) => admin.partitionCounts(names),
        ...options,
      });
      members.add(member);
      return member;
    },

    committedOffsets: (groupId, partitions) => admin.committedOffsets(groupId, partitions),
    endOffsets: (partitions, options) => admin.endOffsets(partitions, options),
    firstOffsetSince: (partition, timestamp) => admin.firstOffsetSince(partition, timestamp),
    partitionCounts: (topics) => admin.partitionCounts(topics),
    highWatermarks: (partitions) => admin.highWatermarks(partitions),
    topicIdentities: (topics) => admin.topicIdentities(topics),
    recordAt: (place, offset) => admin.recordAt(place, offset),
    topicSettings: (topic) => admin.topicSettings(topic),

    async close() {
      await Promise.all([...members].map((member) => member.stop()));
      await Promise.all([...producers].map((producer) => producer.close()));
      await admin.close();
    },
  };
}
