/** The publish protocol against Kafka in memory: every fault that broke an earlier draft of it, and the rules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import type { GroupHandlers, GroupMember, KafkaPort, RecordBatch } from '../../../src/engine/kafka/port.ts';
import { OWNER_KEY } from '../../../src/engine/publish/ledger-entry.ts';
import type { Publisher, ShardEvent } from '../../../src/engine/publish/publisher.ts';
import { eventually } from '../../support/eventually.ts';
import { KafkaInMemory } from '../../../src/library/testing/kafka/kafka-in-memory.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { output, request, SECOND_LIFE, startProcess, withCode } from '../../support/publishing.ts';
import type { Process } from '../../support/publishing.ts';

const GROUP = 'app-shards';

interface World {
  readonly kafka: KafkaInMemory;
  readonly clock: ManualClock;
  start(name: string, port?: KafkaPort): Promise<Process>;
  /** A process that has all shards. */
  owner(name: string): Promise<Process & { publisher: Publisher }>;
  /** Values a read_committed reader sees in the output topic. */
  published(): string[];
}

function world(t: TestContext, shards = 1): World {
  const kafka = new KafkaInMemory();
  const clock = new ManualClock();
  kafka.createTopic('out', shards);
  kafka.createTopic('ledger', shards);
  const start = async (name: string, port = kafka.port(name)): Promise<Process> => {
    const process = await startProcess(port, {
      name,
      appId: 'app',
      outputTopic: 'out',
      ledgerTopic: 'ledger',
      shards,
      clock,
    });
    t.after(() => process.ownership.stop());
    return process;
  };
  return {
    kafka,
    clock,
    start,
    async owner(name) {
      const process = await start(name);
      await eventually(`all shards on ${name}`, () => process.shards.size === shards);
      const publisher = process.shards.get(0);
      assert.ok(publisher);
      return { ...process, publisher };
    },
    published: () =>
      Array.from({ length: shards }, (_, shard) =>
        kafka.committed('out', shard).map(({ value }) => String(value)),
      ).flat(),
  };
}

/** A point at which a request stands still until the test lets it go. */
function gate(): { readonly reached: Promise<void>; pass(): Promise<void>; open(): void } {
  let arrive = (): void => undefined;
  let release = (): void => undefined;
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  const opened = new Promise<void>((resolve) => (release = resolve));
  return {
    reached,
    async pass() {
      arrive();
      await opened;
    },
    open: () => release(),
  };
}

