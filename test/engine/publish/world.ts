/** Processes that own shards and publish, on Kafka in memory, with a clock that a test moves. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { KafkaPort } from '../../../src/engine/kafka/port.ts';
import type { Publisher, ShardEvent } from '../../../src/engine/publish/publisher.ts';
import { KafkaInMemory } from '../../../src/library/testing/kafka/kafka-in-memory.ts';
import { eventually } from '../../support/eventually.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startProcess, type Process } from '../../support/publishing.ts';

/** In which the processes share the shards. */
export const GROUP = 'app-shards';

interface World {
  readonly kafka: KafkaInMemory;
  readonly clock: ManualClock;
  start(name: string, port?: KafkaPort): Promise<Process>;
  /** A process that has all shards. */
  owner(name: string): Promise<Process & { publisher: Publisher }>;
  /** Values a read_committed reader sees in the output topic. */
  published(): string[];
}

export function world(t: TestContext, shards = 1): World {
  const kafka = new KafkaInMemory();
  const clock = new ManualClock();
  kafka.createTopic('out', shards);
  kafka.createTopic('ledger', shards);
  const start = async (name: string, port = kafka.port(name)): Promise<Process> => {
    const process = await startProcess(port, {
      name,
      appId: 'app',
      outputTopic: 'out',
      ledgerTopic: 'ledger',
      shards,
      clock,
    });
    t.after(() => process.ownership.stop());
    return process;
  };
  return {
    kafka,
    clock,
    start,
    async owner(name) {
      const process = await start(name);
      await eventually(`all shards on ${name}`, () => process.shards.size === shards);
      const publisher = process.shards.get(0);
      assert.ok(publisher);
      return { ...process, publisher };
    },
    published: () =>
      Array.from({ length: shards }, (_, shard) =>
        kafka.committed('out', shard).map(({ value }) => String(value)),
      ).flat(),
  };
}

export const ofType = (events: readonly ShardEvent[], type: ShardEvent['type']): ShardEvent[] =>
  events.filter((event) => event.type === type);
