/** Laws of a partition triple, over random logs, fetches, acknowledgements, commits and crashes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { INPUTS } from '../../../src/money/domain/events.ts';
import { fetched, unusable } from '../bridge/given.ts';
import { Driver, type Logged, type Logs } from '../bridge/triple-driver.ts';
import { expectedOf } from './expected.ts';

/** Three inputs, as the application has. */
const INPUT_INDEXES = [0, 1, 2] as const;
type InputIndex = (typeof INPUT_INDEXES)[number];

const BEHIND = 20;
const BASE = 1_000_000;

/** An event and what delays it on its way into Kafka, ms. */
interface Happening {
  readonly input: InputIndex;
  readonly userId: string;
  readonly ts: number;
  readonly delay: number;
  readonly kind: 'event' | 'time' | 'unusable';
}

const happening = (maxDelay: number, kinds: Happening['kind'][]) =>
  fc.record({
    input: fc.constantFrom(...INPUT_INDEXES),
    userId: fc.constantFrom('u', 'v', 'w'),
    ts: fc.nat(300),
    delay: fc.nat(maxDelay),
    kind: fc.constantFrom(...kinds),
  });

/** Each log in the order of Kafka timestamps. `jitter`: how long a record may take from its timestamp into the log, ms. */
function logsOf(happenings: readonly Happening[], jitter: (n: number) => number = () => -BASE): Logs {
  const logs: [Logged[], Logged[], Logged[]] = [[], [], []];
  const byTimestamp = [...happenings].sort((a, b) => a.ts + a.delay - b.ts - b.delay);
  for (const [n, { input, userId, ts, delay, kind }] of byTimestamp.entries()) {
    const log = logs[input];
    const timestamp = BASE + ts + delay;
    const record =
      kind === 'unusable'
        ? unusable(log.length, timestamp)
        : fetched(input, log.length, { ts: BASE + ts, timestamp, userId, time: kind === 'time' });
    const before = log.at(-1)?.visibleAt ?? 0;
    log.push({ ...record, visibleAt: Math.max(before, timestamp + jitter(n)) });
  }
  return logs;
}

const step = fc.record({
  what: fc.constantFrom(
    'fetch',
    'fetch',
    'ends',
    'ends',
    'read',
    'read',
    'take',
    'take',
    'deliver',
    'deliver',
    'lose',
    'commit',
    'crash',
    'wait',
    'stand',
  ),
  n: fc.nat(7),
  wait: fc.nat(200),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** `restarts`: with crashes and lost acknowledgements. */
function run(driver: Driver, steps: readonly Step[], restarts: boolean): void {
  for (const { what, n, wait } of steps) {
    driver.now += wait;
    if (what === 'fetch') driver.fetch((n % 3) as InputIndex, n * 3);
    else if (what === 'ends') driver.sawEnds();
    else if (what === 'read') driver.read(n * 2);
    else if (what === 'take') driver.take();
    else if (what === 'deliver') driver.deliver(n, true);
    else if (what === 'commit') driver.commit();
    else if (what === 'stand') driver.stand(['u', 'v', 'w'][n % 3]!);
    else if (restarts && what === 'lose') driver.deliver(n, false);
    else if (restarts && what === 'crash') driver.crash();
  }
  driver.finish();
}

function unusableOf(logs: Logs): string[] {
  return INPUT_INDEXES.flatMap((input) =>
    logs[input].filter(({ decoded }) => !decoded.ok).map(({ offset }) => `${INPUTS[input]} ${offset}`),
  ).sort();
}

describe('a partition triple', () => {
  it('applies any order within the disorder bound by event time, live as records come in', () => {
    // One record for each user, topic and time, so that the expected order does not depend on offsets.
    const distinct = fc.uniqueArray(happening(BEHIND, ['event', 'event', 'time']), {
      selector: ({ input, userId, ts }) => `${input} ${userId} ${ts}`,
      maxLength: 60,
      size: 'max',
    });
    fc.assert(
      fc.property(
        distinct,
        fc.array(step, { maxLength: 80, size: 'max' }),
        fc.infiniteStream(fc.nat(250)),
        (happenings, steps, jitter) => {
          const logs = logsOf(happenings, () => jitter.next().value);
          const driver = new Driver(logs, { outOfOrderness: BEHIND });
          // A live bridge starts with the first record, not after the last.
          driver.now = BASE;
          run(driver, steps, true);
          const times = (userId: string) =>
            (driver.applications[userId] ?? []).map((line) => {
              const [topic, offset, late] = line.split(' ') as [(typeof INPUTS)[number], string, string];
              assert.equal(late, 'on', line);
              const { decoded } = logs[INPUTS.indexOf(topic) as InputIndex][Number(offset)]!;
              return decoded.ok ? [decoded.ts - BASE, topic] : assert.fail();
            });
          for (const userId of ['u', 'v', 'w']) {
            const expected = happenings
              .filter((one) => one.userId === userId && one.kind === 'event')
              .sort((a, b) => a.ts - b.ts || a.input - b.input)
              .map(({ ts, input }) => [ts, INPUTS[input]]);
            assert.deepEqual(times(userId), expected, userId);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('applies the same after a restart from any checkpoint, late records included', () => {
    const happenings = fc.array(happening(100, ['event', 'event', 'event', 'time', 'unusable']), {
      maxLength: 60,
      size: 'max',
    });
    fc.assert(
      fc.property(happenings, fc.array(step, { maxLength: 120, size: 'max' }), (given, steps) => {
        const logs = logsOf(given);
        const expected = expectedOf(logs, BEHIND);
        const driver = new Driver(logs, { outOfOrderness: BEHIND });
        run(driver, steps, true);
        assert.deepEqual(driver.applications, expected);
        assert.deepEqual([...driver.deadLetters].sort(), unusableOf(logs));
        assert.deepEqual(
          driver.triple.checkpoint().next,
          logs.map((log) => log.length),
        );
      }),
      { numRuns: 250 },
    );
  });

  it('holds no more than it may and what one window of time of the slowest input holds', () => {
    const behind = 5;
    const maxHeld = 10;
    // Event times within a topic are distinct and in order, so that a window of n ms has at most n records of each.
    const log = fc
      .uniqueArray(fc.nat(400), { maxLength: 120, size: 'max' })
      .map((times) => times.sort((a, b) => a - b));
    fc.assert(
      fc.property(fc.tuple(log, log, log), fc.array(step, { maxLength: 40 }), (times, steps) => {
        const logs = times.map((list, input) =>
          list.map((ts, offset) => ({ ...fetched(input as InputIndex, offset, { ts, timestamp: 0 }), visibleAt: 0 })),
        ) as unknown as Logs;
        const driver = new Driver(logs, { outOfOrderness: behind, maxHeld });
        run(driver, steps, false);
        assert.ok(driver.maxHeld <= maxHeld + 3 * (behind + 2), `${driver.maxHeld} held`);
        const applied = Object.values(driver.applications).flat();
        assert.equal(new Set(applied).size, applied.length);
        assert.equal(applied.length, times.flat().length);
      }),
      { numRuns: 100 },
    );
  });
});
