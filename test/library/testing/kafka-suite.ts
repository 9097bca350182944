/** The conformance suite on Kafka in memory, whose time goes twenty times as fast: nothing in it waits for a clock. */
import { setTimeout as pause } from 'node:timers/promises';
import type { KafkaPort } from '../../../src/library/kafka.ts';
import { conformance } from '../../../src/library/conformance.ts';
import { kafkaInMemory } from '../../../src/library/testing.ts';

const FASTER = 20;

conformance(async (t, body) => {
  const kafka = kafkaInMemory();
  const ports = new Map<string, KafkaPort>();
  let topics = 0;
  t.after(() => Promise.all([...ports.values()].map((one) => one.close())));
  await body({
    port(process) {
      const port = ports.get(process) ?? kafka.port(process);
      ports.set(process, port);
      return port;
    },
    async topic(partitions = 1) {
      const topic = `topic-${(topics += 1)}`;
      kafka.createTopic(topic, partitions);
      return topic;
    },
    committed: async (topic, partition) => kafka.committed(topic, partition).map(({ value }) => String(value)),
    deleteBefore: async (topic, partition, offset) => kafka.deleteBefore(topic, partition, offset),
    sleep: (ms) => pause(ms / FASTER),
    now: () => performance.now() * FASTER,
  });
});
