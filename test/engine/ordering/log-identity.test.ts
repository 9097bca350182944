import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { acceptLogs, resetWatermark, type Accepting } from '../../../src/engine/bridge/accept-logs.ts';
import { decodeMetadata, encodeMetadata, type OffsetMetadata } from '../../../src/engine/ordering/checkpoint.ts';
import { readPlace } from '../../../src/engine/bridge/committed-place.ts';
import { printOf } from '../../../src/engine/ordering/record-mark.ts';
import type { KafkaClient, RecordFound, TopicIdentity, TopicPartition } from '../../../src/engine/kafka/port.ts';
import { acceptCommand } from '../../../src/money/bridge/settings.ts';

const TOPICS = ['user', 'session', 'money'] as const;
const GROUP = 'app-bridge';
const OPTIONS = { groupId: GROUP, partition: 0, inputTopics: TOPICS, acceptCommand };
const metadata = (
  names: readonly [string, string, string] = ['u1', 's1', 'm1'],
  partitions = 4,
  more: Partial<OffsetMetadata> = {},
) => encodeMetadata({ maxTs: 500, watermark: 480, deadLettersBelow: 7, logs: { names, partitions }, ...more });
/** The record at an offset of the log that was read. */
const record = (offset: number, value = 'v') => ({
  timestamp: 1_000 + offset,
  key: Buffer.from('k'),
  value: Buffer.from(value),
});
const mark = (offset: number) => ({ offset, print: printOf(record(offset)) });

interface World {
  committed: Record<string, { offset: number | null; metadata: string }>;
  bounds: Record<string, readonly [start: number, end: number]>;
  ids: Record<string, readonly [id: string | null, partitions: number]>;
  recordAt: (topic: string, offset: number) => RecordFound;
}

/** All was read up to 30, and the logs are as they were. */
function world(changed: Partial<World> = {}) {
  const state: World = {
    committed: Object.fromEntries(TOPICS.map((topic) => [topic, { offset: 30, metadata: metadata() }])),
    bounds: Object.fromEntries(TOPICS.map((topic) => [topic, [0, 100] as const])),
    ids: { user: ['u1', 4], session: ['s1', 4], money: ['m1', 4] },
    recordAt: (_, offset) => record(offset),
    ...changed,
  };
  const fenced: string[] = [];
  const asked: string[] = [];
  const port = {
    committedOffsets: async () =>
      TOPICS.map((topic) => ({ topic, partition: 0, ...(state.committed[topic] ?? { offset: null, metadata: '' }) })),
    endOffsets: async () =>
      TOPICS.map((topic) => ({ topic, partition: 0, start: state.bounds[topic]![0], end: state.bounds[topic]![1] })),
    topicIdentities: async () =>
      TOPICS.map((topic): TopicIdentity => ({ topic, id: state.ids[topic]![0], partitions: state.ids[topic]![1] })),
    recordAt: async ({ topic }: TopicPartition, offset: number) => {
      asked.push(`${topic} ${offset}`);
      return state.recordAt(topic, offset);
    },
    firstOffsetSince: async (_: unknown, time: number) => (time === 1_000 ? 44 : null),
    fence: async (id: string) => {
      fenced.push(id);
      return {
        begin: async () => ({
          sendOffsets: async (
            _group: string,
            offsets: readonly { topic: string; offset: number; metadata: string }[],
          ) => {
            for (const { topic, offset, metadata: text } of offsets) {
              state.committed[topic] = { offset, metadata: text };
            }
          },
          commit: async () => undefined,
        }),
        close: async () => undefined,
      };
    },
  } as unknown as KafkaClient;
  const accept = (topics: readonly string[], from: Accepting['from'], dryRun = false) =>
    acceptLogs(port, { appId: 'app', groupId: GROUP, inputTopics: TOPICS, partitions: 1, topics, from, dryRun });
  const reset = (dryRun = false) =>
    resetWatermark(port, { appId: 'app', groupId: GROUP, inputTopics: TOPICS, dryRun }, 0);
  return { state, port, fenced, asked, read: () => readPlace(port, OPTIONS), accept, reset };
}

