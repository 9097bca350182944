/** The simulated consumer groups: whole partition numbers, generations, zombies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaPort } from '../../../src/engine/kafka/port.ts';
import { withCode } from '../../../test/support/publishing.ts';
import { given, member, record } from './given.ts';
import type { Given, Seen } from './given.ts';

function write({ kafka }: Given, topic: string, partition: number, ...values: readonly string[]): void {
  for (const value of values) kafka.append(topic, partition, record(value));
}

async function commitOffset(world: Given, port: KafkaPort, offset: number): Promise<void> {
  const producer = await world.of(port.fence('committer'));
  const transaction = await world.of(producer.begin());
  await world.of(transaction.sendOffsets('g', [{ topic: 't', partition: 0, offset, metadata: '' }]));
  await world.of(transaction.commit());
  await world.until(() => world.kafka.groupOffsets('g').some((found) => found.offset === offset));
}

const all = (...members: readonly Seen[]): number[] => members.flatMap((seen) => seen.owned()).sort((a, b) => a - b);

test('a member reads to the end, batches join, and pause, resume and seek are obeyed', async () => {
  const world = given(1);
  world.kafka.createTopic('t', 1);
  write(world, 't', 0, 'a', 'b', 'c');
  const seen = member(world.kafka.port(world.process('p')), 'g', ['t']);
  await world.of(seen.started);
  await world.until(() => seen.values().length === 3);
  assert.deepEqual(seen.values(), ['a', 'b', 'c']);
  assert.equal(seen.batches[0]?.fetchedFrom, 0);
  for (const [index, batch] of seen.batches.entries()) {
    if (index > 0) assert.equal(batch.fetchedFrom, seen.batches[index - 1]?.next);
  }
  assert.deepEqual([seen.batches.at(-1)?.next, seen.batches.at(-1)?.end], [3, 3]);

  seen.member.pause('t', 0);
  write(world, 't', 0, 'd');
  await world.pass(5_000);
  assert.equal(seen.values().length, 3);
  seen.member.resume('t', 0);
  await world.until(() => seen.values().at(-1) === 'd');
  seen.batches.length = 0;
  seen.member.seek('t', 0, 2);
  await world.until(() => seen.values().length === 2);
  assert.deepEqual(seen.values(), ['c', 'd']);
});

test('nothing comes before onAssigned has resolved, and reading begins at what is committed by then', async () => {
  const world = given(2);
  world.kafka.createTopic('t', 1);
  write(world, 't', 0, 'a', 'b', 'c');
  const port = world.kafka.port(world.process('p'));
  let ready: () => void = () => undefined;
  const seen = member(port, 'g', ['t'], { onAssigned: () => new Promise((resolve) => (ready = resolve)) });
  await world.of(seen.started);
  await world.pass(5_000);
  assert.equal(seen.batches.length, 0);
  await commitOffset(world, port, 2);
  ready();
  await world.until(() => seen.values().length > 0);
  assert.deepEqual(seen.values(), ['c']);
});

test('members share whole partition numbers, keep what they have, and take over from one that leaves', async () => {
  const world = given(3);
  for (const topic of ['t', 'u']) world.kafka.createTopic(topic, 4);
  for (const topic of ['t', 'u']) {
    for (const partition of [0, 1, 2, 3]) write(world, topic, partition, `${topic}${partition}`);
  }
  const a = member(world.kafka.port(world.process('a')), 'g', ['t', 'u']);
  await world.until(() => a.owned().length === 4);
  const b = member(world.kafka.port(world.process('b')), 'g', ['t', 'u']);
  await world.until(() => a.owned().length === 2 && b.owned().length === 2);
  assert.deepEqual(all(a, b), [0, 1, 2, 3]);
  const kept = a.owned();
  await world.until(() => b.values().length === 4);
  assert.deepEqual([...new Set(b.batches.map(({ partition }) => partition))].sort(), b.owned());
  world.kafka.rebalance('g');
  await world.until(() => a.assignments.length === 3);
  assert.deepEqual(a.owned(), kept);
  await world.of(b.member.stop());
  await world.until(() => a.owned().length === 4);
});

test('a dead member is noticed by the session time-out', async () => {
  const world = given(4);
  world.kafka.createTopic('t', 2);
  const [dying, living] = [world.process('dying'), world.process('living')];
  const a = member(world.kafka.port(dying), 'g', ['t']);
  const b = member(world.kafka.port(living), 'g', ['t']);
  await world.until(() => a.owned().length === 1 && b.owned().length === 1);
  dying.kill();
  await world.pass(6_000);
  assert.equal(b.owned().length, 1);
  await world.until(() => b.owned().length === 2, 12_000);
  assert.equal(world.kafka.counts.evictions, 1);
});

for (const way of ['paused', 'cut off'] as const) {
  test(`a member that is ${way} for long loses its partitions, then joins again`, async () => {
    const world = given(5);
    world.kafka.createTopic('t', 2);
    const zombie = world.process('zombie');
    const a = member(world.kafka.port(zombie), 'g', ['t']);
    const b = member(world.kafka.port(world.process('b')), 'g', ['t']);
    await world.until(() => a.owned().length === 1 && b.owned().length === 1);
    if (way === 'paused') zombie.pause();
    else world.kafka.server.cut(zombie);
    await world.until(() => b.owned().length === 2, 15_000);
    assert.equal(a.owned().length, 1);
    if (way === 'paused') zombie.resume();
    else world.kafka.server.join(zombie);
    await world.until(() => a.owned().length === 1 && b.owned().length === 1 && a.assignments.length > 1);
    assert.deepEqual(all(a, b), [0, 1]);
  });
}

test('a zombie that goes on delivers what had come before it learns that it was thrown out', async () => {
  let late = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const world = given(seed);
    world.kafka.createTopic('t', 1);
    const zombie = world.process('zombie');
    const a = member(world.kafka.port(zombie), 'g', ['t']);
    await world.until(() => a.owned().length === 1);
    await world.pass(2_000);
    const b = member(world.kafka.port(world.process('b')), 'g', ['t']);
    await world.until(() => a.owned().length + b.owned().length === 1 && a.assignments.length > 1);
    const [owner, process] = a.owned().length === 1 ? [a, zombie] : [b, undefined];
    if (process === undefined) continue;
    await world.pass(2_000);
    write(world, 't', 0, 'x');
    await world.pass(3);
    const before = owner.values().length;
    process.pause();
    await world.until(() => b.owned().length === 1, 15_000);
    await world.until(() => b.values().length === 1);
    process.resume();
    await world.pass(3_000);
    if (before === 0 && owner.values().length === 1) late += 1;
  }
  assert.ok(late > 0);
});

test('the broker is restarted: members go on, join again or give up, and nothing is skipped', async () => {
  const crashes = new Set<number>();
  for (let seed = 1; seed <= 20; seed++) {
    const world = given(seed);
    world.kafka.createTopic('t', 2);
    const names = ['a', 'b'];
    const members = names.map((name) => member(world.kafka.port(world.process(name)), 'g', ['t']));
    await world.until(() => members.every((seen) => seen.owned().length === 1));
    for (const partition of [0, 1]) write(world, 't', partition, `x${partition}`);
    world.kafka.stop();
    await world.pass(5_000);
    world.kafka.start();
    for (const partition of [0, 1]) write(world, 't', partition, `y${partition}`);
    const gone = members.filter((seen) => seen.crashes.length > 0);
    crashes.add(gone.length);
    for (const [index] of gone.entries()) {
      members.push(member(world.kafka.port(world.process(`again ${index}`)), 'g', ['t']));
    }
    await world.until(() => new Set(members.flatMap((seen) => seen.values())).size === 4);
  }
  assert.deepEqual([...crashes].sort(), [0, 1, 2]);
});

test('a member gives up on a broker that stays away, and says so', async () => {
  const world = given(6);
  world.kafka.createTopic('t', 1);
  const seen = member(world.kafka.port(world.process('p')), 'g', ['t']);
  await world.until(() => seen.owned().length === 1);
  await world.pass(1_000);
  write(world, 't', 0, 'x');
  world.kafka.stop();
  await world.until(() => seen.crashes.length === 1);
  assert.ok(withCode('KAFKA')(seen.crashes[0]));
  world.kafka.start();
  await world.pass(30_000);
  assert.deepEqual(seen.values(), []);
});

test('what retention took is skipped: reading goes on at the start', async () => {
  const world = given(7);
  world.kafka.createTopic('t', 1);
  const port = world.kafka.port(world.process('p'));
  await commitOffset(world, port, 1);
  write(world, 't', 0, 'a', 'b', 'c', 'd');
  world.kafka.deleteBefore('t', 0, 3);
  const seen = member(port, 'g', ['t']);
  await world.until(() => seen.values().length === 1);
  assert.deepEqual(seen.values(), ['d']);
  assert.equal(seen.batches[0]?.fetchedFrom, 3);
  // kafkajs has committed "from the beginning" in place of the offset that is gone.
  assert.deepEqual(world.kafka.groupOffsets('g'), [{ topic: 't', partition: 0, offset: null, metadata: '' }]);
});

test('compaction leaves the last record of each key, holes in the offsets, and the end where it was', async () => {
  const world = given(8);
  world.kafka.createTopic('t', 1, { compacted: true });
  for (const [key, value] of [
    ['k', '1'],
    ['l', '2'],
    ['k', '3'],
    ['m', '4'],
    ['l', '5'],
  ] as const) {
    world.kafka.append('t', 0, record(value, key));
  }
  world.kafka.compact('t');
  assert.deepEqual(
    world.kafka.committed('t').map(({ offset, value }) => [offset, String(value)]),
    [
      [2, '3'],
      [3, '4'],
      [4, '5'],
    ],
  );
  const seen = member(world.kafka.port(world.process('p')), 'g', ['t']);
  await world.until(() => seen.batches.at(-1)?.next === 5);
  assert.deepEqual(seen.values(), ['3', '4', '5']);
  assert.throws(() => world.kafka.append('t', 0, record('x')), withCode('KAFKA'));
});

test('onAssigned that fails, and topics that do not fit together, are said', async () => {
  const world = given(9);
  world.kafka.createTopic('t', 1);
  world.kafka.createTopic('u', 2);
  const port = world.kafka.port(world.process('p'));
  await assert.rejects(world.of(member(port, 'g', ['t', 'u']).started), withCode('TOPIC'));
  await assert.rejects(world.of(member(port, 'g', ['missing']).started), withCode('TOPIC'));
  const failing = member(port, 'g', ['t'], { onAssigned: () => Promise.reject(new Error('cannot take over')) });
  const failure = await world.of(
    failing.started.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
  await world.pass(1_000);
  assert.match(String(failure ?? failing.crashes[0]), /cannot take over/);
});

test('a member stops at any moment', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = given(seed);
    world.kafka.createTopic('t', 1);
    const port = world.kafka.port(world.process('p'));
    const seen = member(port, 'g', ['t']);
    await world.pass(world.scheduler.random.below(50));
    await world.of(seen.member.stop());
    await world.of(seen.started);
    const next = member(port, 'g', ['t']);
    await world.until(() => next.owned().length === 1, 15_000);
  }
});
