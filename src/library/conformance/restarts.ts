/** The broker is killed and started again. */
import assert from 'node:assert/strict';
import { eventually, keepJoined, publish, record } from './lab.ts';
import type { Declare } from './declare.ts';

export function restarts(it: Declare): void {
  it(
    'killed in the middle of transactions: what was answered is there, once, and nothing else than what is in doubt',
    ['restart'],
    async (kafka) => {
      const [topic, group, id] = [await kafka.topic(), kafka.uniqueId('group'), kafka.uniqueId('tx')];
      const [answered, doubted]: [string[], string[]] = [[], []];
      let over = false;
      const writing = (async (): Promise<void> => {
        let producer = await kafka.port('p').fence(id);
        for (let n = 1; !over || doubted.length === 0; n++) {
          const value = `${n}`;
          try {
            const transaction = await producer.begin();
            await transaction.send(topic, 0, [record(value)]);
            await transaction.sendOffsets(group, [{ topic, partition: 0, offset: n, metadata: value }]);
            await transaction.commit();
            answered.push(value);
          } catch {
            doubted.push(value);
            await producer.close();
            producer = await kafka.port('p').fence(id);
          }
        }
      })();
      await eventually(kafka, 'some are written', () => answered.length >= 5);
      await kafka.restart();
      const before = answered.length;
      await eventually(kafka, 'it goes on', () => answered.length >= before + 5, 60_000);
      over = true;
      // Should no transaction have met the restart, it is restarted until one does.
      while (doubted.length === 0) await kafka.restart();
      await writing;
      await kafka.port('p').fence(id);
      const seen = await kafka.committed(topic);
      assert.equal(new Set(seen).size, seen.length);
      assert.deepEqual(
        seen,
        seen.toSorted((a, b) => Number(a) - Number(b)),
      );
      assert.deepEqual(
        answered.filter((value) => !seen.includes(value)),
        [],
      );
      assert.deepEqual(
        seen.filter((value) => !answered.includes(value) && !doubted.includes(value)),
        [],
      );
      // The offset of the last transaction that was committed, with its records.
      const last = seen.at(-1)!;
      assert.deepEqual(await kafka.port('p').committedOffsets(group, [{ topic, partition: 0 }]), [
        { topic, partition: 0, offset: Number(last), metadata: last },
      ]);
    },
  );

  it('coordinators that are not ready yet are waited for', ['restart'], async (kafka) => {
    const [topic, group, id] = [await kafka.topic(), kafka.uniqueId('group'), kafka.uniqueId('tx')];
    const port = kafka.port('p');
    const first = await (await port.fence(id)).begin();
    await first.sendOffsets(group, [{ topic, partition: 0, offset: 4, metadata: 'm' }]);
    await first.commit();
    await port.fence(id);
    const open = await (await port.fence(id)).begin();
    await open.send(topic, 0, [record('open')]);
    await kafka.restart();
    const [offsets, producer, ends] = await Promise.all([
      port.committedOffsets(group, [{ topic, partition: 0 }]),
      port.fence(id),
      port.endOffsets([{ topic, partition: 0 }]),
    ]);
    assert.deepEqual(offsets, [{ topic, partition: 0, offset: 4, metadata: 'm' }]);
    assert.equal(ends[0]?.start, 0);
    const transaction = await producer.begin();
    await transaction.sendOffsets(group, [{ topic, partition: 0, offset: 5, metadata: '' }]);
    await transaction.send(topic, 0, [record('after')]);
    await transaction.commit();
    await port.fence(id);
    assert.deepEqual(await kafka.committed(topic), ['after']);
    assert.equal((await port.committedOffsets(group, [{ topic, partition: 0 }]))[0]?.offset, 5);
  });

  it('members go on after it, or say that they gave up; joined anew they miss nothing', ['restart'], async (kafka) => {
    const [topic, group] = [await kafka.topic(2), kafka.uniqueId('group')];
    const [a, b] = [await keepJoined(kafka, 'a', group, [topic]), await keepJoined(kafka, 'b', group, [topic])];
    await eventually(
      kafka,
      'they share',
      () => a.current().owned().length === 1 && b.current().owned().length === 1,
      40_000,
    );
    await kafka.restart();
    const producer = await kafka.port('p').fence(kafka.uniqueId('tx'));
    for (const partition of [0, 1]) await publish(producer, topic, [`after ${partition}`], partition);
    const values = (): string[] => [...new Set([...a.values(), ...b.values()])].sort();
    await eventually(kafka, 'both are read', () => values().length === 2, 90_000);
    assert.deepEqual(values(), ['after 0', 'after 1']);
    await Promise.all([a.stop(), b.stop()]);
  });
}
