/** What a person decides about partitions that the brake has stopped: they go on, and what their logs hold by now passes it. */
import type { KafkaPort } from '../kafka/port.ts';
import { encodeMetadata } from '../ordering/checkpoint.ts';
import { asBridge, commitPlaces } from './as-bridge.ts';
import { placeOf, type CommittedPlace } from './committed-place.ts';
import { eachPartition, partitionsBelow } from './each-partition.ts';

export interface Releasing {
  readonly appId: string;
  readonly groupId: string;
  readonly inputTopics: readonly string[];
  /** How many partitions each input has. */
  readonly partitions: number;
  /** All inputs when absent. */
  readonly topic?: string | undefined;
  /** All of them when absent. */
  readonly partition?: number | undefined;
  readonly dryRun: boolean;
  /** Told of each as soon as it is committed. */
  readonly onReleased?: (released: Released) => void;
}

export interface Released {
  readonly topic: string;
  readonly partition: number;
  /** That it goes on with. */
  readonly offset: number;
  /** Records before this one pass. */
  readonly below: number;
}

/**
 * What was released, by partition.
 *
 * Errors: CodedError KAFKA, FENCED with the numbers of the partitions that failed, when all others are released: what `onReleased` was
 * told of stays so. Run it again.
 */
export async function releaseBrake(kafka: KafkaPort, releasing: Releasing): Promise<Released[]> {
  const { partition: wanted = null, partitions, onReleased } = releasing;
  const released: Released[] = [];
  const all = partitionsBelow(partitions).filter((partition) => wanted === null || wanted === partition);
  await eachPartition(all, async (partition) => {
    const some = await releasePartition(kafka, releasing, partition);
    released.push(...some);
    for (const one of some) onReleased?.(one);
  });
  return released.sort((a, b) => a.partition - b.partition);
}

async function releasePartition(kafka: KafkaPort, releasing: Releasing, partition: number): Promise<Released[]> {
  const { appId, groupId, inputTopics, dryRun } = releasing;
  const look = async () => stoppedIn(await placeOf(kafka, { groupId, inputTopics, partition }), releasing);
  const stopped = await look();
  if (stopped.length === 0 || dryRun) return stopped.map((one) => one.released);
  return asBridge(kafka, appId, partition, async (producer) => {
    const now = await look();
    await commitPlaces(
      producer,
      groupId,
      now.map(({ topic, committed, metadata: { stopped: _, ...kept }, released: { below } }) => ({
        topic,
        partition,
        offset: committed,
        metadata: encodeMetadata({ ...kept, releasedBelow: below }),
      })),
    );
    return now.map((one) => one.released);
  });
}

function stoppedIn({ inputs }: CommittedPlace, { topic: wanted }: Pick<Releasing, 'topic'>) {
  return inputs.flatMap(({ topic, partition, committed, metadata, end }) => {
    const stop = metadata?.stopped;
    if (
      metadata === undefined ||
      stop === undefined ||
      committed === null ||
      (wanted !== undefined && wanted !== topic)
    ) {
      return [];
    }
    return [{ topic, committed, metadata, released: { topic, partition, offset: stop.offset, below: end } }];
  });
}