const waits = (read: () => Promise<unknown>, message: RegExp) =>
  assert.rejects(read(), { code: 'LOG_CHANGED', message });

describe('where a triple goes on', () => {
  test('logs that are the ones that were read: at the committed place, with the watermark', async () => {
    assert.deepEqual(await world().read(), {
      committed: { start: { next: [30, 30, 30], maxTs: [500, 500, 500], watermark: 480 }, deadLettersBelow: [7, 7, 7] },
      logs: { names: ['u1', 's1', 'm1'], partitions: 4 },
    });
  });

  test('a topic that was deleted and made anew is not read on at an offset of the old one', () =>
    waits(
      world({ ids: { user: ['u1', 4], session: ['s1', 4], money: ['m2', 4] } }).read,
      /^money, partition 0 belongs to another topic of that name.*read up to offset 30, it now holds the offsets from 0 to before 100\. .*topics --accept money --from <place>/,
    ));

  test('a topic that was made anew is noticed though Kafka forgot its offset with the old one', () => {
    const { state, read } = world({ ids: { user: ['u1', 4], session: ['s1', 4], money: ['m2', 4] } });
    delete state.committed['money'];
    return waits(read, /^money, partition 0 belongs to another topic.*the committed offset went with it/);
  });

  test('all three made anew, as nobody knows of any offset: they are read from their beginnings, under their new names', async () => {
    const { logs, committed } = await world({
      committed: {},
      ids: { user: ['u2', 4], session: ['s2', 4], money: ['m2', 4] },
    }).read();
    assert.deepEqual(
      [committed.start.next, logs.names],
      [
        [0, 0, 0],
        ['u2', 's2', 'm2'],
      ],
    );
  });

  test('a log that was cut below the committed offset is not read on from its end', () =>
    waits(
      world({ bounds: { user: [0, 100], session: [0, 29], money: [0, 100] } }).read,
      /^session, partition 0 was read up to offset 30, but it now holds the offsets from 0 to before 29: it was cut, restored or made anew/,
    ));

  test('partitions that were added move users: nothing goes on before a person has decided', () =>
    waits(
      world({ ids: { user: ['u1', 6], session: ['s1', 6], money: ['m1', 6] } }).read,
      /^the inputs had 4 partitions when they were read last, and now user has 6, session has 6, money has 6/,
    ));

  test('records that expired are no other log', async () => {
    const { committed } = await world({ bounds: { user: [40, 100], session: [0, 100], money: [0, 100] } }).read();
    assert.deepEqual(committed.start.next, [30, 30, 30]);
  });

  test('what a release before logs had names has committed is read on as it is, and named', async () => {
    const old = encodeMetadata({ maxTs: 500, watermark: 480, deadLettersBelow: 7 });
    const { logs } = await world({
      committed: Object.fromEntries(TOPICS.map((topic) => [topic, { offset: 30, metadata: old }])),
    }).read();
    assert.deepEqual(logs, { names: ['u1', 's1', 'm1'], partitions: 4 });
  });

  test('brokers without ids: names stay as they were', async () => {
    const { logs } = await world({ ids: { user: [null, 4], session: [null, 4], money: [null, 4] } }).read();
    assert.deepEqual(logs.names, ['u1', 's1', 'm1']);
  });

  test("an offset that a person has set with Kafka's own tools is a decision", async () => {
    const { state, read } = world({ ids: { user: ['u1', 4], session: ['s1', 4], money: ['m2', 4] } });
    state.committed['money'] = { offset: 0, metadata: '' };
    const { committed, logs } = await read();
    assert.deepEqual(
      [committed.start, logs.names],
      [{ next: [30, 30, 0], maxTs: [500, 500, -Infinity], watermark: 480 }, ['u1', 's1', 'm2']],
    );
  });
});

