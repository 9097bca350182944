/** A process that owns several shards, one of which cannot be opened or fails: the others publish. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import type { ShardEvent } from '../../../src/engine/publish/publisher.ts';
import { UnopenedShards } from '../../../src/engine/worker/unopened-shards.ts';
import { eventually } from '../../support/eventually.ts';
import { KafkaInMemory, type Request } from '../../../src/library/testing/kafka/kafka-in-memory.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { request, startProcess } from '../../support/publishing.ts';

const BROKEN = 1;
const isBroken = ({ transactionalId }: Request) => transactionalId.endsWith(`-${BROKEN}`);

const FAULTS: Record<string, (asked: Request) => string | undefined> = {
  'whose ledger partition has no leader': (asked) =>
    isBroken(asked) && asked.api === 'send' && asked.topic === 'ledger'
      ? `ledger-${BROKEN}: LEADER_NOT_AVAILABLE`
      : undefined,
  'whose transactional id has no coordinator': (asked) =>
    isBroken(asked) && asked.api === 'fence' ? 'COORDINATOR_NOT_AVAILABLE' : undefined,
};

for (const [what, fault] of Object.entries(FAULTS)) {
  test(`an owner of three shards, one ${what}: the other two are taken and publish; the one follows when it is over`, async (t) => {
    const kafka = new KafkaInMemory();
    const clock = new ManualClock();
    for (const topic of ['out', 'ledger']) kafka.createTopic(topic, 3);
    let faulty = true;
    kafka.setLeaderless('ledger', BROKEN, what.includes('leader'));
    kafka.intercept = (asked, when) => {
      const error = faulty && when === 'before' ? fault(asked) : undefined;
      if (error !== undefined) throw new CodedError('KAFKA', error);
    };
    const process = await startProcess(kafka.port('a'), {
      name: 'a',
      appId: 'app',
      outputTopic: 'out',
      ledgerTopic: 'ledger',
      shards: 3,
      clock,
    });
    t.after(() => process.ownership.stop());
    await eventually('the other two are taken', () => process.shards.has(0) && process.shards.has(2));
    for (const shard of [0, 2]) {
      await process.shards.get(shard)!.publish(request(`u${shard}`, 1, 1));
      assert.equal(kafka.committed('out', shard).length, 1);
    }
    assert.equal(process.shards.has(BROKEN), false);
    faulty = false;
    kafka.setLeaderless('ledger', BROKEN, false);
    await eventually('the one is taken', () => {
      clock.advance(1_000);
      return process.shards.has(BROKEN);
    });
  });
}

test('a shard that cannot be opened is named after 5 s, and no more when it is', () => {
  const clock = new ManualClock();
  const shards = new UnopenedShards(clock);
  const reopening: ShardEvent = { type: 'reopening', shard: 3, error: new Error('ledger-3 has no leader') };
  shards.observe(reopening);
  clock.advance(4_000);
  shards.observe(reopening);
  assert.equal(shards.problem, null);
  clock.advance(3_000);
  assert.equal(
    shards.problem,
    'shard 3 cannot be opened for 7 s: ledger-3 has no leader; it is tried again, the other shards go on',
  );
  shards.observe({ type: 'opened', shard: 3, keys: 0, ms: 1 });
  assert.equal(shards.problem, null);
});
