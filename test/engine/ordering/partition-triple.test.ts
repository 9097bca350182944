import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fetched } from '../../../src/engine/ordering/merge-queue.ts';

import { fetched, MONEY_INPUT, SESSION_INPUT, unusable, USER_INPUT } from '../bridge/given.ts';
import { PartitionTriple } from '../../../src/engine/ordering/partition-triple.ts';
import { Driver, type Logs } from '../bridge/triple-driver.ts';

/** Three inputs, as the application has. */
const INPUT_INDEXES = [0, 1, 2] as const;
type InputIndex = (typeof INPUT_INDEXES)[number];

const BEHIND = 20;
const IDLE = 5_000;

/** Everything is visible from the beginning. */
function driver(
  logs: readonly [Fetched[], Fetched[], Fetched[]],
  options: { maxHeld?: number; maxHeldBytes?: number } = {},
): Driver {
  const visible = logs.map((log) => log.map((record) => ({ ...record, visibleAt: 0 }))) as unknown as Logs;
  return new Driver(visible, { outOfOrderness: BEHIND, idleTimeout: IDLE, ...options });
}

/** Each can be read from its own time on, ms. */
function visible(records: Fetched[], ...times: number[]): Logs[0] {
  return records.map((record, index) => ({ ...record, visibleAt: times[index]! }));
}

function log(input: InputIndex, ...ts: number[]): Fetched[] {
  return ts.map((at, offset) => fetched(input, offset, { ts: at }));
}

/** Fetches everything and reads it, the ends being seen after the grace. */
function readAll(given: Driver): void {
  given.fetchAll();
  given.now += 300;
  given.sawEnds();
  given.read();
}

function deliverAll(given: Driver): void {
  for (let n = 0; n < 100; n += 1) {
    given.now += 100;
    given.take();
    given.deliver(0, true);
  }
}

