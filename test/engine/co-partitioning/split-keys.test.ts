import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { userOfKey } from '../../../src/money/codec/user-of-key.ts';
import { assertNoSplitKeys, findSplitKeys } from '../../../src/engine/co-partitioning/split-keys.ts';
import { KeyPlaces } from '../../../src/engine/co-partitioning/key-places.ts';
import { KafkaInMemory } from '../../../src/library/testing/kafka/kafka-in-memory.ts';

const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const TOPICS = ['user', 'session', 'money'] as const;
const looking = { inputTopics: TOPICS, groupPrefix: 'look', keyOf: userOfKey, stopping: new AbortController().signal };

function world(records: readonly (readonly [topic: string, partition: number, key: string | null])[]) {
  const kafka = new KafkaInMemory();
  for (const topic of TOPICS) kafka.createTopic(topic, 3);
  for (const [topic, partition, key] of records) kafka.append(topic, partition, { key, value: 'x' });
  return kafka.port('look');
}

describe('users in two partitions', () => {
  test('a user whose sessions are in another partition than its money is found before anything is built on it', async () => {
    const port = world([
      ['money', 0, USER],
      ['session', 2, USER],
      ['session', 2, USER],
    ]);
    await assert.rejects(
      assertNoSplitKeys(port, looking, (key) => `app/${key}`, '; or with --allow-split-users'),
      {
        code: 'CHECK_FAILED',
        message:
          /in [12] records: the one of workflow "app\/0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11" in partitions (2 and 0|0 and 2) .*--allow-split-users/,
      },
    );
  });

  test('a key in double quotes and the same one bare are one user', async () => {
    const { example, records } = await findSplitKeys(
      world([
        ['user', 0, `"${USER}"`],
        ['money', 1, USER.toUpperCase()],
      ]),
      looking,
    );
    assert.deepEqual([example?.key, example?.partitions.toSorted(), records], [USER, [0, 1], 1]);
  });

  test('users that live in one partition of all topics, and keys that are no users, are fine', async () => {
    const port = world([
      ['user', 1, USER],
      ['session', 1, `"${USER}"`],
      ['money', 1, USER],
      ['money', 0, null],
      ['money', 2, 'x'],
      ['money', 0, 'x'],
    ]);
    assert.deepEqual(await findSplitKeys(port, looking), { example: undefined, records: 0 });
    await assertNoSplitKeys(port, looking, String);
  });

  test('only the newest offsets, where only they are asked for', async () => {
    const port = world([
      ['user', 0, USER],
      ...Array.from({ length: 5 }, () => ['user', 0, randomUUID()] as const),
      ['money', 1, USER],
    ]);
    assert.equal((await findSplitKeys(port, { ...looking, newest: 5 })).records, 0);
    assert.equal((await findSplitKeys(port, { ...looking, newest: 6 })).records, 1);
  });

  test('keys of other lengths and shapes are no users', () => {
    for (const key of [null, '', `'${USER}'`, `"${USER.slice(1)}" `, 'z'.repeat(36)]) {
      assert.equal(userOfKey(key === null ? null : Buffer.from(key)), undefined);
    }
  });
});

describe('places of users', () => {
  test('a hundred thousand users, sequential ids among them: each other place is noticed, and no false one', () => {
    const places = new KeyPlaces();
    const ids = Array.from({ length: 50_000 }, (_, n) => [
      randomUUID(),
      `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`,
    ]).flat();
    for (const [n, id] of ids.entries()) assert.equal(places.meet(id, n % 7), undefined);
    for (const [n, id] of ids.entries()) assert.equal(places.meet(id, n % 7), undefined);
    for (const [n, id] of ids.entries()) assert.equal(places.meet(id, 9), n % 7);
  });

  test('with a bound, later users take the places of earlier ones, and what is noticed is true', () => {
    const places = new KeyPlaces(100);
    const ids = Array.from({ length: 5_000 }, () => randomUUID());
    for (const id of ids) assert.equal(places.meet(id, 1), undefined);
    const noticed = ids.map((id) => places.meet(id, 2)).filter((place) => place !== undefined);
    assert.ok(noticed.every((place) => place === 1 || place === 2));
  });
});
