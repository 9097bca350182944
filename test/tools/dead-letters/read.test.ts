import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deadLetter } from '../../../src/engine/bridge/dead-letter.ts';
import type { GroupHandlers, GroupMember, KafkaPort } from '../../../src/engine/kafka/port.ts';
import { KafkaInMemory } from '../../../src/library/testing/kafka/kafka-in-memory.ts';
import { readDeadLetters } from '../../../src/tools/dead-letters/read.ts';

test('a member that joins once more, and begins at the start again, passes no letter twice', async () => {
  const kafka = new KafkaInMemory();
  kafka.createTopic('d', 1);
  const letters = [0, 1, 2].map((offset) =>
    deadLetter(
      { topic: 's', partition: 0, offset, timestamp: 1 },
      { key: null, value: Buffer.from('x') },
      { reason: 'malformed', detail: '' },
    ),
  );
  for (const letter of letters) kafka.append('d', 0, letter);
  const records = letters.map((letter, offset) => ({
    offset,
    timestamp: 1,
    key: null,
    value: letter.value as Buffer,
    headers: letter.headers ?? {},
  }));
  const batch = (next: number) => ({
    topic: 'd',
    partition: 0,
    fetchedFrom: 0,
    next,
    end: 3,
    records: records.slice(0, next),
  });
  const member: Partial<GroupMember> = {
    async start({ onAssigned, onRecords }: GroupHandlers) {
      await onAssigned([0], []);
      await onRecords(batch(2));
      await onAssigned([0], []);
      await onRecords(batch(3));
    },
    stop: async () => undefined,
  };
  const port: KafkaPort = { ...kafka.port('test'), joinGroup: () => member as GroupMember };
  const found: number[] = [];
  const progress: number[] = [];
  await readDeadLetters(port, {
    appId: 'app',
    topic: 'd',
    onLetter: ({ source }) => found.push(source.offset),
    onProgress: (done) => progress.push(done),
  });
  assert.deepEqual(
    [found, progress],
    [
      [0, 1, 2],
      [2, 3],
    ],
  );
});