describe('a log that was cut or restored, and has grown beyond the committed place again', () => {
  /** Read up to 30, and of money up to 34 but for some that is not acknowledged. */
  const read = () => ({ ...committed([29, 29, 33]) });
  const committed = (offsets: readonly number[]) =>
    Object.fromEntries(
      TOPICS.map((topic, input) => [
        topic,
        { offset: 30, metadata: metadata(undefined, undefined, { last: mark(offsets[input]!) }) },
      ]),
    );
  const restored = (offset: number) =>
    world({
      committed: read(),
      recordAt: (topic, at) => record(at, topic === 'money' && at >= offset ? 'restored' : 'v'),
    });

  test('is noticed by the record that was read last, which is another one now', () =>
    waits(
      restored(33).read,
      /^money, partition 0 was read up to offset 34, but at offset 33 is not the record that was read there, and it now holds the offsets from 0 to before 100: it was cut or restored, and has grown beyond that place again\. Nothing of it is processed until a person decides where to go on: "money-enrichment topics --accept money --from <place>"/,
    ));

  test('is noticed where a transaction marker is now', () =>
    waits(
      world({ committed: read(), recordAt: (topic, at) => (topic === 'session' ? null : record(at)) }).read,
      /^session, partition 0 was read up to offset 30, but at offset 29 is not the record/,
    ));

  test('is noticed where it was cut between the committed offset and what was read', () =>
    waits(
      world({ committed: read(), bounds: { user: [0, 100], session: [0, 100], money: [0, 33] } }).read,
      /^money, partition 0 was read up to offset 34, but it now holds the offsets from 0 to before 33/,
    ));

  test('as the one that was read it goes on, with one question for each input', async () => {
    const { read: readOn, asked } = restored(34);
    const { committed: found } = await readOn();
    assert.deepEqual(found.marks, [mark(29), mark(29), mark(33)]);
    assert.deepEqual(asked, ['user 29', 'session 29', 'money 33']);
  });

  test('nothing is concluded from a record that is gone: expired, deleted, compacted away, not to be read', async () => {
    await world({ committed: read(), recordAt: () => undefined }).read();
    const expired = world({ committed: read(), bounds: { user: [30, 100], session: [30, 100], money: [34, 100] } });
    await expired.read();
    assert.deepEqual(expired.asked, []);
  });

  test('nothing is concluded where an earlier release has committed, or where nobody can look', async () => {
    const { read: readOn, asked } = world({ recordAt: () => null });
    await readOn();
    assert.deepEqual(asked, []);
    const blind = restored(33);
    delete (blind.port as Partial<KafkaClient>).recordAt;
    await blind.read();
  });

  test('goes on at the committed place when it is accepted from a later time, under another name and with no memory of the record that was read', async () => {
    const { state, read: readOn, accept } = restored(33);
    assert.deepEqual(await accept(['money'], 1_000), [{ topic: 'money', partition: 0, before: 30, offset: 30 }]);
    const { committed: found, logs } = await readOn();
    assert.deepEqual(
      [found.start.next, found.marks, logs.names],
      [
        [30, 30, 30],
        [mark(29), mark(29), null],
        ['u1', 's1', 'm1~1'],
      ],
    );
    assert.deepEqual(decodeMetadata(state.committed['money']!.metadata)?.deadLettersBelow, 30);
  });

  test('of what was acknowledged behind the committed place, and of its dead letters, nothing comes twice', async () => {
    const ahead = { next: [30, 30, 40], watermark: 490, except: ['waits'] };
    const metadataOf = (more: Partial<OffsetMetadata>) =>
      encodeMetadata({
        maxTs: 500,
        watermark: 480,
        deadLettersBelow: 42,
        logs: { names: ['u1', 's1', 'm1'], partitions: 4 },
        ...more,
      });
    const given = (next: number) =>
      world({
        committed: {
          user: { offset: 30, metadata: metadataOf({ ahead: { ...ahead, next: [30, 30, next] } }) },
          session: { offset: 30, metadata: metadataOf({}) },
          money: { offset: 30, metadata: metadataOf({ cutBelow: 60 }) },
        },
      });
    const cut = given(40);
    await cut.accept(['money'], 1_000);
    const { committed: found } = await cut.read();
    assert.deepEqual([found.ahead, found.deadLettersBelow], [ahead, [42, 42, 42]]);
    // Acknowledged up to behind what is left of it: which of the new records that was is not known.
    const deeper = given(50);
    await deeper.accept(['money'], 1_000);
    assert.equal((await deeper.read()).committed.ahead, undefined);
  });

  test('says what it passes over where a person takes its end, and goes on before the committed place where it was cut there', async () => {
    assert.deepEqual(await restored(33).accept(['money'], 'end'), [
      { topic: 'money', partition: 0, before: 30, offset: 100, skipped: 70 },
    ]);
    const { state, accept } = restored(33);
    state.committed['money']!.offset = 60;
    assert.deepEqual(await accept(['money'], 1_000), [{ topic: 'money', partition: 0, before: 60, offset: 44 }]);
    // The place of another topic of that name says nothing.
    const anew = world({ ids: { user: ['u1', 4], session: ['s1', 4], money: ['m2', 4] } });
    assert.deepEqual(await anew.accept(['money'], 1_000), [{ topic: 'money', partition: 0, before: 30, offset: 44 }]);
  });
});

