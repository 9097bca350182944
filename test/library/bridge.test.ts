/** The bridge as others build on it: another domain, inputs and signaller of one's own, on Kafka in memory. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createLogger } from '../../src/engine/log.ts';
import {
  createBridge,
  type Batch,
  type Decoded,
  type RawKafkaRecord,
  type Signaller,
} from '../../src/library/bridge.ts';
import { KafkaInMemory } from '../../src/library/testing/kafka/kafka-in-memory.ts';
import { ManualClock } from '../support/manual-clock.ts';

const START = 1_700_000_000_000;

/** `{"parcel":"p-1","at":1700000000000}` */
function decode({ value }: RawKafkaRecord): Decoded<string> {
  const { parcel, at } = JSON.parse(String(value)) as { parcel: string; at: number };
  return { ok: true, key: parcel, ts: at, event: 'scanned', urgent: true };
}

class Parcels implements Signaller {
  readonly received: (readonly [key: string, partition: number, offset: number])[] = [];

  async signal(key: string, { partition, records }: Batch): Promise<void> {
    for (const { offset } of records) this.received.push([key, partition, offset]);
  }

  async history(): Promise<null> {
    return null;
  }

  workflowIdOf(key: string): string {
    return `parcel/${key}`;
  }
}

/** A bridge over `scans`, which has two partitions. */
function parcels(t: TestContext) {
  const kafka = new KafkaInMemory();
  kafka.createTopic('scans', 2);
  kafka.createTopic('scans-dead-letters', 1);
  const clock = new ManualClock();
  const signaller = new Parcels();
  const splits: unknown[] = [];
  const warnings: { msg: string; workflowId?: string; partitions?: readonly number[] }[] = [];
  const bridge = createBridge<string>({
    appId: 'parcels',
    inputs: [{ topic: 'scans', decode }],
    deadLetterTopic: 'scans-dead-letters',
    outOfOrderness: 1_000,
    idleTimeout: 1_000,
    kafka: kafka.port('bridge'),
    signaller,
    observer: { splitKey: (key, partitions) => splits.push([key, ...partitions]) },
    clock,
    logger: createLogger({ level: 'warn', destination: { write: (line) => warnings.push(JSON.parse(line)) } }),
  });
  const ended = bridge.run();
  t.after(async () => {
    bridge.stop();
    await ended;
  });
  return {
    signaller,
    splits,
    warnings,
    scan: (parcel: string, partition: number) =>
      kafka.append('scans', partition, {
        key: parcel,
        value: JSON.stringify({ parcel, at: START }),
        timestamp: START,
      }),
    async until(what: string, check: () => boolean): Promise<void> {
      for (let steps = 0; steps < 1_000; steps += 1) {
        if (check()) return;
        for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        clock.advance(100);
      }
      assert.fail(`it did not come to be: ${what}`);
    },
  };
}

describe('createBridge', () => {
  it('tells of a key that comes from two partitions, and signals it all the same', async (t) => {
    const { signaller, splits, warnings, scan, until } = parcels(t);
    scan('p-1', 0);
    scan('p-2', 1);
    await until('both are signalled', () => signaller.received.length === 2);
    assert.deepEqual([splits, warnings], [[], []]);
    scan('p-1', 1);
    await until('it is signalled from the other partition', () => signaller.received.length === 3);
    assert.deepEqual(signaller.received.at(-1), ['p-1', 1, 1]);
    assert.deepEqual(splits, [['p-1', 0, 1]]);
    const [{ msg, workflowId, partitions } = { msg: '' }] = warnings;
    assert.match(msg, /^a key is met in two partitions/);
    assert.deepEqual([warnings.length, workflowId, partitions], [1, 'parcel/p-1', [0, 1]]);
  });
});
