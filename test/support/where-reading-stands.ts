/** For a test that has failed: how far a topic was read, how far it can be, and what the processes say of themselves. */
import { createKafka } from '../../src/engine/kafka/kafkajs/create-kafka.ts';
import type { KafkaConfig } from '../../src/engine/kafka/kafka-config.ts';
import { createLogger } from '../../src/engine/log.ts';
import type { ProductProcess } from '../../src/dev/product.ts';
import type { TopicReader } from './topic-reader.ts';

/** For each partition: the offset read up to, that of the first transaction that is open (the end, if none is), and the end. */
export async function readingOf(config: KafkaConfig, topic: string, reader: TopicReader): Promise<string[]> {
  const kafka = createKafka(config, createLogger({ level: 'silent' }));
  try {
    const [count] = await kafka.partitionCounts([topic]);
    const places = Array.from({ length: count ?? 0 }, (_, partition) => ({ topic, partition }));
    const all = await kafka.highWatermarks(places);
    const stable = await kafka.endOffsets(places);
    const failure = await Promise.race([reader.failed, undefined]).catch(String);
    const standing = places.map(({ partition }) => {
      const endOf = (rows: readonly { partition: number; end: number }[]) =>
        rows.find((row) => row.partition === partition)?.end;
      return `${topic}/${partition}: read up to ${reader.position(topic, partition)}, stable up to ${endOf(stable)}, end ${endOf(all)}`;
    });
    return failure === undefined ? standing : [`${topic}: ${failure}`, ...standing];
  } finally {
    await kafka.close();
  }
}

/** What `/readyz` of each tells. */
export async function readinessOf(processes: readonly ProductProcess[]): Promise<string[]> {
  return Promise.all(
    processes.map(async ({ pid, httpUrl }) =>
      fetch(`${httpUrl}/readyz`).then(
        async (answer) => `process ${pid}: ${answer.status} ${await answer.text()}`,
        (error: unknown) => `process ${pid}: ${String(error)}`,
      ),
    ),
  );
}