describe('topics --reset-watermark', () => {
  test('forgets the watermark and the times, and nothing else', async () => {
    const committed = Object.fromEntries(
      TOPICS.map((topic) => [topic, { offset: 30, metadata: metadata(undefined, undefined, { last: mark(29) }) }]),
    );
    const { reset, read, fenced } = world({ committed });
    assert.deepEqual(await reset(true), { before: 480 });
    assert.deepEqual(fenced, []);
    assert.deepEqual(await reset(), { before: 480 });
    assert.deepEqual(fenced, ['app-bridge-0']);
    assert.deepEqual(await read(), {
      committed: {
        start: { next: [30, 30, 30], maxTs: [-Infinity, -Infinity, -Infinity], watermark: -Infinity },
        deadLettersBelow: [7, 7, 7],
        marks: [mark(29), mark(29), mark(29)],
      },
      logs: { names: ['u1', 's1', 'm1'], partitions: 4 },
    });
    assert.deepEqual(await reset(), { before: -Infinity });
  });

  test('has nothing to forget where nothing was read', async () => {
    const { state, reset } = world({ committed: {} });
    assert.equal(await reset(), undefined);
    assert.deepEqual(state.committed, {});
  });

  test("leaves what was committed with Kafka's own tools a decision of a person", async () => {
    const { state, reset, read } = world({ ids: { user: ['u1', 4], session: ['s1', 4], money: ['m2', 4] } });
    state.committed['money'] = { offset: 0, metadata: '' };
    await reset();
    assert.deepEqual((await read()).committed.start.next, [30, 30, 0]);
  });

  test('decides nothing about a log that has changed', async () => {
    const { reset, read } = world({ ids: { user: ['u1', 4], session: ['s1', 4], money: ['m2', 4] } });
    await reset();
    await waits(read, /^money, partition 0 belongs to another topic/);
  });
});

