/** The judges of a seed, on what a run might have had: what they let pass, and what they still find. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LogRecord } from '../../src/money/model/model.ts';
import type { EventBatch } from '../../workflows/messages.ts';
import { differences, expectedOf, type Case } from './checks.ts';
import { SimKafka } from './kafka/sim-kafka.ts';
import { EPOCH, Scheduler } from './kernel/scheduler.ts';
import { Lives } from './lives.ts';
import { Log } from './logged.ts';
import { Meddled, judgeUser, type Came } from './meddled.ts';
import { stalled } from './progress.ts';
import { Said } from './said.ts';
import { scenarioOf, type Scenario } from './scenario.ts';
import { TOPICS, type SimSystem } from './system.ts';
import { Touched } from './touched.ts';

const USER = '11111111-1111-4111-8111-111111111111';
const SESSION = '22222222-2222-4222-8222-222222222222';
const SCENARIO: Scenario = { ...scenarioOf(1), partitions: 1, shards: 1, healAt: 0, boundsPlan: 'plenty' };
const { pendingTimeout } = SCENARIO.settings.rules;

const idOf = (name: string): string => `33333333-3333-4333-8333-${name.padStart(12, '0')}`;

/** `at`: ms of event time after the epoch of the simulation. */
function money(offset: number, id: string, at: number, sessionId?: string): LogRecord {
  const session = sessionId === undefined ? '' : `"userSessionId":"${sessionId}",`;
  return record(
    'money',
    offset,
    at,
    `{"type":"PaymentEvent","id":"${idOf(id)}",${common(at)},${session}"amount":1,"openingBalance":1,"closingBalance":2,"currency":"EUR",` +
      '"moneyType":"BET","paymentRelatedThing":"x","isOldMoneyEvent":false}',
  );
}

function common(at: number): string {
  return `"userId":"${USER}","processedAt":"${new Date(EPOCH + at).toISOString()}"`;
}

function record(topic: LogRecord['topic'], offset: number, at: number, value: string | null): LogRecord {
  return {
    topic,
    partition: 0,
    offset,
    timestamp: EPOCH + at,
    key: Buffer.from(USER),
    value: value === null ? null : Buffer.from(value),
  };
}

function logOf(records: readonly LogRecord[]): Log {
  const log = new Log(SCENARIO);
  for (const one of records) log.add(one, one.timestamp);
  return log;
}

const resultOf = (records: readonly LogRecord[]) => expectedOf(records, SCENARIO, () => null);

describe('a life that was sent its records in no order', () => {
  // The life before had the first three; the second gets the last one before two of them.
  const sent = [money(0, 'a', 0), money(1, 'b', 10), money(2, 'b', 10), money(3, 'c', 20)];
  const log = logOf(sent);

  function judge(offsets: readonly number[]): string[] {
    const lives = new Lives((input, partition, offset) => `${input}/${partition}/${offset}`);
    const signal = (runId: string, ...of: readonly number[]): void => {
      const records = of.map((offset) => ({ offset, event: { type: 'money' } }));
      lives.signalled(USER, { startedAt: 1, runId }, {
        partition: 0,
        lowWater: [0, 0, 0],
        records,
      } as unknown as EventBatch);
    };
    signal('one', 0, 1, 2);
    signal('two', 3);
    signal('two', 1, 2);
    const said = new Said();
    said.notice(USER, 'began-anew');
    const system = {
      lives,
      said,
      durable: new Set(),
      temporal: { chainOf: () => ['running'] },
    } as unknown as SimSystem;
    const came = offsets.map((offset): Came => ({
      place: `money/0/${offset}`,
      output: { headers: { incarnation: '1/two' }, value: `output ${offset}` } as unknown as Came['output'],
    }));
    return judgeUser(USER, 'terminated', came, [], { system, log, expectedOf: resultOf });
  }

  test('any of two with one id may come out, or both: the effective time of each is that of what came before', () => {
    for (const both of [
      [3, 1],
      [3, 2],
      [3, 1, 2],
    ]) {
      assert.deepEqual(judge(both), []);
    }
  });

  test('money that it was not sent, money that does not come out and money that comes twice are found', () => {
    assert.deepEqual(judge([3, 1, 0]), ['unexpected: money/0/0 output 0']);
    assert.deepEqual(judge([1]), ['missing: money/0/3, and no other with its id came out']);
    assert.equal(judge([3, 1, 1]).length, 1);
  });
});

