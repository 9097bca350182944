import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { Committer } from '../../../src/engine/bridge/committer.ts';
import type { Committed, CommitterOptions } from '../../../src/engine/bridge/committer.ts';
import type { Fetched } from '../../../src/engine/ordering/merge-queue.ts';
import { PartitionTriple } from '../../../src/engine/ordering/partition-triple.ts';
import { encodeMetadata } from '../../../src/engine/ordering/checkpoint.ts';
import { TopicRooms } from '../../../src/engine/kafka/topic-rooms.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { noise } from '../../support/noise.ts';
import { KafkaInMemory } from '../../../src/library/testing/kafka/kafka-in-memory.ts';
import { withCode } from '../../support/publishing.ts';
import { fetched, MONEY_INPUT, SESSION_INPUT, unusable, USER_INPUT } from './given.ts';

const NOW = 1_000_000;
const OPTIONS: Omit<CommitterOptions, 'rooms'> = {
  appId: 'app',
  groupId: 'group',
  partition: 1,
  inputTopics: ['user', 'session', 'money'],
  deadLetterTopic: 'dead',
  deadLetterPartitions: 2,
};

function world(t: TestContext) {
  const kafka = new KafkaInMemory();
  for (const topic of [...OPTIONS.inputTopics, 'dead']) kafka.createTopic(topic, 2);
  for (const topic of OPTIONS.inputTopics) {
    for (let offset = 0; offset < 1_000; offset += 1) kafka.append(topic, 1, { key: null, value: null });
  }
  const port = kafka.port('bridge');
  const rooms = new TopicRooms(port, new ManualClock());
  const cut: number[] = [];
  return {
    cut,
    kafka,
    port,
    async take() {
      const taken = await Committer.take(port, { ...OPTIONS, rooms, onCut: (letters) => cut.push(letters) });
      t.after(() => taken.committer.close());
      return taken;
    },
    committed: () =>
      port.committedOffsets(
        'group',
        OPTIONS.inputTopics.map((topic) => ({ topic, partition: 1 })),
      ),
    deadLetters: () =>
      kafka.committed('dead', 1).map(({ headers }) => `${headers['source-topic']} ${headers['source-offset']}`),
  };
}

/** A triple that goes on at `committed` and has read the logs that follow from there. */
function reading(committed: Committed, logs: readonly [Fetched[], Fetched[], Fetched[]]): PartitionTriple {
  const triple = new PartitionTriple({
    partition: 1,
    start: committed.start,
    deadLettersBelow: committed.deadLettersBelow,
    outOfOrderness: 20,
    idleTimeout: 5_000,
    maxHeld: 1_000,
    maxHeldBytes: 1e6,
  });
  for (const input of [USER_INPUT, SESSION_INPUT, MONEY_INPUT] as const) {
    const from = triple.nextFetch(input);
    const rest = logs[input].filter(({ offset }) => offset >= from);
    triple.offer(input, rest, from + rest.length, NOW);
    triple.sawEnd(input, from + rest.length, NOW + 300);
  }
  triple.read(1_000, NOW + 300);
  return triple;
}

