import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eachPartition, partitionsBelow } from '../../../src/engine/bridge/each-partition.ts';
import { CodedError } from '../../../src/engine/errors.ts';

const noLeader = () => Promise.reject(new CodedError('KAFKA', 'LEADER_NOT_AVAILABLE'));
const later = () => new Promise((resolve) => setImmediate(resolve));

describe('work on each partition', () => {
  it('goes on where some have no leader, and names them at the end', async () => {
    const done: number[] = [];
    await assert.rejects(
      eachPartition(partitionsBelow(100), async (partition) => {
        await later();
        if ([3, 70, 11].includes(partition)) await noLeader();
        done.push(partition);
      }),
      {
        code: 'KAFKA',
        message: 'partition 3, 11, 70: not decided about, run it again for them: LEADER_NOT_AVAILABLE',
      },
    );
    assert.equal(done.length, 97);
  });

  it('holds none up for one that waits for a leader', async () => {
    const done: number[] = [];
    let elected = (): void => undefined;
    const all = eachPartition(partitionsBelow(20), async (partition) => {
      if (partition === 0) await new Promise<void>((resolve) => (elected = resolve));
      done.push(partition);
    });
    for (let n = 0; n < 100; n += 1) await later();
    assert.equal(done.length, 19);
    elected();
    await all;
    assert.equal(done.length, 20);
  });

  it('works on no more than eight at once', async () => {
    let [now, most] = [0, 0];
    await eachPartition(partitionsBelow(50), async () => {
      now += 1;
      most = Math.max(most, now);
      await later();
      now -= 1;
    });
    assert.equal(most, 8);
  });

  it('does not try a thousand where Kafka is away', async () => {
    let tried = 0;
    await assert.rejects(
      eachPartition(partitionsBelow(1_000), async () => {
        tried += 1;
        await later();
        await noLeader();
      }),
      { code: 'KAFKA', message: /; partitions from \d+ on were not tried, as Kafka is away$/ },
    );
    // Eight, and what the others had begun with when the eighth failed.
    assert.ok(tried < 16, `${tried}`);
  });

  it('is all done where nothing fails, and is nothing without partitions', async () => {
    const done: number[] = [];
    await eachPartition(partitionsBelow(2), async (partition) => void done.push(partition));
    assert.deepEqual(done, [0, 1]);
    await eachPartition(partitionsBelow(0), noLeader);
  });

  it('ends at once with an error that is none of a partition', async () => {
    const done: number[] = [];
    await assert.rejects(
      eachPartition(partitionsBelow(100), async (partition) => {
        await later();
        if (partition === 9) throw new TypeError('not a function');
        done.push(partition);
      }),
      TypeError,
    );
    assert.ok(done.length < 20, `${done.length}`);
  });
});