test('of a user in two partitions somebody has to say so, where anybody met it in both', () => {
  const elsewhere = { ...money(0, 'b', 10), partition: 1 };
  const judge = (gone: boolean): string[] => {
    const log = logOf([money(0, 'a', 0), elsewhere]);
    if (gone) log.went('money', 1, 0, 1);
    const system = { said: new Said(), durable: new Set(['money/0/0']) } as unknown as SimSystem;
    const came = [{ place: 'money/0/0', output: {} as Came['output'] }];
    return judgeUser(USER, 'split', came, [], { system, log, expectedOf: resultOf });
  };
  assert.deepEqual(judge(true), []);
  assert.deepEqual(judge(false), [
    `missing: money/1/0 of ${USER}, who is in two partitions`,
    `nobody said that ${USER} is in two partitions`,
  ]);
});

describe('a dead letter of one of two logs that have the same bytes at one offset', () => {
  function judge(...lettersAt: readonly number[]): string[] {
    const log = new Log(SCENARIO);
    log.add(record('money', 0, 1_000, null), EPOCH);
    log.replaced('money', 0, 0);
    log.add(record('money', 0, 2_000, null), EPOCH);
    const kafka = new SimKafka(new Scheduler(1));
    kafka.createTopic(TOPICS.deadLetter, 1);
    for (const at of lettersAt) {
      const headers = {
        reason: 'malformed',
        'source-topic': 'money',
        'source-partition': '0',
        'source-offset': '0',
        'source-timestamp': String(EPOCH + at),
      };
      kafka.append(TOPICS.deadLetter, 0, { key: USER, value: null, headers });
    }
    const said = new Said();
    const system = { kafka, said, outputs: [], durable: new Set(), lives: new Lives(() => '') } as unknown as SimSystem;
    const given: Case = {
      system,
      log,
      scenario: SCENARIO,
      meddled: new Meddled(),
      operator: { accepted: new Map() },
      touched: new Touched(new Scheduler(1)),
      expectedOf: resultOf,
    };
    return differences(given, resultOf(log.owed(system.durable)));
  }

  test('is of the one whose timestamp it names', () => {
    assert.deepEqual(judge(2_000), []);
    assert.deepEqual(judge(1_000, 2_000), []);
  });

  test('is missed, and found twice, for each of them', () => {
    assert.deepEqual(judge(1_000), ['missing: dead letter money/0/1000000 malformed']);
    assert.deepEqual(judge(2_000, 2_000), ['twice: dead letter money/0/1000000 malformed']);
  });
});

test('an output is of the log whose money has its time, where a later log has the same money at the same offset', () => {
  const log = logOf([money(0, 'a', 1_000)]);
  log.replaced('money', 0, 0);
  log.add(money(0, 'a', 2_000), EPOCH + 2_000);
  const placeOf = (at: number): string | undefined =>
    log.moneyOf({
      headers: { 'source-partition': '0', 'source-offset': '0' },
      value: Buffer.from(`{"money":{"id":"${idOf('a')}","processedAt":"${new Date(EPOCH + at).toISOString()}"}}`),
    });
  assert.deepEqual([1_000, 2_000, 3_000].map(placeOf), ['money/0/0', 'money/0/1000000', undefined]);
});

describe('money of a session that the model knows, while the session service hangs', () => {
  const records = [
    record(
      'session',
      0,
      0,
      `{"type":"UserSessionCreatedEvent","id":"${SESSION}",${common(0)},"clientCountryCode":"UY"}`,
    ),
    money(0, 'a', 10, SESSION),
    money(1, 'b', 20),
  ];
  const log = logOf(records);
  const scheduler = new Scheduler(1);
  const touched = new Touched(scheduler);
  touched.begin(['lookups'], 0);
  const seenAt = log.readyAt('money/0/0') + pendingTimeout + 60_000;

  function judge(boundsPlan: Scenario['boundsPlan'], offset: number): number {
    const output = {
      seenAt,
      headers: { 'source-partition': '0', 'source-offset': String(offset) },
      value: JSON.stringify({ money: { id: idOf(offset === 0 ? 'a' : 'b') } }),
    };
    const system = { outputs: [output], deadLettersSeen: new Map() } as unknown as SimSystem;
    return stalled(system, resultOf(records), log, touched, { ...SCENARIO, boundsPlan }, new Map()).length;
  }

  test('may wait where bounds in bytes may have made its session forgotten, and nowhere else', () => {
    assert.equal(judge('small', 0), 0);
    assert.equal(judge('plenty', 0), 1);
    assert.equal(judge('few', 0), 1);
  });

  test('money of no session may not', () => {
    assert.equal(judge('small', 1), 1);
  });
});