describe('the committer', () => {
  it('begins at the start of the logs when nothing was ever committed', async (t) => {
    const { take } = world(t);
    const { committed } = await take();
    assert.deepEqual(committed, {
      start: { next: [0, 0, 0], maxTs: [-Infinity, -Infinity, -Infinity], watermark: -Infinity },
      deadLettersBelow: [0, 0, 0],
    });
  });

  it('takes the transactional id of its triple', async (t) => {
    const { kafka, take } = world(t);
    await take();
    assert.deepEqual(kafka.fences, ['app-bridge-1']);
  });

  it('commits the checkpoint, and the next holder goes on there', async (t) => {
    const { take, committed } = world(t);
    const first = await take();
    const triple = reading(first.committed, [
      [fetched(USER_INPUT, 0, { ts: 100, time: true })],
      [fetched(SESSION_INPUT, 0, { ts: 200, time: true })],
      [fetched(MONEY_INPUT, 0, { ts: 300 })],
    ]);
    assert.deepEqual(await first.committer.commit(triple), []);
    // The user event is held: the watermark is 80.
    assert.deepEqual(
      (await committed()).map(({ offset }) => offset),
      [0, 0, 0],
    );
    triple.sawEnd(USER_INPUT, 1, NOW + 10_000);
    for (const input of [0, 1, 2] as const) triple.sawEnd(input, 1, NOW + 20_000);
    for (const input of [0, 1, 2] as const) triple.sawEnd(input, 1, NOW + 30_000);
    triple.read(0, NOW + 30_000);
    triple.outbox.drain();
    triple.acknowledged(triple.outbox.take(NOW + 30_000)!);
    await first.committer.commit(triple);
    assert.deepEqual(await committed(), [
      { topic: 'user', partition: 1, offset: 1, metadata: '{"v":1,"maxTs":100,"watermark":301,"deadLettersBelow":1}' },
      {
        topic: 'session',
        partition: 1,
        offset: 1,
        metadata: '{"v":1,"maxTs":200,"watermark":301,"deadLettersBelow":1}',
      },
      { topic: 'money', partition: 1, offset: 1, metadata: '{"v":1,"maxTs":300,"watermark":301,"deadLettersBelow":1}' },
    ]);
    assert.deepEqual((await take()).committed, {
      start: { next: [1, 1, 1], maxTs: [100, 200, 300], watermark: 301 },
      deadLettersBelow: [1, 1, 1],
    });
  });

  it('commits nothing when nothing is new', async (t) => {
    const { kafka, take } = world(t);
    const { committer, committed } = await take();
    const triple = reading(committed, [[], [], [fetched(MONEY_INPUT, 0, { ts: 100 })]]);
    await committer.commit(triple);
    kafka.intercept = ({ api }) => assert.fail(`unexpected ${api}`);
    assert.equal(await committer.commit(triple), null);
  });

  it('writes dead letters and offsets in one transaction', async (t) => {
    const { kafka, take, committed, deadLetters } = world(t);
    const first = await take();
    const triple = reading(first.committed, [[], [], [unusable(0, 100), unusable(1, 101)]]);
    kafka.intercept = ({ api }, when) => {
      if (api === 'commit' && when === 'before') throw new Error('the connection is gone');
    };
    await assert.rejects(first.committer.commit(triple));
    assert.deepEqual([deadLetters(), (await committed())[2]!.offset], [[], null]);
    kafka.intercept = () => undefined;
    const second = await take();
    const written = await second.committer.commit(
      reading(second.committed, [[], [], [unusable(0, 100), unusable(1, 101)]]),
    );
    assert.deepEqual(
      written?.map(({ offset }) => offset),
      [0, 1],
    );
    assert.deepEqual([deadLetters(), (await committed())[2]!.offset], [['money 0', 'money 1'], 2]);
  });

  it('writes the raw record with its reason and its place', async (t) => {
    const { kafka, take } = world(t);
    const { committer, committed } = await take();
    const nothing = { ...unusable(1, 7), raw: { key: null, value: null } };
    await committer.commit(reading(committed, [[], [], [unusable(0, 5), nothing]]));
    const [first, second] = kafka.committed('dead', 1);
    assert.deepEqual([first!.key?.toString(), first!.value?.toString()], ['k', 'no JSON']);
    assert.deepEqual([second!.key, second!.value], [null, null]);
    assert.deepEqual(first!.headers, {
      reason: 'malformed',
      detail: 'value: expected JSON',
      'source-topic': 'money',
      'source-partition': '1',
      'source-offset': '0',
      'source-timestamp': '5',
      '__connect.errors.topic': 'money',
      '__connect.errors.partition': '1',
      '__connect.errors.offset': '0',
      '__connect.errors.stage': 'VALUE_CONVERTER',
      '__connect.errors.exception.class.name': 'malformed',
      '__connect.errors.exception.message': 'value: expected JSON',
    });
  });

  it('does not write dead letters again after a restart from an older offset', async (t) => {
    const { take, deadLetters, committed } = world(t);
    const logs: [Fetched[], Fetched[], Fetched[]] = [[], [], [fetched(MONEY_INPUT, 0, { ts: 100 }), unusable(1, 100)]];
    const first = await take();
    await first.committer.commit(reading(first.committed, logs));
    // The money is held and not acknowledged: the offset stays below the dead letter.
    assert.equal((await committed())[2]!.offset, 0);
    assert.deepEqual(deadLetters(), ['money 1']);
    // Two restarts at once: the second one takes over what the first has committed before it had read anything.
    const second = await take();
    assert.deepEqual(second.committed.deadLettersBelow, [0, 0, 2]);
    await second.committer.commit(reading(second.committed, [[], [], []]));
    const third = await take();
    await third.committer.commit(reading(third.committed, logs));
    assert.deepEqual(deadLetters(), ['money 1']);
  });

  it('whose answer got lost writes nothing twice: the next holder sees what was committed', async (t) => {
    const { kafka, take, deadLetters } = world(t);
    const logs: [Fetched[], Fetched[], Fetched[]] = [[], [], [unusable(0, 100)]];
    const first = await take();
    kafka.intercept = ({ api }, when) => {
      if (api === 'commit' && when === 'after') throw new Error('the answer is lost');
    };
    await assert.rejects(first.committer.commit(reading(first.committed, logs)));
    kafka.intercept = () => undefined;
    const second = await take();
    await second.committer.commit(reading(second.committed, logs));
    assert.deepEqual(deadLetters(), ['money 0']);
  });

  it('that lost its triple without knowing commits nothing', async (t) => {
    const { take, deadLetters, committed } = world(t);
    const zombie = await take();
    const triple = reading(zombie.committed, [[], [], [unusable(0, 100)]]);
    await take();
    await assert.rejects(zombie.committer.commit(triple), withCode('FENCED'));
    assert.deepEqual([deadLetters(), (await committed())[2]!.offset], [[], null]);
  });

  it('splits many or large dead letters into requests', async (t) => {
    const { kafka, take } = world(t);
    const sizes: number[] = [];
    kafka.intercept = ({ api, records }, when) => {
      if (api === 'send' && when === 'after') sizes.push(records!.length);
    };
    const { committer, committed } = await take();
    const large = { ...unusable(2_500, 1), raw: { key: null, value: Buffer.alloc(1_500_000) } };
    const many = Array.from({ length: 2_500 }, (_, offset) => unusable(offset, 1));
    const triple = reading(committed, [[], [], [...many, large, unusable(2_501, 1)]]);
    triple.read(10_000, NOW + 300);
    await committer.commit(triple);
    assert.equal(kafka.committed('dead', 1).length, 2_502);
    assert.ok(sizes.every((size) => size <= 1_000));
    assert.deepEqual(sizes.slice(-2), [1, 1]);
  });

  it('knows nothing of offsets that another program committed, but where to go on', async (t) => {
    const { port, take } = world(t);
    const producer = await port.fence('other');
    const transaction = await producer.begin();
    await transaction.sendOffsets('group', [
      { topic: 'user', partition: 1, offset: 3, metadata: '' },
      {
        topic: 'money',
        partition: 1,
        offset: 5,
        metadata: encodeMetadata({ maxTs: 9, watermark: 4, deadLettersBelow: 8 }),
      },
    ]);
    await transaction.commit();
    assert.deepEqual((await take()).committed, {
      start: { next: [3, 0, 5], maxTs: [-Infinity, -Infinity, 9], watermark: 4 },
      deadLettersBelow: [3, 0, 8],
    });
  });

  const raw = (offset: number, value: Buffer, key: Buffer = Buffer.from('k')): Fetched => ({
    ...unusable(offset, 1),
    raw: { key, value },
  });
  const text = (offset: number): Fetched => raw(offset, Buffer.alloc(1_000, `${offset} `));

  for (const visible of [true, false]) {
    it(`writes each dead letter once into a topic that takes 20,000 bytes, its settings ${visible ? 'seen' : 'not seen'}`, async (t) => {
      const { kafka, take, deadLetters, committed } = world(t);
      kafka.settings.set('dead', { 'max.message.bytes': '20000' });
      kafka.settingsVisible = visible;
      const taken = await take();
      const triple = reading(taken.committed, [[], [], Array.from({ length: 300 }, (_, offset) => text(offset))]);
      assert.equal((await taken.committer.commit(triple))?.length, 300);
      assert.deepEqual(
        deadLetters(),
        Array.from({ length: 300 }, (_, offset) => `money ${offset}`),
      );
      assert.equal((await committed())[2]!.offset, 300);
      // Each refusal costs a fence and halves what is tried, 450,000 bytes at first.
      assert.equal(kafka.fences.length, visible ? 1 : 6);
      triple.offer(
        MONEY_INPUT,
        Array.from({ length: 300 }, (_, n) => text(300 + n)),
        600,
        NOW,
      );
      triple.sawEnd(MONEY_INPUT, 600, NOW + 1_000);
      triple.read(1_000, NOW + 1_000);
      const before = kafka.fences.length;
      await taken.committer.commit(triple);
      assert.deepEqual([deadLetters().length, kafka.fences.length], [600, before]);
    });
  }

  it('compresses a dead letter that would not fit, and keeps all of it', async (t) => {
    const { kafka, cut, take } = world(t);
    kafka.settings.set('dead', { 'max.message.bytes': '100000' });
    const { committer, committed } = await take();
    const value = Buffer.alloc(3_000_000, '0123456789');
    await committer.commit(reading(committed, [[], [], [raw(0, value)]]));
    assert.ok(kafka.committed('dead', 1)[0]!.value!.equals(value));
    assert.deepEqual(cut, []);
  });

  for (const visible of [true, false]) {
    it(`cuts a dead letter that no request can carry, settings ${visible ? 'seen' : 'not seen'}, and counts it`, async (t) => {
      const { kafka, cut, take } = world(t);
      kafka.settings.set('dead', { 'max.message.bytes': '10000' });
      kafka.settingsVisible = visible;
      const { committer, committed } = await take();
      await committer.commit(reading(committed, [[], [], [raw(0, noise(50_000)), raw(1, Buffer.from('small'))]]));
      const [large, small] = kafka.committed('dead', 1);
      assert.deepEqual(
        [large!.headers['value-cut'], large!.headers['value-bytes'], small!.headers['value-cut']],
        ['true', '50000', undefined],
      );
      assert.ok(noise(50_000).subarray(0, large!.value!.length).equals(large!.value!));
      assert.ok(large!.value!.length > (visible ? 9_000 : 2_000));
      assert.deepEqual(cut, [1]);
    });
  }

  it('cuts a key that no request can carry', async (t) => {
    const { kafka, cut, take } = world(t);
    kafka.settings.set('dead', { 'max.message.bytes': '10000' });
    const { committer, committed } = await take();
    await committer.commit(reading(committed, [[], [], [raw(0, Buffer.from('v'), noise(50_000))]]));
    const [letter] = kafka.committed('dead', 1);
    assert.deepEqual(
      [letter!.headers['key-cut'], letter!.headers['key-bytes'], letter!.value?.toString()],
      ['true', '50000', 'v'],
    );
    assert.deepEqual(cut, [1]);
  });

  it('says what to do when the topic takes no record of this kind, and repeats nothing', async (t) => {
    const { kafka, take } = world(t);
    kafka.settings.set('dead', { 'cleanup.policy': 'compact' });
    const { committer, committed } = await take();
    const keyless = { ...unusable(0, 7), raw: { key: null, value: Buffer.from('v') } };
    await assert.rejects(
      committer.commit(reading(committed, [[], [], [keyless]])),
      /cleanup\.policy "compact"\? Set it to "delete"/,
    );
    assert.equal(kafka.fences.length, 1);
  });

  it('whose limit became smaller while it ran goes on', async (t) => {
    const { kafka, take, deadLetters } = world(t);
    const { committer, committed } = await take();
    const triple = reading(committed, [[], [], Array.from({ length: 100 }, (_, offset) => text(offset))]);
    await committer.commit(triple);
    kafka.settings.set('dead', { 'max.message.bytes': '20000' });
    triple.offer(
      MONEY_INPUT,
      Array.from({ length: 100 }, (_, n) => text(100 + n)),
      200,
      NOW,
    );
    triple.sawEnd(MONEY_INPUT, 200, NOW + 1_000);
    triple.read(1_000, NOW + 1_000);
    await committer.commit(triple);
    assert.equal(deadLetters().length, 200);
    assert.equal(kafka.fences.length, 2);
  });

  it('that was refused for its size leaves the triple to who has committed since', async (t) => {
    const { kafka, take, deadLetters } = world(t);
    kafka.settings.set('dead', { 'max.message.bytes': '20000' });
    kafka.settingsVisible = false;
    const slow = await take();
    const triple = reading(slow.committed, [[], [], Array.from({ length: 100 }, (_, offset) => text(offset))]);
    kafka.intercept = async ({ api }, when) => {
      if (api !== 'send' || when !== 'before') return;
      kafka.intercept = () => undefined;
      const other = await take();
      await other.committer.commit(reading(other.committed, [[], [], [text(0)]]));
    };
    await assert.rejects(slow.committer.commit(triple), withCode('FENCED'));
    assert.deepEqual(deadLetters(), ['money 0']);
  });
});