describe('a partition triple', () => {
  it('holds what is on time until the watermark has passed it', () => {
    const given = driver([log(USER_INPUT, 100, 121), log(SESSION_INPUT, 121), log(MONEY_INPUT, 100, 101, 121)]);
    readAll(given);
    // The watermark is 101: it has passed 100 and not 101.
    assert.equal(given.triple.describe().watermark, 101);
    assert.equal(given.triple.describe().held, 4);
    deliverAll(given);
    assert.deepEqual(given.applications, { u: ['user 0 on time', 'money 0 on time'] });
  });

  it('is late with what is before the watermark, not with what is at it', () => {
    const money = [
      fetched(MONEY_INPUT, 0, { ts: 200, timestamp: 1 }),
      fetched(MONEY_INPUT, 1, { ts: 180, timestamp: 2 }),
      fetched(MONEY_INPUT, 2, { ts: 179, timestamp: 3 }),
    ];
    const at = (ts: number) => fetched(USER_INPUT, 0, { ts, timestamp: 0 });
    const given = driver([[at(200)], [at(200)], money]);
    readAll(given);
    deliverAll(given);
    // 179 is before 180: applied when read, at the watermark of its reading.
    assert.deepEqual(given.applications, { u: ['money 2 180'] });
    given.finish();
    assert.deepEqual(given.applications, {
      u: ['money 2 180', 'money 1 on time', 'user 0 on time', 'session 0 on time', 'money 0 on time'],
    });
  });

  it('judges a record by the watermark before it', () => {
    // The very record that moves the watermark to 180 is not judged by that.
    const given = driver([
      log(USER_INPUT, 200),
      log(SESSION_INPUT, 200),
      [fetched(MONEY_INPUT, 0, { ts: 100, timestamp: 250 }), fetched(MONEY_INPUT, 1, { ts: 200, timestamp: 251 })],
    ]);
    readAll(given);
    deliverAll(given);
    assert.deepEqual(given.applications, { u: ['money 0 on time'] });
  });

  it('moves time with records that do nothing else', () => {
    const time = (input: InputIndex) => [fetched(input, 0, { ts: 200, time: true })];
    const given = driver([
      time(USER_INPUT),
      time(SESSION_INPUT),
      [fetched(MONEY_INPUT, 0, { ts: 100 }), fetched(MONEY_INPUT, 1, { ts: 200, time: true })],
    ]);
    readAll(given);
    assert.equal(given.triple.describe().watermark, 180);
    deliverAll(given);
    assert.deepEqual(given.applications, { u: ['money 0 on time'] });
    // Nothing of them is ever acknowledged, and still they are done with once the watermark has passed them.
    given.finish();
    assert.equal(given.triple.settled, true);
    assert.deepEqual(given.triple.checkpoint(), { next: [1, 1, 2], maxTs: [200, 200, 200], watermark: 201 });
  });

  it('does not move time with records that cannot be used', () => {
    const given = driver([
      log(USER_INPUT, 100),
      log(SESSION_INPUT, 100),
      [...log(MONEY_INPUT, 100), unusable(1, 5_000)],
    ]);
    readAll(given);
    assert.equal(given.triple.describe().watermark, 80);
    assert.deepEqual(
      given.triple.deadLetters().records.map(({ input, offset, timestamp }) => [input, offset, timestamp]),
      [[MONEY_INPUT, 1, 5_000]],
    );
  });

  it('passes everything held by a millisecond when all inputs are idle', () => {
    const given = driver([[], [], log(MONEY_INPUT, 100, 300)]);
    readAll(given);
    assert.equal(given.triple.describe().held, 2);
    given.sawEnds();
    given.now += IDLE;
    given.sawEnds();
    given.read();
    assert.deepEqual([given.triple.describe().held, given.triple.describe().watermark], [0, 301]);
  });

  it('is idle when silent for the timeout from when its end was seen, not a millisecond before', () => {
    const given = driver([[], [], log(MONEY_INPUT, 100)]);
    readAll(given);
    // readAll has seen the ends; the end of the wallet was only reached by reading after that.
    given.sawEnds();
    given.now += IDLE - 1;
    given.sawEnds();
    assert.deepEqual(given.triple.describe().idle, []);
    given.now += 1;
    given.sawEnds();
    assert.deepEqual(given.triple.describe().idle, [0, 1, 2]);
  });

  it('does not count silence before the end of the log was reached', () => {
    const given = driver([[], [], log(MONEY_INPUT, 100)]);
    given.fetch(USER_INPUT);
    given.fetch(SESSION_INPUT);
    // A slow broker: nothing of the wallet arrives for a long time.
    given.sawEnds();
    given.now += 10 * IDLE;
    given.sawEnds();
    assert.deepEqual(given.triple.describe().idle, [0, 1]);
    given.fetch(MONEY_INPUT);
    given.now += 300;
    given.sawEnds();
    given.read();
    given.sawEnds();
    assert.deepEqual(given.triple.describe().idle, [0, 1]);
  });

  it('applies what silence has let the watermark pass before it reads on', () => {
    const at = 1_000_000;
    const logs = [
      visible(log(USER_INPUT, 100), at),
      visible(log(SESSION_INPUT, 200, 205), at, at + 4_000),
      visible(
        [...log(MONEY_INPUT, 200, 205), fetched(MONEY_INPUT, 2, { ts: 110, timestamp: 210 })],
        at,
        at + 4_000,
        at + 5_200,
      ),
    ] as unknown as Logs;
    const given = new Driver(logs, { outOfOrderness: BEHIND, idleTimeout: IDLE });
    given.fetchAll();
    given.now = at + 300;
    given.sawEnds();
    given.read();
    given.sawEnds();
    given.now = at + 4_000;
    given.fetchAll();
    given.now = at + 4_300;
    given.sawEnds();
    given.read();
    assert.equal(given.triple.describe().watermark, 80);
    // In one turn: the user's input is found silent, and late money is there to be read.
    given.now = at + 5_200;
    given.fetchAll();
    given.now = at + 5_500;
    given.sawEnds();
    given.read();
    assert.equal(given.triple.describe().watermark, 185);
    deliverAll(given);
    assert.deepEqual(given.applications, { u: ['user 0 on time', 'money 2 185'] });
  });

  it('waits for an input that has something which is not read yet', () => {
    const at = 1_000_000;
    const logs = [
      [],
      visible(log(SESSION_INPUT, 90, 95), at, at + 8_200),
      visible(log(MONEY_INPUT, 100, 104), at, at + 3_000),
    ] as unknown as Logs;
    const given = new Driver(logs, { outOfOrderness: BEHIND, idleTimeout: IDLE });
    const turnAt = (ms: number): void => {
      given.now = at + ms;
      given.sawEnds();
      given.read();
      given.sawEnds();
    };
    given.fetchAll();
    turnAt(300);
    given.now = at + 3_000;
    given.fetchAll();
    turnAt(3_300);
    turnAt(5_300);
    assert.deepEqual(given.triple.describe().idle, [USER_INPUT, SESSION_INPUT]);
    // The wallet falls silent too, and something of the sessions has come that is on time.
    given.now = at + 8_200;
    given.fetch(SESSION_INPUT);
    turnAt(8_300);
    assert.deepEqual(given.triple.describe().idle, [USER_INPUT, MONEY_INPUT]);
    assert.equal(given.triple.describe().watermark, 84);
    turnAt(8_500);
    deliverAll(given);
    assert.deepEqual(given.applications, {}, 'the session event at 95 is held, as all above 84 are');
    turnAt(8_500 + IDLE);
    deliverAll(given);
    const inOrder = ['session 0 on time', 'session 1 on time', 'money 0 on time', 'money 1 on time'];
    assert.deepEqual(given.applications, { u: inOrder });
  });

  it('is not idle any more with the next record that can be used', () => {
    const money: [Fetched[], Fetched[], Fetched[]] = [[], [], log(MONEY_INPUT, 100, 200)];
    const logs = money.map((records) =>
      records.map((record, index) => ({ ...record, visibleAt: index === 0 ? 0 : 2_000_000 })),
    ) as unknown as Logs;
    const given = new Driver(logs, { outOfOrderness: BEHIND, idleTimeout: IDLE });
    readAll(given);
    given.sawEnds();
    given.now += IDLE;
    given.sawEnds();
    given.read();
    assert.equal(given.triple.describe().watermark, 101);
    given.now = 2_000_000;
    readAll(given);
    assert.deepEqual(given.triple.describe().idle, [0, 1]);
    assert.deepEqual([given.triple.describe().watermark, given.triple.describe().held], [180, 1]);
  });
});

