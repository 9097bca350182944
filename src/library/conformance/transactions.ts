/** Transactions, as the port promises them. */
import assert from 'node:assert/strict';
import { eventually, lastStable, publish, record, withCode } from './lab.ts';
import type { Declare } from './declare.ts';

export function transactions(it: Declare): void {
  it(
    'transactions follow one another; their markers take an offset each; send tells the first offset',
    [],
    async (kafka) => {
      const topic = await kafka.topic(2);
      const producer = await kafka.port('p').fence(kafka.uniqueId('tx'));
      assert.equal(await publish(producer, topic, ['a', 'b']), 0);
      assert.equal(await publish(producer, topic, ['c']), 3);
      assert.equal(await publish(producer, topic, ['other'], 1), 0);
      const empty = await producer.begin();
      assert.equal(await empty.send(topic, 0, []), null);
      await empty.commit();
      await eventually(
        kafka,
        'the last marker',
        async () => (await lastStable(kafka, topic)) === 5 && (await lastStable(kafka, topic, 1)) === 2,
      );
      assert.deepEqual(await kafka.committed(topic), ['a', 'b', 'c']);
    },
  );

  it('sends of one transaction at the same time are all written, once', [], async (kafka) => {
    const topic = await kafka.topic(3);
    const id = kafka.uniqueId('tx');
    const transaction = await (await kafka.port('p').fence(id)).begin();
    const sends = [0, 1, 2, 0, 0].map((partition, index) =>
      transaction.send(topic, partition, [record(`${index}a`), record(`${index}b`)]),
    );
    const offsets = await Promise.all(sends);
    await transaction.commit();
    await kafka.port('p').fence(id);
    assert.deepEqual(offsets.slice(1, 3), [0, 0]);
    assert.deepEqual([offsets[0], offsets[3], offsets[4]].sort(), [0, 2, 4]);
    const values = await kafka.committed(topic, 0);
    assert.deepEqual([...values].sort(), ['0a', '0b', '3a', '3b', '4a', '4b']);
    // The records of one send stay together.
    for (const send of [0, 3, 4]) assert.equal(values.indexOf(`${send}b`), values.indexOf(`${send}a`) + 1);
  });

  for (const act of ['touched', 'untouched', 'offsets', 'commit'] as const) {
    it(
      `a zombie is fenced: ${act === 'offsets' ? 'committing offsets' : act === 'commit' ? 'on commit' : `sending to a partition that it had ${act}`}`,
      [],
      async (kafka) => {
        const [topic, other, group, id] = [
          await kafka.topic(),
          await kafka.topic(),
          kafka.uniqueId('group'),
          kafka.uniqueId('tx'),
        ];
        const zombie = await kafka.port('zombie').fence(id);
        const transaction = await zombie.begin();
        await transaction.send(topic, 0, [record('zombie')]);
        await publish(await kafka.port('owner').fence(id), topic, ['owner']);
        const refused = {
          touched: () => transaction.send(topic, 0, [record('zombie')]),
          untouched: () => transaction.send(other, 0, [record('zombie')]),
          offsets: () => transaction.sendOffsets(group, [{ topic, partition: 0, offset: 1, metadata: '' }]),
          commit: () => transaction.commit(),
        }[act] as () => Promise<unknown>;
        await assert.rejects(refused(), withCode('FENCED'));
        await assert.rejects(zombie.begin(), withCode('KAFKA'));
        await kafka.port('owner').fence(id);
        assert.deepEqual(await kafka.committed(topic), ['owner']);
        assert.equal(await lastStable(kafka, other), 0);
        assert.equal((await kafka.port('owner').committedOffsets(group, [{ topic, partition: 0 }]))[0]?.offset, null);
      },
    );
  }

  it(
    'killed between send and commit: it holds readers back until its id is taken, and is never seen',
    ['kill'],
    async (kafka) => {
      const topic = await kafka.topic();
      const id = kafka.uniqueId('tx');
      const transaction = await (await kafka.port('dying').fence(id)).begin();
      await transaction.send(topic, 0, [record('lost')]);
      kafka.kill('dying');
      await publish(await kafka.port('other').fence(kafka.uniqueId('tx')), topic, ['behind it']);
      await kafka.sleep(1_000);
      assert.equal(await lastStable(kafka, topic), 0);
      assert.deepEqual(await kafka.committed(topic), []);
      await publish(await kafka.port('next').fence(id), topic, ['next']);
      // lost, behind it, marker, marker of the abortion, next, marker
      await eventually(kafka, 'all is decided', async () => (await lastStable(kafka, topic)) === 6);
      assert.deepEqual(await kafka.committed(topic), ['behind it', 'next']);
    },
  );

  it('aborted transactions that overlap are not seen, in whatever order they end', [], async (kafka) => {
    const topic = await kafka.topic();
    const [a, b] = [kafka.uniqueId('a'), kafka.uniqueId('b')];
    const tb = await (await kafka.port('b').fence(b)).begin();
    await tb.send(topic, 0, [record('b aborted 1')]);
    const ta = await (await kafka.port('a').fence(a)).begin();
    await ta.send(topic, 0, [record('a aborted')]);
    await tb.send(topic, 0, [record('b aborted 2')]);
    await kafka.port('x').fence(a);
    await tb.send(topic, 0, [record('b aborted 3')]);
    await kafka.port('x').fence(b);
    await publish(await kafka.port('c').fence(kafka.uniqueId('c')), topic, ['c committed']);
    await eventually(kafka, 'all is decided', async () => (await lastStable(kafka, topic)) === 8);
    assert.deepEqual(await kafka.committed(topic), ['c committed']);
  });

  for (const lost of ['request', 'answer'] as const) {
    it(`the ${lost} of a send is lost: it is repeated, and written once`, ['losing'], async (kafka) => {
      const topic = await kafka.topic();
      const id = kafka.uniqueId('tx');
      const transaction = await (await kafka.port('p').fence(id)).begin();
      assert.equal(await transaction.send(topic, 0, [record('a')]), 0);
      assert.equal(
        await kafka.losing('p', 'send', lost, () => transaction.send(topic, 0, [record('b'), record('c')])),
        1,
      );
      assert.equal(await transaction.send(topic, 0, [record('d')]), 3);
      await transaction.commit();
      await kafka.port('p').fence(id);
      assert.deepEqual(await kafka.committed(topic), ['a', 'b', 'c', 'd']);
    });
  }

  for (const [lost, expected] of [
    ['request', ['before', 'after']],
    ['answer', ['before', 'in doubt', 'after']],
  ] as const) {
    it(
      `the ${lost} of a commit is lost: the producer is unusable, and taking the id decides`,
      ['losing'],
      async (kafka) => {
        const topic = await kafka.topic();
        const id = kafka.uniqueId('tx');
        const producer = await kafka.port('p').fence(id);
        await publish(producer, topic, ['before']);
        const transaction = await producer.begin();
        await transaction.send(topic, 0, [record('in doubt')]);
        await assert.rejects(
          kafka.losing('p', 'commit', lost, () => transaction.commit()),
          withCode('KAFKA'),
        );
        await assert.rejects(transaction.send(topic, 0, [record('never')]), withCode('KAFKA'));
        await assert.rejects(transaction.commit(), withCode('KAFKA'));
        await assert.rejects(producer.begin(), withCode('KAFKA'));
        await publish(await kafka.port('next').fence(id), topic, ['after']);
        await kafka.port('next').fence(id);
        assert.deepEqual(await kafka.committed(topic), expected);
      },
    );
  }

  it(
    'a transaction that stays open too long is aborted, and its holder is fenced',
    ['transactionTimeout'],
    async (kafka) => {
      const topic = await kafka.topic();
      const transaction = await (await kafka.port('slow').fence(kafka.uniqueId('tx'))).begin();
      await transaction.send(topic, 0, [record('late')]);
      await kafka.sleep(kafka.transactionTimeout - 3_000);
      assert.equal(await lastStable(kafka, topic), 0);
      await eventually(kafka, 'it is aborted', async () => (await lastStable(kafka, topic)) === 2, 25_000);
      await assert.rejects(transaction.commit(), withCode('FENCED'));
      assert.deepEqual(await kafka.committed(topic), []);
    },
  );

  it(
    'offsets with metadata: unseen before the commit, seen after it, by all who take the id next',
    [],
    async (kafka) => {
      const [topic, group, id] = [await kafka.topic(2), kafka.uniqueId('group'), kafka.uniqueId('tx')];
      const places = [
        { topic, partition: 0 },
        { topic, partition: 1 },
      ];
      const none = { offset: null, metadata: '' };
      const port = kafka.port('p');
      const metadata = 'm'.repeat(4_096);
      for (let offset = 1; offset <= 3; offset++) {
        const producer = await port.fence(id);
        const transaction = await producer.begin();
        await transaction.sendOffsets(group, [{ topic, partition: 0, offset: offset - 1, metadata: 'overwritten' }]);
        await transaction.sendOffsets(group, [{ topic, partition: 0, offset, metadata }]);
        const before = offset === 1 ? none : { offset: offset - 1, metadata };
        assert.deepEqual(await port.committedOffsets(group, places), [
          { ...places[0], ...before },
          { ...places[1], ...none },
        ]);
        await transaction.commit();
        await producer.close();
        await port.fence(id);
        assert.deepEqual(await port.committedOffsets(group, places), [
          { ...places[0], offset, metadata },
          { ...places[1], ...none },
        ]);
      }
      const aborted = await (await port.fence(id)).begin();
      await aborted.sendOffsets(group, [{ topic, partition: 0, offset: 99, metadata: '' }]);
      await port.fence(id);
      assert.equal((await port.committedOffsets(group, places))[0]?.offset, 3);
    },
  );

  it('what cannot be written is refused, and the producer with it', [], async (kafka) => {
    const [topic, group, port] = [await kafka.topic(1), kafka.uniqueId('group'), kafka.port('p')];
    const tooLarge = await port.fence(kafka.uniqueId('tx'));
    const first = await tooLarge.begin();
    await assert.rejects(
      first.sendOffsets(group, [{ topic, partition: 0, offset: 1, metadata: 'm'.repeat(4_097) }]),
      withCode('KAFKA'),
    );
    await assert.rejects(first.commit(), withCode('KAFKA'));
    const nowhere = await port.fence(kafka.uniqueId('tx'));
    const second = await nowhere.begin();
    await assert.rejects(second.send(topic, 7, [record('lost')]), withCode('KAFKA'));
    await assert.rejects(nowhere.begin(), withCode('KAFKA'));
    const closed = await port.fence(kafka.uniqueId('tx'));
    const third = await closed.begin();
    await closed.close();
    await closed.close();
    await assert.rejects(third.send(topic, 0, [record('x')]), withCode('KAFKA'));
    assert.equal((await port.committedOffsets(group, [{ topic, partition: 0 }]))[0]?.offset, null);
  });
}
