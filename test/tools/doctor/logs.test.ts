/** What doctor says of logs, where some partitions cannot be looked at. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import type { KafkaPort, TopicPartition } from '../../../src/engine/kafka/port.ts';
import { encodeMetadata } from '../../../src/engine/ordering/checkpoint.ts';
import { checkLedger, checkLogs } from '../../../src/tools/doctor/logs.ts';
import type { Finding } from '../../../src/tools/doctor/finding.ts';

const TOPICS = {
  user: 'user',
  session: 'session',
  money: 'money',
  output: 'out',
  ledger: 'ledger',
  deadLetter: 'dead',
};
const CONFIG = { appId: 'app', topics: TOPICS };

/** Every log holds 100 records, of which the group has read 10; the brake has stopped money where that is said. */
function kafka({ stopped = [], leaderless = [], empty = [] }: Record<string, readonly number[]>): KafkaPort {
  return {
    committedOffsets: async (_group: string, partitions: readonly TopicPartition[]) =>
      partitions.map(({ topic, partition }) => ({
        topic,
        partition,
        offset: 10,
        metadata: encodeMetadata({
          maxTs: 1,
          watermark: 1,
          deadLettersBelow: 10,
          ...(topic === 'money' &&
            stopped.includes(partition) && { stopped: { offset: 10, unusable: 11, records: 20 } }),
        }),
      })),
    async endOffsets(partitions: readonly TopicPartition[], { partial = false } = {}) {
      const away = partitions.find(({ partition }) => leaderless.includes(partition));
      if (away !== undefined && !partial) {
        throw new CodedError('KAFKA', `${away.topic}, partition ${away.partition} has no leader`);
      }
      return partitions
        .filter(({ partition }) => !leaderless.includes(partition))
        .map(({ topic, partition }) => ({
          topic,
          partition,
          start: 0,
          end: topic === 'ledger' && empty.includes(partition) ? 0 : 100,
        }));
    },
  } as unknown as KafkaPort;
}

const brief = (findings: readonly Finding[]): string[] =>
  findings.map(({ level, subject, message }) => `${level} | ${subject} | ${message}`);

describe('what doctor says of the logs of the inputs', () => {
  it('is one line where all is well', async () => {
    assert.deepEqual(brief(await checkLogs(kafka({}), CONFIG, 40)), [
      'ok | logs of the inputs | they are the ones that were read, as far as any was',
    ]);
  });

  it('has what the brake has stopped, also where another partition has no leader', async () => {
    const [first, second, ...others] = brief(await checkLogs(kafka({ stopped: [0], leaderless: [30] }), CONFIG, 40));
    assert.equal(
      first,
      'failed | partitions of the inputs | partition 30 could not be looked at: user, partition 30 has no leader',
    );
    assert.match(second!, /^failed \| brake \| money, partition 0: with the record at offset 10, 11 of the last 20/);
    assert.deepEqual(others, []);
  });

  it('names the first partitions where Kafka is away', async () => {
    const all = Array.from({ length: 40 }, (_, partition) => partition);
    const found = brief(await checkLogs(kafka({ leaderless: all }), CONFIG, 40));
    assert.equal(found.length, 6);
    assert.match(found[5]!, /^failed \| partitions of the inputs \| 35 more partitions could not be looked at either$/);
  });
});

describe('what doctor says of the ledger', () => {
  it('is that a shard of it is empty, also where another one has no leader', async () => {
    const found = brief(await checkLedger(kafka({ empty: [2], leaderless: [0] }), CONFIG, 4));
    assert.match(found[0]!, /^failed \| ledger ledger \| it is empty in partitions 2, while out has records there/);
    assert.match(found[1]!, /^failed \| ledger ledger \| partition 0 could not be looked at: it has no leader/);
    assert.equal(found.length, 2);
  });

  it('is nothing where all is well', async () => {
    assert.deepEqual(await checkLedger(kafka({}), CONFIG, 4), []);
  });
});
