/** What a person decides about partitions that the brake has stopped: they go on, and what their logs hold by now passes it. */
import type { KafkaPort } from '../kafka/port.ts';
import { encodeMetadata } from '../ordering/checkpoint.ts';
import { asBridge, commitPlaces } from './as-bridge.ts';
import { placeOf, type CommittedPlace } from './committed-place.ts';

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
}

export interface Released {
  readonly topic: string;
  readonly partition: number;
  /** That it goes on with. */
  readonly offset: number;
  /** Records before this one pass. */
  readonly below: number;
}

/** Errors: CodedError KAFKA, FENCED. What was released before one stays so: run it again. */
export async function releaseBrake(kafka: KafkaPort, releasing: Releasing): Promise<Released[]> {
  const { appId, groupId, inputTopics, dryRun } = releasing;
  const released: Released[] = [];
  for (let partition = 0; partition < releasing.partitions; partition += 1) {
    if (releasing.partition !== undefined && releasing.partition !== partition) continue;
    const look = (): Promise<CommittedPlace> => placeOf(kafka, { groupId, inputTopics, partition });
    const stopped = stoppedIn(await look(), releasing);
    if (stopped.length > 0 && !dryRun) {
      released.push(
        ...(await asBridge(kafka, appId, partition, async (producer) => {
          const now = stoppedIn(await look(), releasing);
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
        })),
      );
    } else {
      released.push(...stopped.map((one) => one.released));
    }
  }
  return released;
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
