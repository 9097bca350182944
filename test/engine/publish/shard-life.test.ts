/** One shard's publisher from its opening to its end: how it becomes ready, how it is lost or closed, and what that means for who asks meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import { eventually } from '../../support/eventually.ts';
import { gate, soon } from '../../support/gate.ts';
import { output, request, withCode } from '../../support/publishing.ts';
import { committing, given, opened } from './given.ts';

test('a shard is opening, then ready, then closed, and says so', async () => {
  const { publisher, kafka, clock, events } = given();
  kafka.intercept = ({ api }, when) => {
    if (api === 'fence' && when === 'before') clock.advance(300);
  };
  clock.advance(4_000);
  assert.equal(publisher.state, 'opening');
  const open = publisher.open();
  assert.equal(publisher.state, 'opening');
  await open;
  assert.deepEqual([publisher.state, publisher.keys], ['ready', 0]);
  await publisher.close();
  assert.equal(publisher.state, 'closed');
  assert.deepEqual(events, [
    { type: 'opened', shard: 0, keys: 0, ms: 300 },
    { type: 'closed', shard: 0 },
  ]);
  await publisher.close();
  await assert.rejects(publisher.publish(request('u', 1, 1)), {
    code: 'SHARD_NOT_OWNED',
    message: 'this process does not own shard 0 any more',
  });
  assert.equal(events.length, 2);
});

test('one that is closed before it is ready is not opened', async () => {
  const { publisher, kafka, events } = given();
  const fence = gate();
  kafka.intercept = async ({ api }, when) => {
    if (api === 'fence' && when === 'before') await fence.pass();
  };
  const open = publisher.open();
  await fence.reached;
  const early = publisher.publish(request('u', 1, 1));
  const closed = publisher.close();
  await assert.rejects(open, withCode('SHARD_NOT_OWNED'));
  await assert.rejects(early, withCode('SHARD_NOT_OWNED'));
  fence.open();
  await closed;
  assert.deepEqual([publisher.state, events], ['closed', [{ type: 'closed', shard: 0 }]]);
});

test('one that is closed in the very moment in which its ledger is read is not opened any more', async () => {
  const { publisher, events } = given();
  let closed: Promise<void> | undefined;
  const onLedger = publisher.onLedger.bind(publisher);
  publisher.onLedger = (batch) => {
    onLedger(batch);
    if (batch.records.length > 0) closed ??= publisher.close();
  };
  await assert.rejects(publisher.open(), withCode('SHARD_NOT_OWNED'));
  await closed;
  assert.deepEqual([publisher.state, events], ['closed', [{ type: 'closed', shard: 0 }]]);
});

test('one that was never opened can be closed', async () => {
  const { publisher } = given();
  await publisher.close();
  assert.equal(publisher.state, 'closed');
});

test('an opening reads the ledger from the last transaction on', async () => {
  const { publisher, kafka, starts } = await opened();
  await publisher.publish(request('u', 1, 1));
  await publisher.publish(request('u', 2, 2));
  const last = kafka.committed('ledger').at(-1)!.offset;
  let armed = true;
  kafka.intercept = ({ api }, when) => {
    if (api !== 'send' || when !== 'before' || !armed) return;
    armed = false;
    throw new CodedError('KAFKA', 'connection lost');
  };
  await publisher.publish(request('u', 3, 3));
  assert.deepEqual(starts, [null, last]);
});

test('a shard that cannot be opened is tried again after 100 ms, then twice as long each time, never more than 5 s', async () => {
  const { publisher, kafka, clock, ofType } = given();
  let broken = true;
  kafka.intercept = ({ api }) => {
    if (api === 'fence' && broken) throw new CodedError('KAFKA', 'no broker');
  };
  // What watches an opening sleeps 2,000 ms.
  const backOffs = (): number[] => clock.sleeps.filter((ms) => ms !== 2_000 && ms !== 25);
  const open = publisher.open();
  await eventually('eight failures', async () => {
    await soon();
    clock.advance(5_000);
    return ofType('reopening').length >= 8;
  });
  broken = false;
  await soon();
  clock.advance(5_000);
  await open;
  const expected = [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000];
  assert.deepEqual(backOffs().slice(0, 8), expected);
  const before = backOffs().length;
  let armed = true;
  kafka.intercept = ({ api }, when) => {
    if (when !== 'before' || !armed || (api !== 'commit' && api !== 'fence')) return;
    if (api === 'fence') armed = false;
    throw new CodedError('KAFKA', 'connection lost');
  };
  await publisher.publish(request('u', 1, 1));
  assert.deepEqual(backOffs().slice(before), [100], 'after an opening it begins anew');
  await publisher.close();
});

test('requests are given back 20 s after they came while the shard cannot be opened, each at its own time', async () => {
  const { publisher, kafka, clock, published } = given();
  const fence = gate();
  kafka.intercept = async ({ api }, when) => {
    if (api === 'fence' && when === 'before') await fence.pass();
  };
  const open = publisher.open();
  await fence.reached;
  const answers: string[] = [];
  const ask = (key: string): void =>
    void publisher.publish(request(key, 1, 1)).then(
      () => answers.push(`${key} published`),
      (error: CodedError) => answers.push(`${key} ${error.code}`),
    );
  ask('early');
  clock.advance(2_000);
  await soon();
  ask('late');
  for (let ms = 4_000; ms <= 18_000; ms += 2_000) {
    clock.advance(2_000);
    await soon();
  }
  assert.deepEqual(answers, []);
  clock.advance(2_000);
  await soon();
  assert.deepEqual(answers, ['early KAFKA']);
  fence.open();
  await open;
  await eventually('late', () => answers.length === 2);
  assert.deepEqual([answers, published()], [['early KAFKA', 'late published'], ['late:101']]);
  await publisher.close();
});

test('one that is fenced is lost for ever, with the reason', async () => {
  const { publisher, kafka, events } = await opened();
  await kafka.port('stranger').fence('shard-0');
  await assert.rejects(publisher.publish(request('u', 1, 1)), withCode('SHARD_NOT_OWNED'));
  await publisher.close();
  assert.equal(publisher.state, 'lost');
  assert.deepEqual(
    events.map(({ type }) => type),
    ['opened', 'lost', 'closed'],
  );
  const [, lost] = events;
  assert.ok(lost?.type === 'lost' && withCode('FENCED')(lost.error));
});

test('one that is fenced while it opens is lost', async () => {
  const { publisher, kafka, events } = given();
  kafka.intercept = ({ api }, when) => {
    if (api === 'fence' && when === 'before') throw new CodedError('FENCED', 'a later owner');
  };
  await assert.rejects(publisher.open(), {
    code: 'SHARD_NOT_OWNED',
    message: 'this process does not own shard 0 any more: a later owner',
  });
  await publisher.close();
  assert.equal(publisher.state, 'lost');
  assert.deepEqual(
    events.map(({ type }) => type),
    ['lost', 'closed'],
  );
});

test('who is told of a loss has its cause', async () => {
  const { publisher, kafka } = given();
  const cause = new CodedError('FENCED', 'a later owner');
  kafka.intercept = () => {
    throw cause;
  };
  const error = await publisher.open().catch((reason: unknown) => reason);
  assert.equal((error as Error).cause, cause);
});

test('one whose work breaks off by itself is lost, and answers nobody with silence', async () => {
  const { publisher } = await opened({
    onEvent: ({ type }) => {
      if (type === 'refused') throw new Error('a listener that fails');
    },
  });
  await publisher.publish(request('u', 1, 1));
  const divergent = { ...request('u', 1, 1), outputs: [output('u', 777)] };
  publisher.publish(divergent).catch(() => undefined);
  await eventually('the end', () => publisher.state === 'lost');
  await assert.rejects(publisher.publish(request('v', 1, 1)), withCode('SHARD_NOT_OWNED'));
});

test('closing lets the transaction under way finish, and gives back what it has only a part of', async () => {
  const limits = { records: 2, bytes: 700_000 };
  const { publisher, published, first: whole, commit } = await committing(request('u', 1, 3), { limits });
  const waits = publisher.publish(request('v', 1, 1));
  const closed = publisher.close();
  await assert.rejects(waits, withCode('SHARD_NOT_OWNED'));
  commit();
  await assert.rejects(whole, withCode('SHARD_NOT_OWNED'));
  await closed;
  assert.deepEqual(published(), ['u:101', 'u:102']);
});

test('closing gives back what was in a transaction that failed', async () => {
  const { publisher, kafka, published, ofType } = await opened();
  const commit = gate();
  kafka.intercept = async ({ api }, when) => {
    if (api !== 'commit' || when !== 'before') return;
    await commit.pass();
    throw new CodedError('KAFKA', 'connection lost');
  };
  const asked = publisher.publish(request('u', 1, 1));
  await commit.reached;
  const closed = publisher.close();
  commit.open();
  await assert.rejects(asked, withCode('SHARD_NOT_OWNED'));
  await closed;
  assert.deepEqual([published(), publisher.state, ofType('reopening'), kafka.fences.length], [[], 'closed', [], 1]);
});
