/** Consumer groups, as the port promises them. */
import assert from 'node:assert/strict';
import { eventually, join, lastStable, publish, record, withCode } from './lab.ts';
import type { Declare } from './declare.ts';
import type { Lab, Seen } from './lab.ts';

async function write(kafka: Lab, topic: string, partition: number, ...values: readonly string[]): Promise<void> {
  const producer = await kafka.port('writer').fence(kafka.uniqueId('writer'));
  await publish(producer, topic, values, partition);
  await producer.close();
}

async function commit(kafka: Lab, group: string, topic: string, partition: number, offset: number): Promise<void> {
  const id = kafka.uniqueId('committer');
  const producer = await kafka.port('committer').fence(id);
  const transaction = await producer.begin();
  await transaction.sendOffsets(group, [{ topic, partition, offset, metadata: '' }]);
  await transaction.commit();
  await producer.close();
  await (await kafka.port('committer').fence(id)).close();
}

const shared = (...members: readonly Seen[]): number[] => members.flatMap((seen) => seen.owned()).sort((a, b) => a - b);

export function groups(it: Declare): void {
  it(
    'batches join, and the last one reaches the last stable offset, past markers and aborted records',
    [],
    async (kafka) => {
      const topic = await kafka.topic();
      const id = kafka.uniqueId('tx');
      await write(kafka, topic, 0, 'a', 'b');
      await eventually(kafka, 'the marker is written', async () => (await lastStable(kafka, topic)) === 3);
      await (await (await kafka.port('p').fence(id)).begin()).send(topic, 0, [record('aborted')]);
      const seen = await join(kafka, 'm', kafka.uniqueId('group'), [topic]);
      await eventually(kafka, 'a and b are read', () => seen.batches.at(-1)?.next === 3);
      assert.equal(seen.batches.at(-1)?.end, 3);
      await kafka.port('p').fence(id);
      // a, b, marker, aborted, marker
      await eventually(kafka, 'the end is reached', () => seen.batches.at(-1)?.next === 5);
      assert.equal(seen.batches.at(-1)?.end, 5);
      assert.deepEqual(seen.values(), ['a', 'b']);
      assert.equal(seen.batches[0]?.fetchedFrom, 0);
      for (const [index, batch] of seen.batches.entries()) {
        if (index > 0) assert.equal(batch.fetchedFrom, seen.batches[index - 1]?.next);
      }
      assert.deepEqual(await kafka.port('m').endOffsets([{ topic, partition: 0 }]), [
        { topic, partition: 0, start: 0, end: 5 },
      ]);
    },
  );

  it('committed records behind an open transaction come when it has ended', [], async (kafka) => {
    const topic = await kafka.topic();
    const id = kafka.uniqueId('tx');
    const open = await (await kafka.port('p').fence(id)).begin();
    await open.send(topic, 0, [record('open')]);
    await write(kafka, topic, 0, 'behind it');
    const seen = await join(kafka, 'm', kafka.uniqueId('group'), [topic]);
    await kafka.sleep(1_000);
    assert.deepEqual(seen.values(), []);
    assert.equal(await lastStable(kafka, topic), 0);
    await open.commit();
    await eventually(kafka, 'both come', () => seen.values().length === 2);
    assert.deepEqual(seen.values(), ['open', 'behind it']);
  });

  it(
    'nothing comes before onAssigned has resolved, and reading begins at what is committed by then',
    [],
    async (kafka) => {
      const [topic, group] = [await kafka.topic(), kafka.uniqueId('group')];
      await write(kafka, topic, 0, 'a', 'b', 'c');
      let early = -1;
      const seen: Seen = await join(kafka, 'm', group, [topic], async () => {
        await commit(kafka, group, topic, 0, 2);
        await kafka.sleep(500);
        early = seen?.batches.length ?? 0;
      });
      await eventually(kafka, 'c is read', () => seen.values().includes('c'));
      assert.equal(early, 0);
      assert.deepEqual(seen.values(), ['c']);
    },
  );

  it('a take-over that lasts longer than the session time-out keeps its place in the group', [], async (kafka) => {
    const topic = await kafka.topic(2);
    await write(kafka, topic, 0, 'a'); // the other partition has nothing to fetch
    const seen = await join(kafka, 'm', kafka.uniqueId('group'), [topic], () => kafka.sleep(14_000));
    await eventually(kafka, 'a is read', () => seen.values().includes('a'), 40_000);
    assert.deepEqual(seen.assignments, [[0, 1]]);
  });

  it(
    'a new generation begins at the committed offsets again, and what was fetched for the old one does not come',
    [],
    async (kafka) => {
      const [topic, group] = [await kafka.topic(2), kafka.uniqueId('group')];
      for (const partition of [0, 1]) {
        await write(kafka, topic, partition, `a${partition}`, `b${partition}`, `c${partition}`);
      }
      const a = await join(kafka, 'a', group, [topic]);
      await eventually(kafka, 'all is read', () => a.values().length === 6);
      for (const partition of [0, 1]) await commit(kafka, group, topic, partition, 1);
      const b = await join(kafka, 'b', group, [topic]);
      await eventually(
        kafka,
        'both have read',
        () => a.owned().length === 1 && b.owned().length === 1 && b.values().length === 2 && a.values().length === 8,
        40_000,
      );
      assert.deepEqual(b.values(), [`b${b.owned()[0]}`, `c${b.owned()[0]}`]);
      assert.deepEqual(a.values().slice(6), [`b${a.owned()[0]}`, `c${a.owned()[0]}`]);
      for (const seen of [a, b]) {
        for (const [index, { partition }] of seen.batches.entries()) {
          assert.ok(
            seen.assignments[seen.generations[index]! - 1]?.includes(partition),
            'a partition that is not of the generation',
          );
        }
      }
    },
  );

  it(
    'a cooperative member keeps what a generation leaves to it: where it is, and whether it is paused',
    [],
    async (kafka) => {
      const [topic, group] = [await kafka.topic(4), kafka.uniqueId('group')];
      const keeping = { cooperative: true };
      const kept: (readonly number[])[] = [];
      for (const partition of [0, 1, 2, 3]) await write(kafka, topic, partition, `a${partition}`, `b${partition}`);
      let slow = false;
      const noted = async (_: readonly number[], stays: readonly number[]): Promise<void> => {
        kept.push(stays);
        if (slow) await kafka.sleep(3_000);
      };
      const a = await join(kafka, 'a', group, [topic], noted, keeping);
      await eventually(kafka, 'all is read', () => a.values().length === 8);
      for (const partition of [0, 1, 2, 3]) a.member.pause(topic, partition);
      for (const partition of [0, 1, 2, 3]) await write(kafka, topic, partition, `c${partition}`);
      slow = true;
      const b = await join(kafka, 'b', group, [topic], undefined, keeping);
      await eventually(kafka, 'they share', () => a.owned().length === 2 && b.owned().length === 2, 40_000);
      assert.deepEqual(kept, [[], a.owned()]);
      const [first, second] = a.owned();
      a.member.resume(topic, first!);
      const after = kafka.now();
      await eventually(kafka, 'what goes on is read on', () => a.values().includes(`c${first}`));
      assert.ok(kafka.now() - after < 2_500, 'not held up by what is begun');
      await kafka.sleep(1_000);
      assert.deepEqual(a.values().slice(8), [`c${first}`], 'nothing again, and nothing of what is paused');
      await b.member.stop();
      await eventually(kafka, 'a has all again', () => a.owned().length === 4, 40_000);
      assert.deepEqual(kept.at(-1), [first, second]);
      await eventually(kafka, 'what came anew is read from its start', () => a.values().length === 9 + 6, 40_000);
      a.member.resume(topic, second!);
      await eventually(kafka, 'the paused one goes on', () => a.values().at(-1) === `c${second}`);
      assert.equal(a.values().length, 16);
    },
  );

  it(
    'members share whole partition numbers, keep what they have, and take over from one that leaves',
    [],
    async (kafka) => {
      const [topics, group] = [[await kafka.topic(4), await kafka.topic(4)], kafka.uniqueId('group')];
      for (const topic of topics) {
        for (const partition of [0, 1, 2, 3]) await write(kafka, topic, partition, `${partition}`);
      }
      const a = await join(kafka, 'a', group, topics);
      await eventually(kafka, 'a has all', () => a.owned().length === 4);
      const b = await join(kafka, 'b', group, topics);
      await eventually(
        kafka,
        'they share',
        () => a.owned().length === 2 && b.owned().length === 2 && b.values().length === 4,
        40_000,
      );
      assert.deepEqual(shared(a, b), [0, 1, 2, 3]);
      assert.deepEqual([...new Set(b.batches.map(({ partition }) => partition))].sort(), b.owned());
      assert.equal(new Set(b.batches.map(({ topic }) => topic)).size, 2);
      const kept = a.owned();
      await b.member.stop();
      await eventually(kafka, 'a has all again', () => a.owned().length === 4, 40_000);
      const c = await join(kafka, 'c', group, topics);
      await eventually(kafka, 'a and c share', () => a.owned().length === 2 && c.owned().length === 2, 40_000);
      assert.deepEqual(shared(a, c), [0, 1, 2, 3]);
      assert.equal(kept.length, 2);
    },
  );

  it('the partitions of a killed member are taken over when its session has timed out', ['kill'], async (kafka) => {
    const [topic, group] = [await kafka.topic(2), kafka.uniqueId('group')];
    const a = await join(kafka, 'dying', group, [topic]);
    const b = await join(kafka, 'b', group, [topic]);
    await eventually(kafka, 'they share', () => a.owned().length === 1 && b.owned().length === 1, 40_000);
    const killed = kafka.now();
    kafka.kill('dying');
    await eventually(kafka, 'b has all', () => b.owned().length === 2, 40_000);
    assert.ok(kafka.now() - killed >= 2_000, `noticed after ${kafka.now() - killed} ms`);
    await write(kafka, topic, a.owned()[0]!, 'x');
    await eventually(kafka, 'b reads it', () => b.values().includes('x'));
  });

  it('pause holds back, resume goes on, seek goes back', [], async (kafka) => {
    const topic = await kafka.topic(2);
    await write(kafka, topic, 0, 'a0', 'b0', 'c0');
    const { member, values, batches } = await join(kafka, 'm', kafka.uniqueId('group'), [topic]);
    await eventually(kafka, 'partition 0 is read', () => values().includes('c0'));
    member.pause(topic, 0);
    await write(kafka, topic, 0, 'd0');
    await write(kafka, topic, 1, 'a1');
    await eventually(kafka, 'partition 1 is read', () => values().includes('a1'));
    await kafka.sleep(1_000);
    assert.ok(!values().includes('d0'));
    member.resume(topic, 0);
    await eventually(kafka, 'partition 0 goes on', () => values().includes('d0'));
    batches.length = 0;
    member.seek(topic, 0, 1);
    await eventually(kafka, 'partition 0 is read again', () => values().includes('d0'));
    assert.deepEqual(values(), ['b0', 'c0', 'd0']);
    assert.equal(batches[0]?.fetchedFrom, 1);
  });

  it('nothing comes after a stop', [], async (kafka) => {
    const topic = await kafka.topic();
    await write(kafka, topic, 0, 'a');
    const seen = await join(kafka, 'm', kafka.uniqueId('group'), [topic]);
    await eventually(kafka, 'a is read', () => seen.values().length === 1);
    const stopped = seen.member.stop();
    await write(kafka, topic, 0, 'b');
    await stopped;
    await kafka.sleep(1_000);
    assert.deepEqual(seen.values(), ['a']);
    assert.deepEqual(seen.crashes, []);
  });

  it(
    'an offset that retention took: reading goes on at the start, and the committed offset is "none"',
    ['deleteBefore'],
    async (kafka) => {
      const [topic, group] = [await kafka.topic(), kafka.uniqueId('group')];
      await write(kafka, topic, 0, 'a', 'b', 'c', 'd');
      await eventually(kafka, 'the marker is written', async () => (await lastStable(kafka, topic)) === 5);
      await commit(kafka, group, topic, 0, 1);
      await kafka.deleteBefore(topic, 0, 3);
      const seen = await join(kafka, 'm', group, [topic]);
      await eventually(kafka, 'd is read', () => seen.values().includes('d'));
      assert.deepEqual(seen.values(), ['d']);
      assert.equal(seen.batches[0]?.fetchedFrom, 3);
      assert.deepEqual(await kafka.port('m').committedOffsets(group, [{ topic, partition: 0 }]), [
        { topic, partition: 0, offset: null, metadata: '' },
      ]);
      assert.deepEqual(await kafka.port('m').endOffsets([{ topic, partition: 0 }]), [
        { topic, partition: 0, start: 3, end: 5 },
      ]);
    },
  );

  it('topics that are missing or do not fit together are refused; what is not there is said', [], async (kafka) => {
    const [four, two, missing, port] = [
      await kafka.topic(4),
      await kafka.topic(2),
      kafka.uniqueId('missing'),
      kafka.port('m'),
    ];
    await assert.rejects(join(kafka, 'm', kafka.uniqueId('group'), [four, two]), withCode('TOPIC'));
    await assert.rejects(join(kafka, 'm', kafka.uniqueId('group'), [missing]), withCode('TOPIC'));
    assert.deepEqual(await port.partitionCounts([four, missing, two]), [4, null, 2]);
    await assert.rejects(port.endOffsets([{ topic: two, partition: 2 }]), withCode('TOPIC'));
    assert.deepEqual(await port.committedOffsets(kafka.uniqueId('group'), [{ topic: two, partition: 1 }]), [
      { topic: two, partition: 1, offset: null, metadata: '' },
    ]);
  });
}