describe('the checkpoint of a partition triple', () => {
  it('is the place before the first record that is not acknowledged, with the watermark as it was there', () => {
    const given = driver([log(USER_INPUT, 100, 200), log(SESSION_INPUT, 100, 200), log(MONEY_INPUT, 100, 200)]);
    readAll(given);
    // Everything at 100 is released and unacknowledged: nothing may be committed but the beginning.
    assert.deepEqual(given.triple.checkpoint(), {
      next: [0, 0, 0],
      maxTs: [-Infinity, -Infinity, -Infinity],
      watermark: -Infinity,
    });
    deliverAll(given);
    // Read in the order user 100, session 100, money 100, user 200, ...: what is held begins at user 200.
    assert.deepEqual(given.triple.checkpoint(), { next: [1, 1, 1], maxTs: [100, 100, 100], watermark: 80 });
    given.finish();
    assert.deepEqual(given.triple.checkpoint(), { next: [2, 2, 2], maxTs: [200, 200, 200], watermark: 201 });
  });

  it('begins where it was committed: nothing below is read again, and the watermark is the same', () => {
    const given = driver([log(USER_INPUT, 100, 200), log(SESSION_INPUT, 100, 200), log(MONEY_INPUT, 100, 200)]);
    readAll(given);
    deliverAll(given);
    given.commit();
    given.crash();
    assert.equal(given.triple.nextFetch(USER_INPUT), 1);
    assert.equal(given.triple.describe().watermark, 80);
    given.finish();
    assert.deepEqual(given.applications['u']!.length, 6);
  });

  it('lets dead letters below it be written before they are acknowledged records, and only once', () => {
    const given = driver([[], [], [...log(MONEY_INPUT, 100), unusable(1, 100), unusable(2, 100)]]);
    readAll(given);
    given.commit();
    assert.deepEqual(given.deadLetters, ['money 1', 'money 2']);
    given.crash();
    // The money at offset 0 is read again, and so are the two behind it.
    given.finish();
    assert.deepEqual(given.deadLetters, ['money 1', 'money 2']);
    assert.deepEqual(given.applications, { u: ['money 0 on time'] });
  });

  it('does not forget what was written when it commits before all is read again', () => {
    const given = driver([[], [], [...log(MONEY_INPUT, 100), unusable(1, 100)]]);
    readAll(given);
    given.commit();
    given.crash();
    given.commit();
    given.crash();
    given.finish();
    assert.deepEqual(given.deadLetters, ['money 1']);
  });

  it('gives dead letters away only when they were written', () => {
    const given = driver([[], [], [unusable(0, 100), unusable(1, 100)]]);
    readAll(given);
    const { records, below } = given.triple.deadLetters();
    assert.deepEqual([records.length, below], [2, [0, 0, 2]]);
    // Two values of 7 bytes, two keys of one, and what each takes besides: a flood of keys or of nothing at all counts too.
    assert.equal(given.triple.deadLetterBytes, 2 * 308);
    given.triple.deadLettersWritten(1);
    assert.deepEqual(
      given.triple.deadLetters().records.map(({ offset }) => offset),
      [1],
    );
    assert.equal(given.triple.deadLetterBytes, 308);
  });
});

