/** What a triple may hold is its own, the same everywhere; what a process has queued is bounded for all of it, and changes no result. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lanes } from '../../../src/engine/ordering/lanes.ts';
import { PartitionTriple, TRIPLE_BUDGET } from '../../../src/engine/ordering/partition-triple.ts';
import { readingLimits } from '../../../src/engine/ordering/reading-limits.ts';

import { fetched, MONEY_INPUT, NOWHERE } from '../bridge/given.ts';

/** Three inputs, as the application has. */
const INPUT_INDEXES = [0, 1, 2] as const;
type InputIndex = (typeof INPUT_INDEXES)[number];

const PARTITIONS = [1, 10, 100, 1_000];
const START = 1_700_000_000_000;

/** How much of a lane may be queued before fetching pauses, by trial. */
function roomOf(partitions: number): number {
  const paused: string[] = [];
  const lanes = new Lanes({ pause: (topic) => void paused.push(topic), resume: () => void paused.pop() });
  lanes.share(3 * partitions);
  for (let records = 1; ; records += 1) {
    lanes.queued({ topic: 't', partition: 0 }, { records, bytes: 0 });
    if (paused.length > 0) return records;
  }
}

/** A backlog of two minutes, 100 records a second: every hundredth money event is 40 s old. Late records, with their effective times. */
function lateOf(partitions: number): string[] {
  const log = INPUT_INDEXES.map((): { at: number; ts: number }[] => []);
  for (let n = 0; n < 12_000; n += 1) {
    const at = START + 10 * n;
    const input = n % 10 === 0 ? 0 : n % 5 === 0 ? 1 : MONEY_INPUT;
    log[input]!.push({ at, ts: input === MONEY_INPUT && n % 100 === 7 ? at - 40_000 : at });
  }
  const triple = new PartitionTriple({
    partition: 0,
    start: NOWHERE,
    deadLettersBelow: [0, 0, 0],
    outOfOrderness: 20_000,
    idleTimeout: 5_000,
  });
  const room = roomOf(partitions);
  const done = [0, 0, 0];
  const late: string[] = [];
  for (let turn = 0; !triple.settled || turn === 0; turn += 1) {
    for (const input of INPUT_INDEXES) {
      const from = done[input]!;
      const part = log[input]!.slice(from, from + Math.max(0, room - triple.queued(input).records));
      done[input] = from + part.length;
      triple.offer(
        input,
        part.map(({ at, ts }, n) => fetched(input, from + n, { ts, timestamp: at })),
        done[input]!,
        turn,
      );
      triple.sawEnd(input, log[input]!.length, turn + 1_000);
    }
    triple.read(1_000, turn);
    for (let flight = triple.outbox.take(Infinity); flight !== undefined; flight = triple.outbox.take(Infinity)) {
      for (const { input, offset, applicable } of flight.records) {
        if (applicable?.late !== undefined) late.push(`${input}/${offset} at ${applicable.late}`);
      }
      triple.acknowledged(flight);
    }
    if (turn > 20_000) throw new Error('it does not come to an end');
  }
  return late.sort();
}

describe('what is late', () => {
  it('does not depend on how many partitions the bridge has: the same records, with the same effective times', () => {
    const alone = lateOf(1);
    // Each is 20 s behind the watermark; all three inputs have had a record before the first of them.
    assert.equal(alone.length, 120);
    for (const partitions of [10, 100]) assert.deepEqual(lateOf(partitions), alone);
  });

  it('what a triple holds has a budget of its own', () => {
    assert.deepEqual(TRIPLE_BUDGET, { maxHeld: 20_000, maxHeldBytes: 16_000_000 });
  });
});

describe('what a process has queued', () => {
  it('is bounded for all of its lanes together: 300,000 records, or 200 of each lane', () => {
    for (const partitions of PARTITIONS) {
      const lanes = 3 * partitions;
      assert.equal(
        roomOf(partitions),
        Math.min(2_000, Math.max(200, Math.floor(300_000 / lanes))),
        `${partitions} partitions`,
      );
    }
  });

  it('goes on below the half', () => {
    const calls: string[] = [];
    const lanes = new Lanes({ pause: () => void calls.push('pause'), resume: () => void calls.push('resume') });
    const lane = { topic: 't', partition: 0 as InputIndex };
    for (const records of [1_999, 2_000, 2_000, 1_000, 999, 500]) lanes.queued(lane, { records, bytes: 0 });
    assert.deepEqual(calls, ['pause', 'resume']);
  });

  it('a lane is fetched when nothing holds it any more', () => {
    const calls: string[] = [];
    const lanes = new Lanes({ pause: () => void calls.push('pause'), resume: () => void calls.push('resume') });
    const lane = { topic: 't', partition: 0 };
    lanes.hold(lane, 'taken');
    lanes.hold(lane, 'schemas');
    lanes.release(lane, 'taken');
    assert.deepEqual(calls, ['pause']);
    lanes.release(lane, 'schemas');
    assert.deepEqual(calls, ['pause', 'resume']);
  });
});

describe('what is on its way', () => {
  it('of all triples: 200,000 records and 128 MB of dead letters, or 1,000 and 1 MB of each', () => {
    const rows = PARTITIONS.map((partitions) => [
      readingLimits(partitions).released,
      readingLimits(partitions).deadLetterBytes,
    ]);
    assert.deepEqual(rows, [
      [25_000, 8_000_000],
      [20_000, 8_000_000],
      [2_000, 1_280_000],
      [1_000, 1_000_000],
    ]);
  });

  it('of what stands: an eighth of the heap, 256 MB at most, then of who has more than its share', () => {
    const GB = 1_000_000_000;
    const rows = [
      [8 * GB, 255_999_999, 255_999_999],
      [8 * GB, 64_000_000, 256_000_000],
      [8 * GB, 63_999_999, 256_000_000],
      [GB, 31_250_000, 125_000_000],
      [GB, 31_249_999, 125_000_000],
      [GB, 124_999_999, 124_999_999],
    ] as const;
    const amount = (bytes: number) => ({ records: 1, bytes });
    assert.deepEqual(
      rows.map(([heap, bytes, ofAll]) => readingLimits(4, heap).tooMuchStands(amount(bytes), amount(ofAll))),
      [false, true, false, true, false, false],
    );
  });
});
