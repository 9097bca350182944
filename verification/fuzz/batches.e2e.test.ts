/** Records that held kafkajs up for a minute, written to a real broker and read by a member of a group. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../test/support/eventually.ts';
import { kafkaLab, uniqueId } from '../../test/support/kafka-lab.ts';

test('a record of 20,000 headers is read, and what comes after it', { timeout: 300_000 }, async (t) => {
  const lab = await kafkaLab(t);
  const topic = await lab.topic(1, { 'max.message.bytes': '3000000' });
  const port = lab.port();
  const producer = await port.fence(uniqueId('writer'));
  const headers = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`h${n}`, '']));
  for (const records of [
    [{ key: 'k', value: 'headers', headers: { ...headers, ['__proto__']: 'p', constructor: 'c' } }],
    [{ key: null, value: 'after it' }],
  ]) {
    const transaction = await producer.begin();
    await transaction.send(topic, 0, records);
    await transaction.commit();
  }
  await producer.close();

  const seen = await lab.member(port, uniqueId('group'), [topic]);
  const records = () => seen.batches.flatMap((batch) => batch.records);
  await eventually('the last one is read', () => records().at(-1)?.value?.toString() === 'after it', 30_000);
  assert.equal(records().length, 2);
  const read = records().at(-2)!.headers!;
  assert.equal(Object.keys(read).length, 20_002);
  assert.deepEqual([String(read['__proto__']), String(read['constructor']), String(read['h19999'])], ['p', 'c', '']);
  assert.deepEqual(seen.crashes, []);
});