describe('topics --accept', () => {
  const anew = () => world({ ids: { user: ['u1', 4], session: ['s1', 4], money: ['m2', 4] } });

  for (const [from, offset] of [
    ['beginning', 0],
    ['end', 100],
    [1_000, 44],
    [2_000, 100],
  ] as const) {
    test(`a topic that was made anew goes on from ${from} under its new name, the others where they were`, async () => {
      const { read, accept, fenced } = anew();
      assert.deepEqual(await accept(['money'], from), [{ topic: 'money', partition: 0, before: 30, offset }]);
      assert.deepEqual(fenced, ['app-bridge-0']);
      assert.deepEqual(await read(), {
        committed: {
          start: { next: [30, 30, offset], maxTs: [500, 500, 500], watermark: 480 },
          deadLettersBelow: [7, 7, offset],
        },
        logs: { names: ['u1', 's1', 'm2'], partitions: 4 },
      });
    });
  }

  test('a log that was cut gets another name, and again each time, so that its new records are not dropped as known', async () => {
    const { state, read, accept } = world({ bounds: { user: [0, 100], session: [0, 20], money: [0, 100] } });
    await accept(['session'], 'end');
    assert.deepEqual((await read()).logs.names, ['u1', 's1~1', 'm1']);
    state.bounds['session'] = [0, 10];
    await accept(['session'], 'beginning');
    const { logs, committed } = await read();
    assert.deepEqual(
      [logs.names, committed.start.next],
      [
        ['u1', 's1~2', 'm1'],
        [30, 0, 30],
      ],
    );
  });

  test('another topic than the one that changed stays as it is, and so does what fits', async () => {
    const { read, accept, fenced } = anew();
    assert.deepEqual(await accept(['user'], 'beginning'), []);
    assert.deepEqual(fenced, []);
    await waits(read, /money/);
  });

  test('of two topics that changed, the one that is not accepted still waits', async () => {
    const { read, accept } = world({ ids: { user: ['u1', 4], session: ['s2', 4], money: ['m2', 4] } });
    await accept(['money'], 'end');
    await waits(
      read,
      /^session, partition 0 belongs to another topic of that name.*topics --accept session --from <place>/,
    );
    await accept(['session'], 'beginning');
    const { committed, logs } = await read();
    assert.deepEqual(
      [committed.start.next, logs.names],
      [
        [30, 0, 100],
        ['u1', 's2', 'm2'],
      ],
    );
  });

  test('a log that was seen to be cut waits however long it has grown since, and is accepted under another name', async () => {
    const { state, read, accept } = world();
    state.committed['money'] = {
      offset: 30,
      metadata: encodeMetadata({ ...decodeMetadata(metadata())!, cutBelow: 44 }),
    };
    await waits(
      read,
      /^money, partition 0 was read up to offset 44, and then ended before that; it now holds the offsets from 0 to before 100/,
    );
    await accept(['user'], 'end');
    await waits(read, /^money/);
    await accept(['money'], 'end');
    const { logs, committed } = await read();
    assert.deepEqual(
      [logs.names, committed.start.next],
      [
        ['u1', 's1', 'm1~1'],
        [30, 30, 100],
      ],
    );
  });

  test('a dry run tells and commits nothing', async () => {
    const { read, accept, fenced } = anew();
    assert.deepEqual(await accept(['money'], 'beginning', true), [
      { topic: 'money', partition: 0, before: 30, offset: 0 },
    ]);
    assert.deepEqual(fenced, []);
    await waits(read, /money/);
  });

  test('added partitions are accepted with the places as they are', async () => {
    const { state, read, accept } = world({ ids: { user: ['u1', 6], session: ['s1', 6], money: ['m1', 6] } });
    assert.deepEqual(await accept(['money'], 'end'), [{ topic: 'money', partition: 0, before: 30, offset: 30 }]);
    assert.deepEqual((await read()).committed.start.next, [30, 30, 30]);
    assert.equal(decodeMetadata(state.committed['user']!.metadata)?.logs?.partitions, 6);
  });
});

test('metadata with the names of logs stays far below the 4,096 bytes of a broker', () => {
  const name = 'x'.repeat(11) + '~999';
  assert.ok(metadata([name, name, name], 100_000).length < 300);
});