describe('the memory of a partition triple', () => {
  const upTo = (input: InputIndex, last: number, step: number) =>
    log(input, ...Array.from({ length: Math.floor(last / step) }, (_, n) => (n + 1) * step));

  it('is bounded while one input is far behind the others', () => {
    const given = driver(
      [upTo(USER_INPUT, 10_000, 1_000), upTo(SESSION_INPUT, 10_000, 100), upTo(MONEY_INPUT, 10_000, 1)],
      { maxHeld: 50 },
    );
    // Timestamps do not help here: the user topic was written late.
    given.fetchAll();
    given.finish();
    assert.ok(given.maxHeld <= 50 + 2, `${given.maxHeld} held`);
    assert.equal(given.applications['u']!.length, 10_110);
  });

  it('is bounded in bytes as well', () => {
    const given = driver(
      [upTo(USER_INPUT, 1_000, 1_000), upTo(SESSION_INPUT, 1_000, 100), upTo(MONEY_INPUT, 1_000, 1)],
      { maxHeldBytes: 500 },
    );
    given.finish();
    assert.ok(given.maxHeld <= 50 + 2, `${given.maxHeld} held`);
    assert.equal(given.applications['u']!.length, 1_011);
  });

  it('lets an idle input be read that comes back while memory is full', () => {
    // Sessions and money fill the memory within the out-of-orderness, always; the user topic was silent for a while.
    const money = upTo(MONEY_INPUT, 2_000, 1).map((record) => ({
      ...record,
      timestamp: 1_000_000 + record.offset,
      visibleAt: 0,
    }));
    const sessions = upTo(SESSION_INPUT, 2_000, 1).map((record) => ({
      ...record,
      timestamp: 1_000_000 + record.offset,
      visibleAt: 0,
    }));
    const users = [{ ...fetched(USER_INPUT, 0, { ts: 1_000, timestamp: 1_001_000 }), visibleAt: 1_006_000 }];
    const given = new Driver([users, sessions, money], { outOfOrderness: 500, idleTimeout: IDLE, maxHeld: 100 });
    given.sawEnds();
    given.now += IDLE;
    given.sawEnds();
    assert.deepEqual(given.triple.describe().idle, [USER_INPUT]);
    given.fetch(SESSION_INPUT, 500);
    given.fetch(MONEY_INPUT, 500);
    given.now += 300;
    given.sawEnds();
    while (given.read(10) > 0);
    given.now = 1_006_000;
    given.fetchAll();
    given.now += 300;
    given.sawEnds();
    given.finish();
    // On time, as it would be with memory enough: its turn is before the records of after 1,001,000.
    assert.ok(
      given.applications['u']!.includes('user 0 on time'),
      given.applications['u']!.find((line) => line.startsWith('user')),
    );
  });

  it('counts what is queued and where the next fetch starts', () => {
    const given = driver([[], [], log(MONEY_INPUT, 1, 2, 3)]);
    given.fetch(MONEY_INPUT, 2);
    assert.deepEqual(given.triple.queued(MONEY_INPUT), { records: 2, bytes: 20 });
    assert.equal(given.triple.nextFetch(MONEY_INPUT), 2);
    assert.deepEqual(
      INPUT_INDEXES.map((input) => given.triple.nextFetch(input)),
      [0, 0, 2],
    );
    assert.equal(given.triple.blocked, true);
    assert.equal(given.triple.settled, false);
  });
});

