import type { KafkaClient } from './port.ts';

/**
 * For people: partitions that hold records of transactions that nobody has decided. A reader of what is committed stops before them,
 * for as long as they are open, so a run over what there is now does without them.
 */
export async function openTransactions(
  kafka: Pick<KafkaClient, 'endOffsets' | 'highWatermarks'>,
  topics: readonly string[],
  partitions: number,
): Promise<string[]> {
  const places = topics.flatMap((topic) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  );
  // In this order: what is committed in between must not look open.
  const all = await kafka.highWatermarks(places);
  const stable = await kafka.endOffsets(places);
  return all.flatMap(({ topic, partition, end }) => {
    const readable = stable.find((one) => one.topic === topic && one.partition === partition)?.end ?? end;
    if (readable >= end) return [];
    return [
      `${topic}, partition ${partition}: a producer's transaction is open, so its ${end - readable} offsets from ${readable} to before ${end} are not read; find the producer (kafka-transactions.sh find-hanging), or wait for its time-out, if they are to be`,
    ];
  });
}