describe('money that is looked up and is given up, though the session service knows its session', () => {
  const records = [
    record(
      'session',
      0,
      0,
      `{"type":"UserSessionCreatedEvent","id":"${SESSION}",${common(0)},"clientCountryCode":"UY"}`,
    ),
    // An old one: looked up, whether its session is known or not.
    ...[money(0, 'a', 10, SESSION)].map((one) => ({
      ...one,
      value: Buffer.from(String(one.value).replace('"isOldMoneyEvent":false', '"isOldMoneyEvent":true')),
    })),
  ];
  const expected = expectedOf(records, SCENARIO, () => 'UY');
  const [want] = expected.outputs;

  /** `disturbed`: ms of the minute that it took. */
  async function judge(disturbed: number, value: string): Promise<string[]> {
    const log = logOf(records);
    const scheduler = new Scheduler(1);
    const touched = new Touched(scheduler);
    const over = touched.begin(['lookups'], 0);
    scheduler.after(disturbed, null, over);
    let ended = false;
    scheduler.after(61_000, null, () => (ended = true));
    const seenAt = log.arrivedAt('money/0/0') + 60_000;
    assert.ok(await scheduler.run(() => ended, 70_000));
    const kafka = new SimKafka(new Scheduler(1));
    kafka.createTopic(TOPICS.deadLetter, 1);
    const headers = { 'source-partition': '0', 'source-offset': '0', enrichment: 'incomplete' };
    const outputs = [{ seenAt, headers, key: Buffer.from(want!.key), value: Buffer.from(value) }];
    const system = { kafka, said: new Said(), outputs, durable: new Set() } as unknown as SimSystem;
    const operator = { accepted: new Map() };
    const meddled = new Meddled();
    return differences({ system, log, scenario: SCENARIO, meddled, operator, touched, expectedOf: resultOf }, expected);
  }
  const incomplete = want!.value.replace(',"sessionInfo":{"clientCountryCode":"UY"}', '');

  test('may be so where faults left no time to ask', async () => {
    assert.notEqual(incomplete, want!.value);
    assert.deepEqual(await judge(55_000, incomplete), []);
  });

  test('is wrong where there was time, and where anything else is missing, too', async () => {
    assert.equal((await judge(10_000, incomplete)).length, 1);
    assert.equal((await judge(55_000, incomplete.replace('"currency":"EUR",', ''))).length, 1);
  });
});

describe('what went unread from a log that another took the place of', () => {
  const SECOND = 1_000;

  /** `accepted`: the person decided about it a minute later. */
  async function judge({ noLeader, accepted }: { noLeader: number; accepted: number | undefined }): Promise<number> {
    const log = logOf([money(0, 'a', 0)]);
    log.replaced('money', 0, 0);
    const scheduler = new Scheduler(1);
    const touched = new Touched(scheduler);
    const from = scheduler.now;
    if (noLeader > 0) scheduler.after(noLeader, null, touched.begin(['partition 0'], 0));
    let over = false;
    scheduler.after(61 * SECOND, null, () => (over = true));
    assert.ok(await scheduler.run(() => over, 70 * SECOND));
    const kafka = new SimKafka(new Scheduler(1));
    kafka.createTopic(TOPICS.deadLetter, 1);
    const system = { kafka, said: new Said(), outputs: [], durable: new Set() } as unknown as SimSystem;
    const decided = accepted === undefined ? [] : [['money/0', { from, to: from + accepted }] as const];
    const operator = { accepted: new Map(decided) };
    const given: Case = {
      system,
      log,
      scenario: SCENARIO,
      meddled: new Meddled(),
      operator,
      touched,
      expectedOf: resultOf,
    };
    return differences(given, resultOf(log.owed(system.durable))).filter((text) => text.startsWith('swallowed')).length;
  }

  test('is said by the command that accepts the log, where no bridge could look at it before', async () => {
    assert.equal(await judge({ noLeader: 50 * SECOND, accepted: 60 * SECOND }), 0);
    assert.equal(await judge({ noLeader: 0, accepted: 3 * SECOND }), 0);
  });

  test('is swallowed where a bridge had the time to say it, and where nobody decided', async () => {
    assert.equal(await judge({ noLeader: 0, accepted: 60 * SECOND }), 1);
    assert.equal(await judge({ noLeader: 20 * SECOND, accepted: 60 * SECOND }), 1);
    assert.equal(await judge({ noLeader: 50 * SECOND, accepted: undefined }), 1);
  });
});
