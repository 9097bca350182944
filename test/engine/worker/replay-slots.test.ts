import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SlotPermit } from '@temporalio/worker';
import { ReplaySlots } from '../../../src/engine/worker/replay-slots.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const never = new AbortController().signal;
const context = (isSticky: boolean) =>
  ({ slotType: 'workflow', taskQueue: 'q', workerIdentity: 'w', workerBuildId: 'b', isSticky }) as const;
const slotInfo = (isSticky: boolean) => ({ type: 'workflow', workflowType: 't', isSticky }) as const;

/** A worker that polls both queues, each with as many pollers as it is given slots. */
class Poller {
  readonly clock = new ManualClock();
  readonly took: number[] = [];
  readonly slots = new ReplaySlots(this.clock, { replayed: (ms) => this.took.push(ms) });

  /** Null when there is no slot at once. */
  poll(isSticky = false): SlotPermit | null {
    const permit = this.slots.tryReserveSlot(context(isSticky));
    if (permit !== null) this.slots.markSlotUsed({ permit, slotInfo: slotInfo(isSticky) });
    return permit;
  }

  /** As many replays as may be begun now. */
  replays(): [string, SlotPermit][] {
    const begun: [string, SlotPermit][] = [];
    for (let permit = this.poll(); permit !== null; permit = this.poll()) {
      const runId = `run-${this.clock.elapsed()}-${begun.length}`;
      this.slots.began(runId, true);
      begun.push([runId, permit]);
    }
    return begun;
  }

  end([runId, permit]: readonly [string, SlotPermit]): void {
    this.slots.caughtUp(runId);
    this.slots.releaseSlot({ permit, slotInfo: slotInfo(false) });
  }
}

test('a few replays at a time at first, more as they are quick, one by one', () => {
  const poller = new Poller();
  const first = poller.replays();
  assert.equal(first.length, 4);
  poller.clock.advance(1_999);
  first.forEach((one) => poller.end(one));
  assert.equal(poller.slots.limit, 8);
  assert.deepEqual(poller.took, [1_999, 1_999, 1_999, 1_999]);
  assert.equal(poller.replays().length, 8);
});

test('replays that take long halve their number, once for all that began together, down to one at a time', () => {
  const poller = new Poller();
  for (const limit of [2, 1, 1]) {
    const begun = poller.replays();
    poller.clock.advance(5_000);
    begun.forEach((one) => poller.end(one));
    assert.equal(poller.slots.limit, limit);
  }
  const [only, ...others] = poller.replays();
  assert.equal(others.length, 0);
  assert.equal(poller.poll(), null, 'none beside it');
  assert.notEqual(poller.poll(true), null, 'a workflow in memory goes on');
  poller.clock.advance(3_000);
  poller.end(only!);
  assert.equal(poller.slots.limit, 1, 'neither quick nor slow');
});

test('a task of a new run counts as a replay only until its first step: while it publishes, others are begun', () => {
  const poller = new Poller();
  const permits = [1, 2, 3, 4].map(() => poller.poll());
  assert.equal(poller.poll(), null);
  permits.forEach((_, n) => poller.slots.began(`new-${n}`, false));
  assert.equal(poller.slots.replays, 0);
  for (let n = 4; n < 50; n += 1) {
    assert.notEqual(poller.poll(), null, `task ${n}`);
    poller.slots.began(`new-${n}`, false);
  }
  assert.equal(poller.poll(true), null, '50 tasks of whatever kind');
});

test('who waits for a slot gets it when a replay has ended, and gives up when told to', async () => {
  const poller = new Poller();
  const begun = poller.replays();
  const abort = new AbortController();
  const given = poller.slots.reserveSlot(context(false), never);
  const givenUp = poller.slots.reserveSlot(context(false), abort.signal);
  abort.abort();
  await assert.rejects(givenUp, { name: 'AbortError' });
  poller.end(begun[0]!);
  const permit = await given;
  assert.ok(permit);
  poller.slots.releaseSlot({ permit });
});

test('a replay whose workflow was dropped on the way, or failed, takes no place for ever', () => {
  const poller = new Poller();
  const begun = poller.replays();
  for (const [, permit] of begun) poller.slots.releaseSlot({ permit, slotInfo: slotInfo(false) });
  assert.equal(poller.slots.replays, 0);
  assert.deepEqual(poller.took, []);
  assert.equal(poller.replays().length, 4);

  const [lost] = poller.replays();
  assert.equal(lost, undefined);
  poller.clock.advance(60_000);
  const sticky = poller.poll(true)!;
  poller.slots.releaseSlot({ permit: sticky, slotInfo: slotInfo(true) });
  assert.equal(poller.slots.replays, 0, 'nobody waits for longer than a minute');
  assert.equal(poller.slots.limit, 4);
});

test('a slot that the SDK gave up a moment after it was given takes no place', async () => {
  const poller = new Poller();
  const abort = new AbortController();
  for (let n = 0; n < 4; n += 1) await poller.slots.reserveSlot(context(false), abort.signal);
  assert.equal(poller.poll(), null);
  const waits = poller.slots.reserveSlot(context(false), never);
  abort.abort();
  assert.ok(await waits);
  assert.equal(poller.replays().length, 3);
});

test('one that takes longer than its task has is told, while it runs and until another has ended in time', () => {
  const poller = new Poller();
  const [one, other] = poller.replays();
  poller.clock.advance(10_000);
  assert.equal(poller.slots.late, undefined);
  poller.clock.advance(1);
  assert.equal(poller.slots.late, 10_001);
  poller.end(one!);
  assert.equal(poller.slots.late, 10_001);
  poller.slots.caughtUp(other![0]);
  for (const runId of ['run-0-2', 'run-0-3']) poller.slots.caughtUp(runId);
  assert.equal(poller.slots.late, 10_001);
  const next = poller.replays();
  poller.clock.advance(100);
  poller.end(next[0]!);
  assert.equal(poller.slots.late, undefined);
});
