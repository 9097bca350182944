/** Users who only say what time it is: traffic that comes in real time keeps event time going with them, in every partition. */
import { partitionOf } from '../../engine/kafka/partitioner.ts';
import { keyOf } from './event-text.ts';
import type { Random } from '../../engine/random.ts';

/** A user id for each partition. */
export function clockUsers(random: Random, partitions: number): string[] {
  const found = new Map<number, string>();
  while (found.size < partitions) {
    const userId = random.uuid();
    found.set(partitionOf(keyOf(userId), partitions), userId);
  }
  return [...found.values()];
}
