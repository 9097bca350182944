/** The simulated transactions do what Kafka's do, at moments that a real broker cannot be held at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransactionalProducer } from '../../../src/engine/kafka/port.ts';
import { withCode } from '../../../test/support/publishing.ts';
import { given, record } from './given.ts';
import type { Given } from './given.ts';

const values = ({ kafka }: Given, topic = 't', partition = 0): string[] =>
  kafka.committed(topic, partition).map(({ value }) => String(value));

async function publish(
  world: Given,
  producer: TransactionalProducer,
  texts: readonly string[],
): Promise<number | null> {
  const transaction = await world.of(producer.begin());
  const offset = await world.of(
    transaction.send(
      't',
      0,
      texts.map((text) => record(text)),
    ),
  );
  await world.of(transaction.commit());
  return offset;
}

test('transactions follow one another; markers take offsets; nothing is stable before its marker', async () => {
  const world = given(1);
  world.kafka.createTopic('t', 1);
  const producer = await world.of(world.kafka.port(world.process('p')).fence('id'));
  assert.equal(await publish(world, producer, ['a', 'b']), 0);
  assert.deepEqual(world.kafka.offsets('t'), { start: 0, lastStable: 0, end: 2 });
  assert.deepEqual(values(world), []);
  await world.until(() => world.kafka.offsets('t').lastStable === 3);
  assert.deepEqual(values(world), ['a', 'b']);
  assert.equal(await publish(world, producer, ['c']), 3);
  await world.until(() => world.kafka.offsets('t').lastStable === 5);
  assert.deepEqual(
    world.kafka.committed('t').map(({ offset }) => offset),
    [0, 1, 3],
  );
  assert.equal(world.kafka.counts.transactionsCommitted, 2);
});

test('taking the id aborts what is open, and its holder is refused everywhere', async () => {
  const world = given(2);
  for (const topic of ['t', 'u']) world.kafka.createTopic(topic, 1);
  const [zombie, owner] = [world.kafka.port(world.process('zombie')), world.kafka.port(world.process('owner'))];
  for (const act of ['touched', 'untouched', 'offsets', 'commit'] as const) {
    const transaction = await world.of((await world.of(zombie.fence('id'))).begin());
    await world.of(transaction.send('t', 0, [record('zombie')]));
    await publish(world, await world.of(owner.fence('id')), [`owner ${act}`]);
    const refused: () => Promise<unknown> = {
      touched: () => transaction.send('t', 0, [record('zombie')]),
      untouched: () => transaction.send('u', 0, [record('zombie')]),
      offsets: () => transaction.sendOffsets('g', [{ topic: 't', partition: 0, offset: 1, metadata: '' }]),
      commit: () => transaction.commit(),
    }[act];
    await assert.rejects(world.of(refused()), withCode('FENCED'));
    await assert.rejects(world.of(transaction.commit()), withCode('KAFKA'));
  }
  await world.pass(1_000);
  assert.deepEqual(values(world), ['owner touched', 'owner untouched', 'owner offsets', 'owner commit']);
  assert.deepEqual(values(world, 'u'), []);
  assert.equal(world.kafka.uncommitted('t'), 4);
  assert.equal(world.kafka.counts.abortedByFence, 4);
  assert.equal(world.kafka.counts.zombieWritesRefused, 4);
});

test('a transaction that stays open is aborted, and its holder refused', async () => {
  const world = given(3);
  world.kafka.createTopic('t', 1);
  const producer = await world.of(world.kafka.port(world.process('p')).fence('id'));
  const transaction = await world.of(producer.begin());
  await world.of(transaction.send('t', 0, [record('late')]));
  await world.pass(14_000);
  assert.equal(world.kafka.counts.abortedByTimeout, 0);
  await world.pass(12_000);
  assert.equal(world.kafka.counts.abortedByTimeout, 1);
  assert.deepEqual(world.kafka.offsets('t'), { start: 0, lastStable: 2, end: 2 });
  await assert.rejects(world.of(transaction.commit()), withCode('FENCED'));
  assert.deepEqual(values(world), []);
});

test('a lost answer of a commit, and a lost request of one, look the same and end differently', async () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 40; seed++) {
    const world = given(seed);
    world.kafka.createTopic('t', 1);
    const port = world.kafka.port(world.process('p'));
    const transaction = await world.of((await world.of(port.fence('id'))).begin());
    await world.of(transaction.send('t', 0, [record('in doubt')]));
    Object.assign(world.kafka.server.faults, { lostRequest: 0.5, lostAnswer: 0.5 });
    const answered = await world.of(
      transaction.commit().then(
        () => true,
        (error: unknown) => {
          assert.ok(withCode('KAFKA')(error));
          return false;
        },
      ),
    );
    Object.assign(world.kafka.server.faults, { lostRequest: 0, lostAnswer: 0 });
    const { lostCommitAnswers, lostCommitRequests } = world.kafka.counts;
    assert.equal(lostCommitAnswers + lostCommitRequests, answered ? 0 : 1);
    await world.of(port.fence('id'));
    assert.deepEqual(values(world), answered || lostCommitAnswers === 1 ? ['in doubt'] : []);
    outcomes.add(answered ? 'answered' : lostCommitAnswers === 1 ? 'answer lost' : 'request lost');
  }
  assert.deepEqual([...outcomes].sort(), ['answer lost', 'answered', 'request lost']);
});

test('whatever is lost on the way of a send, nothing is written twice', async () => {
  let repeated = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const world = given(seed);
    world.kafka.createTopic('t', 1);
    const producer = await world.of(world.kafka.port(world.process('p')).fence('id'));
    Object.assign(world.kafka.server.faults, { lostRequest: 0.2, lostAnswer: 0.2, slow: 0.3, longDelay: 8_000 });
    const transaction = await world.of(producer.begin());
    const sent = await world.of(
      Promise.all([transaction.send('t', 0, [record('a')]), transaction.send('t', 0, [record('b')])]).then(
        () => true,
        () => false,
      ),
    );
    repeated += world.kafka.server.counts.lostAnswers;
    Object.assign(world.kafka.server.faults, { lostRequest: 0, lostAnswer: 0, slow: 0, longDelay: 0 });
    if (sent) await world.of(transaction.commit().catch(() => undefined));
    await world.of(world.kafka.port(world.process('next')).fence('id'));
    await world.pass(20_000); // what is still on its way arrives
    assert.ok(['', 'a,b'].includes(values(world).join()), `seed ${seed}: ${values(world).join()}`);
  }
  assert.ok(repeated > 10);
});

test('a request of a dead process that arrives late writes nothing', async () => {
  let arrived = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const world = given(seed);
    world.kafka.createTopic('t', 1);
    const dying = world.process('dying');
    const transaction = await world.of((await world.of(world.kafka.port(dying).fence('id'))).begin());
    await world.of(transaction.send('t', 0, [record('a')]));
    Object.assign(world.kafka.server.faults, { slow: 1, longDelay: 3_000 });
    void transaction.commit().catch(() => undefined);
    await world.pass(500);
    dying.kill();
    Object.assign(world.kafka.server.faults, { slow: 0 });
    const early = world.kafka.counts.transactionsCommitted;
    await publish(world, await world.of(world.kafka.port(world.process('next')).fence('id')), ['b']);
    await world.pass(10_000);
    assert.deepEqual(values(world), early === 1 ? ['a', 'b'] : ['b']);
    assert.equal(world.kafka.counts.killsInsideTransaction, 1 - early);
    arrived += world.kafka.counts.zombieWritesRefused;
  }
  assert.ok(arrived > 20);
});

test('the broker is killed at any moment: what was decided is committed, all of it, after the start', async () => {
  const ends = { committed: 0, not: 0 };
  for (let seed = 1; seed <= 60; seed++) {
    const world = given(seed);
    world.kafka.createTopic('t', 2);
    const port = world.kafka.port(world.process('p'));
    const producer = await world.of(port.fence('id'));
    const run = async (): Promise<void> => {
      const transaction = await producer.begin();
      await Promise.all([transaction.send('t', 0, [record('x')]), transaction.send('t', 1, [record('x')])]);
      await transaction.sendOffsets('g', [{ topic: 't', partition: 0, offset: 7, metadata: 'm' }]);
      await transaction.commit();
    };
    const over = run().then(
      () => true,
      () => false,
    );
    await world.pass(world.scheduler.random.below(40));
    world.kafka.stop();
    await world.pass(world.scheduler.random.below(3_000));
    world.kafka.start();
    const answered = await world.of(over);
    await world.of(port.fence('id'));
    const [one, other] = [values(world, 't', 0), values(world, 't', 1)];
    assert.deepEqual(one, other);
    if (answered) assert.deepEqual(one, ['x']);
    assert.deepEqual(
      world.kafka.groupOffsets('g').map(({ offset, metadata }) => [offset, metadata]),
      one.length === 1 ? [[7, 'm']] : [],
    );
    ends[one.length === 1 ? 'committed' : 'not'] += 1;
  }
  assert.ok(ends.committed > 5 && ends.not > 5, JSON.stringify(ends));
});

test('a repeated EndTxn is answered by how the transaction ended', async () => {
  const world = given(4);
  const { Transactions } = await import('./transactions.ts');
  const { GroupOffsets } = await import('./group-offsets.ts');
  const { noCounts } = await import('./answers.ts');
  const { SimPartition } = await import('./partition.ts');
  const log = new SimPartition('t', 0, false);
  const transactions = new Transactions(world.scheduler, noCounts(), new GroupOffsets(), 15_000);
  const holder = await transactions.init('id');
  assert.throws(() => transactions.end(holder, 'committed'), /INVALID_TXN_STATE/);
  await transactions.addPartition(holder, log);
  transactions.produce(holder, log, 0, [record('x')]);
  transactions.end(holder, 'committed');
  assert.throws(() => transactions.end(holder, 'committed'), /CONCURRENT_TRANSACTIONS/);
  await world.until(() => log.lastStable === 2);
  transactions.end(holder, 'committed');
  assert.throws(() => transactions.end(holder, 'aborted'), /INVALID_TXN_STATE/);
  assert.equal(log.lastStable, 2);
});

test('the same seed gives the same run', async () => {
  const run = async (): Promise<string> => {
    const world = given(77);
    world.scheduler.trace.enabled = true;
    world.kafka.createTopic('t', 1);
    Object.assign(world.kafka.server.faults, { lostRequest: 0.1, lostAnswer: 0.1, slow: 0.3, longDelay: 2_000 });
    for (let i = 0; i < 5; i++) {
      const producer = await world.of(world.kafka.port(world.process(`p${i}`)).fence('id'));
      await publish(world, producer, ['x']).catch(() => undefined);
    }
    return `${world.scheduler.steps} ${world.scheduler.trace.text}`;
  };
  assert.equal(await run(), await run());
});
