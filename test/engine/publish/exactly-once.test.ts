/** The publish protocol against Kafka in memory: each output once, whatever is asked for again, lost or out of order. Who may publish is in ownership.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import { eventually } from '../../support/eventually.ts';
import { gate, settled } from '../../support/gate.ts';
import { output, request, SECOND_LIFE, withCode } from '../../support/publishing.ts';
import { GROUP, ofType, world } from './world.ts';

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