describe('a triple in which one user waits', () => {
  const money = (offset: number, ts: number, userId: string) => fetched(MONEY_INPUT, offset, { ts, userId });
  const time = (input: InputIndex) => [fetched(input, 0, { ts: 400, userId: 't', time: true })];
  /** `b` has records on both sides of those of `a`, which waits. */
  const given = (): Driver => {
    const made = driver([
      time(USER_INPUT),
      time(SESSION_INPUT),
      [money(0, 100, 'b'), money(1, 200, 'a'), money(2, 210, 'b'), money(3, 300, 'c'), money(4, 401, 'b')],
    ]);
    readAll(made);
    made.now += 1_000;
    for (let n = 0; n < 3; n += 1) made.take();
    assert.deepEqual(made.flying, ['b', 'c', 'a']);
    made.stand('a');
    made.deliver(1, true);
    made.deliver(0, true);
    return made;
  };

  it('stands before its first record, and is ahead of it for all others', () => {
    const { triple } = given();
    assert.deepEqual(triple.checkpoint().next, [0, 0, 1]);
    const ahead = triple.ahead()!;
    // Held: what is at 401, and the watermark there was that of 300.
    assert.deepEqual([ahead.next, ahead.watermark, ahead.except.length], [[1, 1, 4], 280, 1]);
  });

  it('sends after a restart what is of that user, and what came after; and others no more', () => {
    const made = given();
    made.commit();
    made.crash();
    readAll(made);
    made.now += 1_000;
    for (let n = 0; n < 3; n += 1) made.take();
    assert.deepEqual(made.flying, ['a']);
    made.finish();
    assert.deepEqual(made.applications['a'], ['money 1 on time']);
    assert.deepEqual(made.applications['b'], ['money 0 on time', 'money 2 on time', 'money 4 on time']);
    assert.equal(made.triple.ahead(), undefined);
  });

  it('is no further ahead than the one before it, until all is read again', () => {
    const made = given();
    const { except, next } = made.triple.ahead()!;
    made.commit();
    made.crash();
    made.fetchAll();
    made.read(1);
    assert.deepEqual(made.triple.ahead(), { except, next, watermark: 280 });
  });
});

describe('the mark of what was read last', () => {
  const marked = (offset: number): Fetched => ({
    ...fetched(MONEY_INPUT, offset, { ts: 100 + offset }),
    print: 1_000 + offset,
  });
  const triple = (from: number, last: number | null) =>
    new PartitionTriple({
      partition: 0,
      start: { next: [0, 0, from], maxTs: [-Infinity, -Infinity, -Infinity], watermark: -Infinity },
      deadLettersBelow: [0, 0, 0],
      outOfOrderness: BEHIND,
      idleTimeout: IDLE,
      ...(last === null ? {} : { marks: [null, null, { offset: last, print: 1_000 + last }] as const }),
    });
  const read = (given: PartitionTriple, ...offsets: number[]) => {
    given.offer(MONEY_INPUT, offsets.map(marked), offsets.at(-1)! + 1, 0);
    for (const [input, end] of [
      [USER_INPUT, 0],
      [SESSION_INPUT, 0],
      [MONEY_INPUT, offsets.at(-1)! + 1],
    ] as const) {
      given.sawEnd(input, end, 1_000);
    }
    assert.equal(given.read(100, 1_000), offsets.length);
    return given.marks();
  };

  it('is that of the last record, whether or not it is acknowledged', () => {
    assert.equal(triple(0, null).marks(), undefined);
    assert.deepEqual(read(triple(0, null), 0, 1, 5), [null, null, { offset: 5, print: 1_005 }]);
  });

  it('stays that of the bridge before it until all is read again', () => {
    const given = triple(2, 4);
    assert.deepEqual(given.marks(), [null, null, { offset: 4, print: 1_004 }]);
    assert.deepEqual(read(given, 2, 3), [null, null, { offset: 4, print: 1_004 }]);
    assert.deepEqual(read(given, 4, 5), [null, null, { offset: 5, print: 1_005 }]);
  });
});
