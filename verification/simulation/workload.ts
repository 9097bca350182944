/** The records of a scenario, with their place in the topics and the time at which they get there. */
import type { MoneyInput } from '../../src/money/domain/events.ts';
import { partitionOf } from '../../src/engine/kafka/partitioner.ts';
import { timeEvent, keyOf, render } from '../../src/tools/generate/event-text.ts';
import { Random } from '../../src/engine/random.ts';
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import type { Scenario } from './scenario.ts';

export interface Arrival {
  /** Kafka timestamp, epoch ms; a live one arrives then. */
  readonly timestamp: number;
  readonly input: MoneyInput;
  readonly partition: number;
  readonly key: string | null;
  readonly value: Buffer | null;
}

/** ms between two records that only keep a topic from falling silent. */
const HEARTBEAT = 5_000;

export function workloadOf({ traffic, partitions, arrival, seed }: Scenario): Arrival[] {
  const arrivals = [...generateTraffic(traffic)].map(({ input, key, value, timestamp }): Arrival => ({
    timestamp,
    input,
    key,
    value,
    partition: key === null ? 0 : partitionOf(key, partitions),
  }));
  if (arrival === 'backlog') return arrivals;
  const random = new Random(seed ^ 0x5eed);
  const end = Math.max(...arrivals.map(({ timestamp }) => timestamp));
  for (let timestamp = traffic.start; timestamp <= end; timestamp += HEARTBEAT) {
    for (let partition = 0; partition < partitions; partition += 1) {
      for (const input of ['user', 'session', 'money'] as const) {
        const userId = random.uuid();
        const value = render(timeEvent(input, random.uuid(), userId, new Date(timestamp).toISOString()).fields);
        arrivals.push({ timestamp, input, partition, key: keyOf(userId), value: Buffer.from(value) });
      }
    }
  }
  return arrivals.sort((a, b) => a.timestamp - b.timestamp);
}
