import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { outboxLimits, SignalOutbox } from '../../../src/engine/ordering/signal-outbox.ts';
import type { Flight, OutboxLimits } from '../../../src/engine/ordering/signal-outbox.ts';
import type { ReadRecord } from '../../../src/engine/ordering/read-record.ts';
import { MONEY_INPUT, read, SESSION_INPUT } from '../bridge/given.ts';

const LIMITS = { spacing: 500, burst: 1, flushDelay: 0, prompt: 0, linger: 1_000, maxEvents: 3, maxBytes: 100 };
const NOW = 10_000;
const places = (flight: Flight | undefined) => flight?.records.map(({ before }) => before.next[0]);

class Given {
  readonly outbox: SignalOutbox;
  #place = 0;

  constructor(limits: Partial<OutboxLimits> = {}) {
    this.outbox = new SignalOutbox({ ...LIMITS, ...limits });
  }

  /** Read, and held for now. */
  held({
    input = MONEY_INPUT,
    userId = 'u',
    bytes = 10,
  }: { input?: 1 | 2; userId?: string; bytes?: number } = {}): ReadRecord {
    const record = read(this.#place++, input, 0, { userId, bytes });
    this.outbox.noteRead(record);
    return record;
  }

  money(now: number, userId = 'u', bytes = 10): void {
    this.outbox.add(this.held({ userId, bytes }), now);
  }

  session(now: number, userId = 'u', bytes = 10): void {
    this.outbox.add(this.held({ input: SESSION_INPUT, userId, bytes }), now);
  }

  take(now: number): Flight {
    const flight = this.outbox.take(now);
    assert.ok(flight !== undefined, `nothing is ready at ${now}`);
    return flight;
  }
}

test('what brings nothing forth waits five flush delays: 1 s at least, 10 s at most', () => {
  assert.deepEqual(
    [0, 100, 500, 2_000, 20_000].map((flushDelay) => outboxLimits(flushDelay).linger),
    [1_000, 1_000, 2_500, 10_000, 10_000],
  );
});

describe('the outbox', () => {
  it('sends money at once', () => {
    const given = new Given();
    given.money(NOW);
    assert.equal(given.outbox.nextReadyAt(), NOW);
    assert.deepEqual(places(given.take(NOW)), [0]);
    assert.equal(given.outbox.take(NOW), undefined);
  });

  it('has one unacknowledged signal for a user; what follows makes the next one larger', () => {
    const given = new Given();
    given.money(NOW);
    const first = given.take(NOW);
    given.money(NOW + 10);
    given.money(NOW + 20);
    assert.equal(given.outbox.take(NOW + 100_000), undefined);
    assert.equal(given.outbox.nextReadyAt(), undefined);
    given.outbox.acknowledged(first);
    assert.deepEqual(places(given.take(NOW + 100_000)), [1, 2]);
  });

  it('sends one a user at the same time', () => {
    const given = new Given();
    given.money(NOW, 'u');
    given.money(NOW, 'v');
    given.money(NOW, 'w');
    assert.deepEqual([given.take(NOW), given.take(NOW), given.take(NOW)].map(({ key }) => key).sort(), ['u', 'v', 'w']);
  });

  it('keeps signals to one user apart by the spacing', () => {
    const given = new Given();
    given.money(NOW);
    const first = given.take(NOW);
    given.money(NOW + 1);
    given.outbox.acknowledged(first);
    assert.equal(given.outbox.nextReadyAt(), NOW + 500);
    assert.equal(given.outbox.take(NOW + 499), undefined);
    assert.deepEqual(places(given.take(NOW + 500)), [1]);
  });

  it('keeps the spacing also when the next money comes after the acknowledgement, while something is held', () => {
    const given = new Given();
    given.money(NOW);
    given.held();
    given.outbox.acknowledged(given.take(NOW));
    given.money(NOW + 100);
    assert.equal(given.outbox.nextReadyAt(), NOW + 500);
  });

  it('lets events other than money wait for company, and no longer than the linger', () => {
    const given = new Given();
    given.session(NOW);
    given.session(NOW + 600);
    assert.equal(given.outbox.nextReadyAt(), NOW + 1_000);
    assert.equal(given.outbox.take(NOW + 999), undefined);
    assert.deepEqual(places(given.take(NOW + 1_000)), [0, 1]);
  });

  it('sends what waits with the next money', () => {
    const given = new Given();
    given.session(NOW);
    given.money(NOW + 5);
    assert.deepEqual(places(given.take(NOW + 5)), [0, 1]);
  });

  it('begins the linger anew with what comes after a signal', () => {
    const given = new Given();
    given.money(NOW);
    const first = given.take(NOW);
    given.session(NOW + 200);
    given.outbox.acknowledged(first);
    assert.equal(given.outbox.nextReadyAt(), NOW + 1_200);
  });

  it('sends a batch that is full by its events at once, and not more than fits', () => {
    const given = new Given();
    given.money(NOW);
    const first = given.take(NOW);
    for (let n = 0; n < 4; n += 1) given.session(NOW + 1);
    given.outbox.acknowledged(first);
    assert.deepEqual(places(given.take(NOW + 1)), [1, 2, 3]);
  });

  it('sends a batch that is full by its bytes at once, and not more than fits', () => {
    const given = new Given();
    given.session(NOW, 'u', 60);
    assert.equal(given.outbox.take(NOW), undefined);
    given.session(NOW, 'u', 60);
    assert.deepEqual(places(given.take(NOW)), [0]);
  });

  it('fills a batch up to exactly the bytes', () => {
    const given = new Given();
    given.session(NOW, 'u', 40);
    given.session(NOW, 'u', 60);
    assert.deepEqual(places(given.take(NOW)), [0, 1]);
  });

  it('sends a record alone that is larger than a batch', () => {
    const given = new Given();
    given.money(NOW, 'u', 5_000);
    given.money(NOW, 'u', 1);
    const first = given.take(NOW);
    assert.deepEqual(places(first), [0]);
    given.outbox.acknowledged(first);
    assert.deepEqual(places(given.take(NOW + 500)), [1]);
  });

  it('sends what is left of a full batch without another linger, if money is among it', () => {
    const given = new Given();
    for (let n = 0; n < 3; n += 1) given.session(NOW);
    given.money(NOW);
    given.outbox.acknowledged(given.take(NOW));
    assert.deepEqual(places(given.take(NOW + 500)), [3]);
  });

  it('says as low water below what everything of the user is acknowledged, what is held included', () => {
    const given = new Given();
    given.held(); // 0, held
    given.money(NOW); // 1
    const first = given.take(NOW);
    assert.deepEqual(first.lowWater, [0, 0, 0]);
    given.outbox.acknowledged(first);
    given.money(NOW, 'other'); // 2
    given.money(NOW); // 3
    assert.equal(given.take(NOW).key, 'other');
    assert.deepEqual(given.take(NOW + 500).lowWater, [0, 0, 0]);
  });

  it('raises the low water with acknowledgements', () => {
    const given = new Given();
    given.money(NOW); // 0
    const first = given.take(NOW);
    given.money(NOW, 'other'); // 1
    given.money(NOW); // 2
    given.money(NOW); // 3
    given.outbox.acknowledged(first);
    given.take(NOW);
    assert.deepEqual(given.take(NOW + 500).lowWater, [2, 2, 2]);
  });

  it('waits for nothing when it drains, but for acknowledgements', () => {
    const given = new Given();
    given.session(NOW, 'u');
    given.money(NOW, 'v');
    const first = given.take(NOW);
    given.money(NOW, 'v');
    given.outbox.drain();
    assert.deepEqual(places(given.take(NOW)), [0]);
    assert.equal(given.outbox.take(NOW), undefined);
    given.outbox.acknowledged(first);
    assert.deepEqual(places(given.take(NOW)), [2]);
    given.session(NOW, 'w');
    assert.equal(given.take(NOW).key, 'w');
  });

  it('counts what is released and not acknowledged', () => {
    const given = new Given();
    given.held();
    assert.equal(given.outbox.length, 0);
    given.money(NOW);
    given.money(NOW);
    assert.equal(given.outbox.length, 2);
    const flight = given.take(NOW);
    assert.equal(given.outbox.length, 2);
    given.outbox.acknowledged(flight);
    assert.equal(given.outbox.length, 0);
  });

  it('lets money wait for company for the flush delay, and others ride with it', () => {
    const given = new Given({ flushDelay: 200, maxEvents: 10 });
    given.session(NOW - 50);
    given.money(NOW);
    given.money(NOW + 150);
    assert.equal(given.outbox.nextReadyAt(), NOW + 200);
    assert.deepEqual(places(given.take(NOW + 200)), [0, 1, 2]);
  });

  it('lets money wait no longer than what waits for money already', () => {
    const given = new Given({ flushDelay: 200 });
    given.session(NOW);
    given.money(NOW + 900);
    assert.equal(given.outbox.nextReadyAt(), NOW + 1_000);
  });

  it('sends the first money after a quiet time at once, as many of them as are allowed', () => {
    const given = new Given({ flushDelay: 200, prompt: 2 });
    for (const userId of ['u', 'v', 'w']) given.money(NOW, userId);
    assert.deepEqual([given.take(NOW), given.take(NOW)].map(({ key }) => key).sort(), ['u', 'v']);
    assert.equal(given.outbox.take(NOW + 199), undefined);
    assert.equal(given.take(NOW + 200).key, 'w');
  });

  it('sends money at once where no more than one comes in a flush delay', () => {
    const given = new Given({ flushDelay: 200, prompt: 1 });
    for (let n = 0; n < 5; n += 1) {
      const at = NOW + 200 * n;
      given.money(at, `u${n}`);
      assert.equal(given.take(at).key, `u${n}`);
    }
  });

  it('lets money of a busy partition wait for company, for as long as it is busy', () => {
    const given = new Given({ flushDelay: 200, prompt: 2 });
    const sentAfter: number[] = [];
    for (let n = 0; n < 8; n += 1) {
      const at = NOW + 100 * n;
      given.money(at, `u${n}`);
      const readyAt = given.outbox.nextReadyAt()!;
      given.take(readyAt);
      sentAfter.push(readyAt - at);
    }
    // The share of two comes back at half the speed at which they come: the third is ahead of it.
    assert.deepEqual(sentAfter, [0, 0, 0, 200, 200, 200, 200, 200]);
  });

  it('sends a full batch at once, whatever the flush delay', () => {
    const given = new Given({ flushDelay: 60_000 });
    for (let n = 0; n < 3; n += 1) given.money(NOW + n);
    assert.equal(given.outbox.nextReadyAt(), NOW + 2);
  });

  it('sends a burst of signals without spacing, then one a spacing', () => {
    const given = new Given({ burst: 3 });
    // While something is held, what was sent is remembered.
    given.held();
    const sentAt: number[] = [];
    let now = NOW;
    for (let n = 0; n < 6; n += 1) {
      given.money(now);
      now = given.outbox.nextReadyAt()!;
      given.outbox.acknowledged(given.take(now));
      sentAt.push(now - NOW);
    }
    assert.deepEqual(sentAt, [0, 0, 0, 500, 1_000, 1_500]);
    // After a time without signals there is a burst again.
    now += 10_000;
    const again: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      given.money(now);
      again.push(given.outbox.nextReadyAt()! - now);
      given.outbox.acknowledged(given.take(given.outbox.nextReadyAt()!));
    }
    assert.deepEqual(again, [0, 0, 0, 500]);
  });

  it('a user with more than two batches stands behind itself, and not in the way of the others', () => {
    const given = new Given();
    for (let n = 0; n < 10; n += 1) given.money(NOW, 'giant');
    given.money(NOW, 'other');
    assert.equal(given.outbox.going, 2 * LIMITS.maxEvents + 1);
    assert.deepEqual(given.outbox.standing, { records: 4, bytes: 10 * 10 + 4 * 1_000 });
    assert.equal(given.outbox.length, 11);
    // What waits for a reason of its own stands whole.
    given.outbox.setWaiting('giant', true);
    assert.deepEqual([given.outbox.going, given.outbox.waiting], [1, 10]);
    assert.deepEqual(given.outbox.standing, { records: 10, bytes: 10 * 10 + 10 * 1_000 });
    given.outbox.setWaiting('giant', false);
    for (let turn = 0; given.outbox.length > 0; turn += 1) {
      assert.ok(turn < 10);
      const now = given.outbox.nextReadyAt()!;
      for (let flight = given.outbox.take(now); flight; flight = given.outbox.take(now)) {
        given.outbox.acknowledged(flight);
      }
    }
    assert.deepEqual([given.outbox.going, given.outbox.waiting], [0, 0]);
    assert.deepEqual(given.outbox.standing, { records: 0, bytes: 0 });
  });

  it('sends everything once, in order, whatever happens when', () => {
    const step = fc.record({
      user: fc.nat(2),
      session: fc.boolean(),
      wait: fc.nat(700),
      bytes: fc.integer({ min: 1, max: 120 }),
      acknowledge: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const given = new Given();
        const wanted = new Map<string, number>();
        const got = new Map<string, number[]>();
        const flying: Flight[] = [];
        let now = NOW;
        const takeAll = () => {
          for (let flight = given.outbox.take(now); flight !== undefined; flight = given.outbox.take(now)) {
            const { key: userId, records } = flight;
            assert.ok(!flying.some((other) => other.key === userId), 'two unacknowledged signals to one user');
            assert.ok(records.length <= LIMITS.maxEvents);
            assert.ok(records.length === 1 || records.reduce((sum, { bytes }) => sum + bytes, 0) <= LIMITS.maxBytes);
            flying.push(flight);
            got.set(userId, [...(got.get(userId) ?? []), ...places(flight)!.map((place) => place!)]);
          }
        };
        for (const { user, session, wait, bytes, acknowledge } of steps) {
          const userId = `u${user}`;
          if (session) given.session(now, userId, bytes);
          else given.money(now, userId, bytes);
          wanted.set(userId, (wanted.get(userId) ?? 0) + 1);
          now += wait;
          takeAll();
          if (acknowledge && flying.length > 0) given.outbox.acknowledged(flying.shift()!);
        }
        for (let turns = 0; given.outbox.length > 0; turns += 1) {
          assert.ok(turns < 1_000, 'something is never sent');
          now = Math.max(now, given.outbox.nextReadyAt() ?? now);
          takeAll();
          if (flying.length > 0) given.outbox.acknowledged(flying.shift()!);
        }
        for (const [userId, count] of wanted) {
          const sent = got.get(userId)!;
          assert.equal(sent.length, count);
          assert.deepEqual(
            sent,
            [...sent].sort((a, b) => a - b),
          );
        }
      }),
      { numRuns: 200 },
    );
  });
});
