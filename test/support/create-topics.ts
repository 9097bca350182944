/** Topics that are there, with their leaders. A broker may not know a topic for a moment after it said that it is created. */
import type { Client } from '../../src/engine/kafka/kafkajs/client.ts';
import { eventually } from './eventually.ts';

const NOT_YET = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'];

type Admin = ReturnType<Client['kafka']['admin']>;
type NewTopic = Parameters<Admin['createTopics']>[0]['topics'][number];

export async function createTopics(admin: Admin, topics: readonly NewTopic[]): Promise<void> {
  await admin.createTopics({ topics: [...topics], waitForLeaders: false });
  const names = topics.map(({ topic }) => topic);
  await eventually(`leaders of ${names.join(', ')}`, async () => {
    try {
      const { topics: found } = await admin.fetchTopicMetadata({ topics: names });
      return found.every(({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0));
    } catch (error) {
      if (NOT_YET.includes(String((error as { type?: unknown }).type))) return false;
      throw error;
    }
  });
}