/** Whether the promise is settled after everything that can happen has happened. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(
    () => (done = true),
    () => (done = true),
  );
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  return done;
}

const ofType = (events: readonly ShardEvent[], type: ShardEvent['type']): ShardEvent[] =>
  events.filter((event) => event.type === type);

test('outputs are published once, however often they are asked for', async (t) => {
  const { owner, published } = world(t);
  const { publisher } = await owner('a');
  await publisher.publish(request('u', 1, 2));
  await Promise.all([
    publisher.publish(request('u', 1, 2)),
    publisher.publish(request('u', 3, 3)),
    publisher.publish(request('u', 1, 3)),
  ]);
  assert.deepEqual(published(), ['u:101', 'u:102', 'u:103']);
});

test('many requests at a time go into few transactions', async (t) => {
  const { owner, published, kafka } = world(t);
  const { publisher, events } = await owner('a');
  await Promise.all(Array.from({ length: 200 }, (_, user) => publisher.publish(request(`u${user}`, 1, 3))));
  assert.equal(new Set(published()).size, 600);
  assert.equal(published().length, 600);
  assert.ok(ofType(events, 'committed').length <= 3, `${ofType(events, 'committed').length} transactions`);
  assert.equal(kafka.fences.length, 1);
});

test('a repeat of what was published waits for no transaction that is under way', async (t) => {
  const { owner, published, kafka } = world(t);
  const { publisher, events } = await owner('a');
  await publisher.publish(request('u', 1, 3));
  const commit = gate();
  kafka.intercept = async ({ api }, when) => {
    if (api === 'commit' && when === 'before') await commit.pass();
  };
  const other = publisher.publish(request('v', 1, 1));
  await commit.reached;
  assert.equal(await settled(publisher.publish(request('u', 1, 3))), true);
  assert.equal(await settled(publisher.publish(request('u', 2, 2))), true);
  assert.equal(await settled(other), false);
  commit.open();
  await other;
  assert.deepEqual([published(), ofType(events, 'repeated').length], [['u:101', 'u:102', 'u:103', 'v:101'], 2]);
});

test('a repeat of what is in an uncommitted transaction is not acknowledged before the commit (premature duplicate ack)', async (t) => {
  const { owner, start, published, kafka } = world(t);
  const a = await owner('a');
  const commit = gate();
  kafka.intercept = async ({ api, process }, when) => {
    if (api === 'commit' && process === 'a' && when === 'before') await commit.pass();
  };
  const first = a.publisher.publish(request('u', 1, 3));
  await commit.reached;
  const repeat = a.publisher.publish(request('u', 1, 3));
  assert.equal(await settled(first), false);
  assert.equal(await settled(repeat), false);

  // Another process takes the shard; the transaction under way is aborted.
  const b = await start('b');
  kafka.rebalance(GROUP, ['a']);
  await eventually('b owns the shard', () => b.shards.has(0));
  commit.open();
  await assert.rejects(first, withCode('SHARD_NOT_OWNED'));
  await assert.rejects(repeat, withCode('SHARD_NOT_OWNED'));
  assert.deepEqual(published(), []);
  await b.publish(request('u', 1, 3));
  assert.deepEqual(published(), ['u:101', 'u:102', 'u:103']);
});

test('two requests for the same outputs in one transaction share its fate', async (t) => {
  const { owner, published, kafka } = world(t);
  const { publisher } = await owner('a');
  const commits = [gate(), gate()];
  let commit = 0;
  kafka.intercept = async ({ api }, when) => {
    if (api === 'commit' && when === 'before') await commits[commit++]?.pass();
  };
  const other = publisher.publish(request('other', 1, 1));
  await commits[0]?.reached;
  // Both wait for the transaction under way, and go into the next one together.
  const [first, rider] = [publisher.publish(request('u', 1, 1)), publisher.publish(request('u', 1, 1))];
  commits[0]?.open();
  await other;
  await commits[1]?.reached;
  assert.equal(await settled(first), false);
  assert.equal(await settled(rider), false);
  await kafka.port('stranger').fence('app-shard-0');
  commits[1]?.open();
  await assert.rejects(first, withCode('SHARD_NOT_OWNED'));
  await assert.rejects(rider, withCode('SHARD_NOT_OWNED'));
  assert.deepEqual(published(), ['other:101']);
});

test('that a workflow began anew is noticed, once, though its outputs go into one transaction with those of the life before', async (t) => {
  const { owner, published, kafka } = world(t);
  const { publisher, events } = await owner('a');
  const commit = gate();
  let commits = 0;
  kafka.intercept = async ({ api }, when) => {
    if (api === 'commit' && when === 'before' && (commits += 1) === 1) await commit.pass();
  };
  const other = publisher.publish(request('other', 1, 1));
  await commit.reached;
  const lives = [
    publisher.publish(request('u', 1, 1)),
    publisher.publish(request('u', 1, 1, { incarnation: SECOND_LIFE })),
  ];
  commit.open();
  await Promise.all([other, ...lives]);
  await publisher.publish(request('u', 2, 2, { incarnation: SECOND_LIFE }));
  assert.deepEqual(published(), ['other:101', 'u:101', 'u:101', 'u:102']);
  assert.deepEqual(
    ofType(events, 'noticed').map((event) => event.type === 'noticed' && [event.key, event.notice]),
    [['u', 'began-anew']],
  );
});

for (const when of ['before', 'after'] as const) {
  for (const api of ['send', 'commit'] as const) {
    test(`a ${when === 'before' ? 'lost request' : 'lost answer'} of ${api} is resolved by taking the shard again`, async (t) => {
      const { owner, published, kafka } = world(t);
      const { publisher, events } = await owner('a');
      await publisher.publish(request('u', 1, 1));
      let armed = true;
      kafka.intercept = (asked, at) => {
        if (!armed || asked.api !== api || at !== when) return;
        armed = false;
        throw new CodedError('KAFKA', 'connection lost');
      };
      await publisher.publish(request('u', 2, 3));
      assert.deepEqual(published(), ['u:101', 'u:102', 'u:103']);
      assert.equal(ofType(events, 'reopening').length, 1);
      assert.equal(kafka.fences.length, 2);
    });
  }
}

test('a transaction that was fenced means the shard is lost, and another process goes on', async (t) => {
  const { owner, start, published, kafka } = world(t);
  const a = await owner('a');
  await a.publisher.publish(request('u', 1, 1));
  const b = await start('b');
  kafka.rebalance(GROUP, ['a']);
  await eventually('b owns the shard', () => b.shards.has(0));
  await assert.rejects(a.publisher.publish(request('u', 2, 2)), withCode('SHARD_NOT_OWNED'));
  await eventually('a knows', () => a.shards.size === 0);
  await b.publish(request('u', 2, 2));
  assert.deepEqual(published(), ['u:101', 'u:102']);
});

test('a gap is real only in a ledger that was read after the request came', async (t) => {
  const { owner, published, kafka } = world(t);
  const { publisher } = await owner('a');
  await publisher.publish(request('u', 1, 1));
  assert.equal(kafka.fences.length, 1);
  await assert.rejects(publisher.publish(request('u', 3, 3)), (error: unknown) => {
    assert.ok(error instanceof CodedError);
    assert.equal(error.code, 'SEQUENCE_GAP');
    assert.match(error.message, /^applied outputs 3 .*the ledger ends at 1/);
    return true;
  });
  assert.equal(kafka.fences.length, 2);
  await publisher.publish(request('u', 2, 3));
  assert.deepEqual(published(), ['u:101', 'u:102', 'u:103']);
});

test('an owner that was fenced unawares does not report a gap (gap judged by a stale owner)', async (t) => {
  const { owner, start, published, kafka } = world(t);
  const a = await owner('a');
  await a.publisher.publish(request('u', 1, 1));
  const b = await start('b');
  kafka.rebalance(GROUP, ['a']);
  await b.publish(request('u', 2, 5));
  // To a's ledger, which ends at 1, this is a gap.
  await assert.rejects(a.publisher.publish(request('u', 6, 6)), withCode('SHARD_NOT_OWNED'));
  assert.deepEqual(published(), ['u:101', 'u:102', 'u:103', 'u:104', 'u:105']);
});

test('an old owner that recovers leaves the shard to the new one (fencing ping-pong)', async (t) => {
  const { owner, start, published, kafka, clock } = world(t);
  const a = await owner('a');
  await a.publisher.publish(request('u', 1, 1));
  const b = await start('b');
  kafka.rebalance(GROUP, ['a']);
  await b.publish(request('u', 2, 2));

  // a meets an error that tells nothing of b, takes the shard again, and finds b's sentinel after its own.
  let armed = true;
  kafka.intercept = ({ api, process }, when) => {
    if (!armed || process !== 'a' || api !== 'send' || when !== 'before') return;
    armed = false;
    throw new CodedError('KAFKA', 'connection lost');
  };
  await assert.rejects(a.publisher.publish(request('u', 2, 3)), withCode('SHARD_NOT_OWNED'));
  assert.equal(ofType(a.events, 'lost').length, 1);

  // b was fenced by that and takes the shard again; a has heard of the rebalance meanwhile, and stays away.
  const again = b.publish(request('u', 3, 3));
  again.catch(() => undefined);
  await eventually('b is fenced', () => ofType(b.events, 'lost').length === 1);
  await a.ownership.stop();
  clock.advance(15_000);
  await eventually('b has the shard again', () => b.shards.has(0));
  await b.publish(request('u', 3, 3));
  assert.deepEqual(published(), ['u:101', 'u:102', 'u:103']);
  assert.equal(kafka.fences.length, 4);
});

test('a shard lost by fencing is taken again after a while when its partition is still ours', async (t) => {
  const { owner, published, kafka, clock } = world(t);
  const a = await owner('a');
  await a.publisher.publish(request('u', 1, 1));
  const stranger = await kafka.port('stranger').fence('app-shard-0');
  await assert.rejects(a.publisher.publish(request('u', 2, 2)), withCode('SHARD_NOT_OWNED'));
  await stranger.close();
  assert.equal(a.shards.size, 0);
  clock.advance(4_999);
  await settled(new Promise(() => undefined));
  assert.equal(kafka.fences.length, 2);
  clock.advance(10_001);
  await a.publish(request('u', 2, 2));
  assert.deepEqual(published(), ['u:101', 'u:102']);
});

test('a shard lost by fencing is not taken back by a process that is out of the group without knowing it', async (t) => {
  const { start, published, kafka, clock } = world(t);
  const port = kafka.port('a');
  const unheard: KafkaPort = {
    ...port,
    joinGroup: (options) => {
      const member = port.joinGroup(options);
      return {
        start: (handlers) => member.start(handlers),
        pause: (topic, partition) => member.pause(topic, partition),
        resume: (topic, partition) => member.resume(topic, partition),
        seek: (topic, partition, offset) => member.seek(topic, partition, offset),
        confirmed: () => new Promise(() => undefined), // its heartbeats go to a coordinator that is none any more
        stop: () => member.stop(),
      };
    },
  };
  const a = await start('a', unheard);
  await a.publish(request('u', 1, 1));
  const taken = a.shards.get(0)!;
  const b = await start('b');
  kafka.rebalance(GROUP, ['a']);
  await b.publish(request('u', 2, 2));
  await assert.rejects(taken.publish(request('u', 2, 2)), withCode('SHARD_NOT_OWNED'));
  clock.advance(15_000);
  await settled(new Promise(() => undefined));
  await b.publish(request('u', 3, 3));
  assert.deepEqual(
    [published(), kafka.fences.length, ofType(b.events, 'lost').length],
    [['u:101', 'u:102', 'u:103'], 2, 0],
  );
});

test('a newer incarnation starts at 1; the older one is refused from then on', async (t) => {
  const { owner, published } = world(t);
  const { publisher } = await owner('a');
  await publisher.publish(request('u', 1, 2));
  await publisher.publish(request('u', 1, 1, { incarnation: SECOND_LIFE }));
  await assert.rejects(publisher.publish(request('u', 3, 3)), withCode('STALE_INCARNATION'));
  await assert.rejects(publisher.publish(request('u', 1, 1, { stream: 'resolved' })), withCode('STALE_INCARNATION'));
  await publisher.publish(request('u', 2, 2, { incarnation: SECOND_LIFE }));
  assert.deepEqual(published(), ['u:101', 'u:102', 'u:101', 'u:102']);
});

test('another output under a published sequence number is refused, naming both', async (t) => {
  const { owner, published } = world(t);
  const { publisher } = await owner('a');
  await publisher.publish(request('u', 1, 2));
  await assert.rejects(
    publisher.publish({ ...request('u', 2, 3), outputs: [output('u', 777), output('u', 103)] }),
    (error: unknown) => {
      assert.ok(error instanceof CodedError);
      assert.equal(error.code, 'DIVERGENCE');
      assert.match(
        error.message,
        /output 2 was published for the record at partition 0, offset 102, and now stands for partition 0, offset 777/,
      );
      return true;
    },
  );
  assert.deepEqual(published(), ['u:101', 'u:102']);
});

test('sequence numbers below 1 are refused', async (t) => {
  const { publisher } = await world(t).owner('a');
  await assert.rejects(publisher.publish({ ...request('u', 1, 1), first: 0 }), withCode('SEQUENCE_GAP'));
});

test('a request that cannot be encoded fails alone', async (t) => {
  const { owner, published } = world(t);
  const { publisher } = await owner('a');
  const broken = { ...request('u', 1, 1), outputs: [null as never] };
  await assert.rejects(publisher.publish(broken), TypeError);
  await publisher.publish(request('u', 1, 1));
  assert.deepEqual(published(), ['u:101']);
});

test('a request that Kafka never takes is given back, and does not hold up the others', async (t) => {
  const { owner, published, kafka } = world(t);
  const { publisher } = await owner('a');
  kafka.intercept = ({ records }, when) => {
    if (when === 'before' && records?.some(({ key }) => key === '"poison"')) {
      throw new CodedError('KAFKA', 'MESSAGE_TOO_LARGE');
    }
  };
  const poison = publisher.publish(request('poison', 1, 1));
  poison.catch(() => undefined);
  await Promise.all(['a', 'b', 'c'].map((user) => publisher.publish(request(user, 1, 1))));
  await assert.rejects(poison, withCode('OUTPUT_REFUSED'));
  assert.deepEqual(published().sort(), ['a:101', 'b:101', 'c:101']);
});

test('requests are given back when Kafka stays away, and published when it is back', async (t) => {
  const { owner, published, kafka, clock } = world(t);
  const { publisher } = await owner('a');
  kafka.intercept = () => {
    throw new CodedError('KAFKA', 'no broker');
  };
  const early = publisher.publish(request('u', 1, 1));
  early.catch(() => undefined);
  assert.equal(await settled(early), false);
  for (let step = 0; step < 5; step++) {
    clock.advance(5_000);
    await settled(early);
  }
  await assert.rejects(early, withCode('KAFKA'));
  const late = publisher.publish(request('u', 1, 1));
  kafka.intercept = () => undefined;
  clock.advance(5_000);
  await late;
  assert.deepEqual(published(), ['u:101']);
});

test('requests are given back while a taking of the shard takes long', async (t) => {
  const { owner, published, kafka, clock } = world(t);
  const { publisher } = await owner('a');
  const slow = gate();
  let armed = true;
  kafka.intercept = async ({ api }, when) => {
    if (api === 'commit' && when === 'before' && armed) {
      armed = false;
      throw new CodedError('KAFKA', 'connection lost');
    }
    if (api === 'fence' && when === 'before') await slow.pass();
  };
  const early = publisher.publish(request('u', 1, 1));
  early.catch(() => undefined);
  await slow.reached;
  clock.advance(19_000);
  assert.equal(await settled(early), false);
  clock.advance(2_000);
  await assert.rejects(early, withCode('KAFKA'));
  slow.open();
  await publisher.publish(request('u', 1, 1));
  assert.deepEqual(published(), ['u:101']);
});

test('a ledger that does not come is asked for again with a new sentinel', async (t) => {
  const { start, published, kafka, clock } = world(t);
  const port = kafka.port('a');
  let dead = true;
  const deaf: KafkaPort = {
    ...port,
    joinGroup: (options) => {
      const member = port.joinGroup(options);
      const onRecords = (handlers: GroupHandlers) => async (batch: RecordBatch) =>
        dead ? undefined : handlers.onRecords(batch);
      return Object.assign(Object.create(member) as GroupMember, {
        start: (handlers: GroupHandlers) => member.start({ ...handlers, onRecords: onRecords(handlers) }),
        pause: (topic: string, partition: number) => member.pause(topic, partition),
        resume: (topic: string, partition: number) => member.resume(topic, partition),
        seek: (topic: string, partition: number, offset: number) => member.seek(topic, partition, offset),
        stop: () => member.stop(),
      });
    },
  };
  const a = await start('a', deaf);
  await eventually('the sentinel is written', () => kafka.committed('ledger').length === 1);
  for (let step = 0; step < 100 && a.shards.size === 0; step++) {
    clock.advance(2_000);
    await settled(new Promise(() => undefined));
    dead = ofType(a.events, 'reopening').length === 0;
  }
  await a.publish(request('u', 1, 1));
  assert.deepEqual(published(), ['u:101']);
  assert.ok(kafka.fences.length >= 2);
});

test('closing finishes the transaction under way and refuses the rest', async (t) => {
  const { owner, published, kafka } = world(t);
  const { publisher, ownership, shards } = await owner('a');
  const commit = gate();
  kafka.intercept = async ({ api }, when) => {
    if (api === 'commit' && when === 'before') await commit.pass();
  };
  const first = publisher.publish(request('u', 1, 1));
  await commit.reached;
  const second = publisher.publish(request('u', 2, 2));
  const stopped = ownership.stop();
  await assert.rejects(second, withCode('SHARD_NOT_OWNED'));
  assert.equal(shards.size, 0);
  commit.open();
  await Promise.all([first, stopped]);
  await assert.rejects(publisher.publish(request('u', 2, 2)), withCode('SHARD_NOT_OWNED'));
  assert.deepEqual(published(), ['u:101']);
});

test('the next owner knows everything that was published, whatever the size of a fetch', async (t) => {
  const { owner, published, kafka } = world(t);
  kafka.fetchSize = 3;
  const a = await owner('a');
  for (let seq = 1; seq <= 10; seq++) await a.publisher.publish(request('u', seq, seq));
  await a.ownership.stop();
  const b = await owner('b');
  assert.equal(ofType(b.events, 'opened').length, 1);
  await b.publisher.publish(request('u', 8, 11));
  await b.publisher.publish(request('u', 1, 11));
  assert.equal(published().length, 11);
  assert.equal(kafka.fences.length, 2);
});

test('a rebalance in the middle of reading the ledger does no harm', async (t) => {
  const { owner, start, published, kafka } = world(t);
  const a = await owner('a');
  for (let seq = 1; seq <= 20; seq++) await a.publisher.publish(request('u', seq, seq));
  await a.ownership.stop();
  kafka.fetchSize = 2;
  const b = await start('b');
  for (let turn = 0; turn < 6; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    kafka.rebalance(GROUP);
  }
  await b.publish(request('u', 20, 21));
  assert.equal(published().length, 21);
  assert.equal(kafka.fences.length, 2);
});

test('a shard that stays over a rebalance is neither fenced nor read again', async (t) => {
  const { owner, start, kafka } = world(t, 4);
  const a = await owner('a');
  assert.equal(kafka.fences.length, 4);
  const b = await start('b');
  await eventually('b has two shards', () => b.shards.size === 2 && a.shards.size === 2);
  assert.equal(kafka.fences.length, 6);
  await b.ownership.stop();
  await eventually('a has all again', () => a.shards.size === 4);
  assert.equal(kafka.fences.length, 8);
  const [kept = -1] = [0, 1, 2, 3].filter(
    (shard) => kafka.fences.filter((id) => id === `app-shard-${shard}`).length === 1,
  );
  assert.equal(ofType(a.events, 'opened').filter((event) => event.shard === kept).length, 1);
});

test('the sentinel names the owner and is no user', async (t) => {
  const { owner, kafka } = world(t);
  const a = await owner('a');
  const [sentinel] = kafka.committed('ledger');
  assert.equal(String(sentinel?.key), OWNER_KEY);
  assert.match(String(sentinel?.value), /"owner":"a-.*"host":"a"/);
  assert.deepEqual(
    ofType(a.events, 'opened').map((event) => event.type === 'opened' && event.keys),
    [0],
  );
});

test('a foreign record in the ledger keeps the shard shut', async (t) => {
  const { start, kafka, published } = world(t);
  kafka.append('ledger', 0, { key: 'u', value: 'not ours' });
  const a = await start('a');
  await eventually('the shard cannot be opened', () => ofType(a.events, 'reopening').length > 0);
  const [event] = ofType(a.events, 'reopening');
  assert.ok(event?.type === 'reopening' && withCode('DIVERGENCE')(event.error));
  assert.equal(a.shards.size, 0);
  assert.deepEqual(published(), []);
});

test('a tombstone in the ledger forgets the user', async (t) => {
  const { owner, start, published, kafka } = world(t);
  const a = await owner('a');
  await a.publisher.publish(request('u', 1, 1));
  await a.ownership.stop();
  kafka.append('ledger', 0, { key: 'u', value: null });
  const b = await start('b');
  await b.publish(request('u', 1, 1));
  assert.deepEqual(published(), ['u:101', 'u:101']);
});
