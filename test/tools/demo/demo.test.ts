import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { ModelResult } from '../../../src/money/model/model.ts';
import type { SeenRecord } from '../../../src/engine/kafka/kafkajs/tail.ts';
import { partitionOf } from '../../../src/engine/kafka/partitioner.ts';
import { casesOf } from '../../../src/tools/demo/cases.ts';
import { metricSum, Speed } from '../../../src/tools/demo/figures.ts';
import type { Figures } from '../../../src/tools/demo/figures.ts';
import { paceOf, sendPaced } from '../../../src/tools/demo/pace.ts';
import { planScenario } from '../../../src/tools/demo/scenario.ts';
import { createScreen, renderBlock, renderLine } from '../../../src/tools/demo/screen.ts';
import { demoSetup } from '../../../src/tools/demo/setup.ts';
import { expectationOf, judge, judgeStates } from '../../../src/tools/demo/verdict.ts';
import type { Evidence } from '../../../src/tools/demo/verdict.ts';
import { renderVerdict } from '../../../src/tools/demo/words.ts';

const TOPICS = { user: 'users', session: 'sessions', money: 'wallet' } as const;
const USER = '11111111-1111-4111-8111-111111111111';

const seen = (topic: string, offset: number, value: string, headers: Record<string, string> = {}): SeenRecord => ({
  topic,
  partition: 0,
  offset,
  timestamp: 1_700_000_000_000 + offset,
  key: Buffer.from(`"${USER}"`),
  value: Buffer.from(value),
  headers,
});

/** Two money events that came out, one duplicate of the first, one record that cannot be used. */
const expected: ModelResult = {
  outputs: [
    {
      partition: 0,
      offset: 0,
      userId: USER,
      key: `"${USER}"`,
      value: '{"amount":0.10}',
      incomplete: false,
      path: 'applied',
      waited: false,
    },
    {
      partition: 0,
      offset: 2,
      userId: USER,
      key: `"${USER}"`,
      value: '{"amount":7}',
      incomplete: false,
      path: 'lookup',
      waited: true,
    },
  ],
  duplicates: [{ partition: 0, offset: 1 }],
  deadLetters: [{ topic: 'money', partition: 0, offset: 3, reason: 'malformed' }],
  stillPending: [],
};

const inputs = [0, 1, 2, 3].map((offset) => seen('wallet', offset, offset === 3 ? 'not JSON' : '{}'));
const output = (offset: number, value: string, more: Record<string, string> = {}): SeenRecord =>
  seen('out', 10 + offset, value, { 'source-partition': '0', 'source-offset': String(offset), ...more });
const deadLetter = (more: Record<string, string> = {}): SeenRecord =>
  seen('dead', 0, 'not JSON', {
    reason: 'malformed',
    detail: 'x',
    'source-topic': 'wallet',
    'source-partition': '0',
    'source-offset': '3',
    'source-timestamp': '1700000000003',
    ...more,
  });
const good: Evidence = {
  topics: TOPICS,
  inputs,
  written: inputs,
  outputs: [output(2, '{"amount":7}'), output(0, '{"amount":0.10}')],
  deadLetters: [deadLetter()],
};

const verdictOf = (change: Partial<Evidence>): { ok: boolean; text: string } => {
  const verdict = judge(expected, { ...good, ...change });
  return { ok: verdict.ok, text: renderVerdict(verdict).join('\n') };
};

describe('the verdict', () => {
  it('is right when everything is there once, in any order', () => {
    const { ok, text } = verdictOf({});
    assert.equal(ok, true);
    assert.match(text, /right {2}2 money events had to come out \(of 4 records in wallet\): each did, exactly once/);
    assert.match(text, /\nRIGHT: every money event exactly once, every field right\./);
    assert.doesNotMatch(text, /WRONG/);
  });

  const [first, second] = [good.outputs[0]!, good.outputs[1]!];
  const wrong: [string, Partial<Evidence>, RegExp][] = [
    [
      'a digit is lost',
      { outputs: [first, output(0, '{"amount":0.1}')] },
      /1 output with wrong content[^]*is {8}key "1{8}-.*\{"amount":0\.1\}\n.*should be key .*\{"amount":0\.10\}/,
    ],
    [
      'an output is missing',
      { outputs: [first] },
      /1 missing, 0 more than once, 0 that should not be there[^]*missing: money 0\/0/,
    ],
    [
      'an output is there twice',
      { outputs: [first, second, second] },
      /0 missing, 1 more than once[^]*more than once: money 0\/0/,
    ],
    [
      'a duplicate came out',
      { outputs: [first, second, output(1, '{}')] },
      /WRONG {2}duplicates came out[^]*should not be there: money 0\/1/,
    ],
    [
      'an output says it is incomplete',
      { outputs: [first, output(0, '{"amount":0.10}', { enrichment: 'incomplete' })] },
      /1 output with wrong content/,
    ],
    ['the key is another', { outputs: [first, { ...second, key: Buffer.from(USER) }] }, /1 output with wrong content/],
    ['a dead letter is missing', { deadLetters: [] }, /dead letters: 1 missing/],
    [
      'a dead letter is there twice',
      { deadLetters: [deadLetter(), deadLetter()] },
      /dead letters: 0 missing, 1 more than once/,
    ],
    [
      'a dead letter has another reason',
      { deadLetters: [deadLetter({ reason: 'invalid' })] },
      /dead letters: .* 1 different/,
    ],
    [
      'a dead letter was changed',
      { deadLetters: [{ ...deadLetter(), value: Buffer.from('not json') }] },
      /dead letters: .* 1 different/,
    ],
    ['a dead letter has a null key', { deadLetters: [{ ...deadLetter(), key: null }] }, /dead letters: .* 1 different/],
  ];
  for (const [what, change, says] of wrong) {
    it(`is wrong when ${what}`, () => {
      const { ok, text } = verdictOf(change);
      assert.equal(ok, false);
      assert.match(text, says);
      assert.match(text, /\nWRONG: the output is not what it has to be\./);
    });
  }

  it('shows the first ten differences and the number of the others', () => {
    const outputs = Array.from({ length: 13 }, (_, index) => output(100 + index, '{}'));
    const { text } = verdictOf({ outputs: [...good.outputs, ...outputs] });
    assert.equal(text.match(/should not be there: /g)?.length, 10);
    assert.match(text, /and 3 others/);
  });

  it('asks the workflows as well', () => {
    const view = { counters: { moneyApplied: 2, published: 2, duplicatesDropped: 1 }, sizes: { pendingMoney: 0 } };
    assert.equal(judgeStates(expected, [view]).ok, true);
    assert.equal(judgeStates(expected, []).ok, false);
    assert.equal(judgeStates(expected, [{ ...view, sizes: { pendingMoney: 1 } }]).ok, false);
    assert.equal(judgeStates(expected, [{ ...view, counters: { ...view.counters, duplicatesDropped: 0 } }]).ok, false);
  });
});

/** The records of a scenario as Kafka would have them. */
function logsOf(events: number, users: number, seed: number, partitions: number): SeenRecord[] {
  const scenario = planScenario({ events, users, seed, start: Date.UTC(2026, 0, 1) });
  const offsets = new Map<string, number>();
  return paceOf(scenario.records, partitions, seed).slices.flatMap((slice) =>
    (['user', 'session', 'money'] as const).flatMap((input) =>
      slice.records[input].map(({ key, value, timestamp }): SeenRecord => {
        const partition = key === null ? 0 : partitionOf(key, partitions);
        const offset = offsets.get(`${input}/${partition}`) ?? 0;
        offsets.set(`${input}/${partition}`, offset + 1);
        const bytes = (data: Buffer | string | null) => (data === null ? null : Buffer.from(data as string));
        return {
          topic: TOPICS[input],
          partition,
          offset,
          timestamp: timestamp!,
          key: bytes(key),
          value: bytes(value),
          headers: {},
        };
      }),
    ),
  );
}

describe('the scenario', () => {
  for (const [events, users, seed, partitions] of [
    [3000, 100, 1, 4],
    [300, 20, 2, 2],
    [1000, 2, 3, 1],
  ] as const) {
    it(`has every case, and leaves nothing pending: ${events} events of ${users} users, seed ${seed}`, () => {
      const logs = logsOf(events, users, seed, partitions);
      const result = expectationOf(logs, TOPICS);
      assert.deepEqual(result.stillPending, []);
      const { deadLetters, ...cases } = casesOf(
        result,
        logs.filter(({ topic }) => topic === TOPICS.session),
      );
      for (const [name, count] of Object.entries(cases)) assert.ok(count > 0, `${name} does not occur`);
      if (events === 3000) {
        assert.deepEqual(Object.keys(deadLetters).sort(), [
          'future',
          'invalid',
          'key-mismatch',
          'malformed',
          'too-large',
          'unknown-type',
        ]);
      }
    });
  }

  it('is the same for the same seed, and has as many records as asked for', () => {
    const plan = (seed: number) => planScenario({ events: 500, users: 30, seed, start: Date.UTC(2026, 0, 1) });
    assert.deepEqual(plan(7), plan(7));
    assert.notDeepEqual(plan(7), plan(8));
    assert.equal(plan(7).records.length, 500);
  });

  it('gives every partition of every topic something to read in every beat', () => {
    const { slices } = paceOf(
      planScenario({ events: 240, users: 10, seed: 1, start: Date.UTC(2026, 0, 1) }).records,
      3,
      1,
    );
    assert.equal(slices.length, 41);
    for (const { records } of slices) {
      for (const own of Object.values(records)) {
        const partitions = new Set(own.filter(({ key }) => key !== null).map(({ key }) => partitionOf(key!, 3)));
        assert.equal(partitions.size, 3);
      }
    }
  });

  it('is written in the order of merged reading: by timestamp, then user, session, money', async () => {
    const { records } = planScenario({ events: 200, users: 10, seed: 1, start: Date.UTC(2026, 0, 1) });
    const pace = { ...paceOf(records, 1, 1), interval: 0 };
    const order: string[] = [];
    await sendPaced(
      pace,
      async (input, part) => {
        for (const { timestamp } of part) order.push(`${timestamp} ${['user', 'session', 'money'].indexOf(input)}`);
      },
      () => undefined,
      new AbortController().signal,
    );
    assert.equal(order.length, pace.total);
    assert.deepEqual(order, [...order].sort());
  });
});

describe('the setup', () => {
  it('uses the default rules and names, whatever is configured', () => {
    const { config, productEnv, shared } = demoSetup(
      { ENRICHMENT_SESSION_TTL: '5m', ENRICHMENT_WALLET_TOPIC: 'mine', ENRICHMENT_APP_ID: 'mine' },
      'abc',
    );
    assert.equal(config.sessionTtl, 86_400_000);
    assert.equal(config.topics.money, 'wallet-events');
    assert.equal(productEnv['ENRICHMENT_SESSION_TTL'], '1d');
    assert.equal(productEnv['ENRICHMENT_APP_ID'], 'money-enrichment');
    assert.equal(shared, false);
  });

  it('touches nothing of a configured cluster: names of its own', () => {
    for (const env of [{ KAFKA_BROKERS: 'kafka:9092' }, { TEMPORAL_ADDRESS: 'temporal:7233' }]) {
      const { config, productEnv, shared, naming } = demoSetup(env, 'abc');
      assert.equal(shared, true);
      assert.equal(config.appId, 'demo-abc');
      assert.equal(config.topics.money, 'demo-abc-wallet-events');
      assert.equal(config.topics.output, 'demo-abc-money-enriched-events');
      assert.equal(productEnv['ENRICHMENT_OUTPUT_TOPIC'], 'demo-abc-money-enriched-events');
      assert.equal(naming['ENRICHMENT_APP_ID'], 'demo-abc');
    }
  });

  it('has values in Avro where these are configured, with its own names for fields and subjects', () => {
    const { config, productEnv } = demoSetup(
      {
        ENRICHMENT_VALUE_FORMAT: 'avro',
        ENRICHMENT_WALLET_READER_SCHEMA: '/nowhere.avsc',
        SCHEMA_REGISTRY_SUBJECT: 'mine',
      },
      'abc',
    );
    assert.equal(config.valueFormat, 'avro');
    assert.equal(config.schemaRegistry, undefined);
    assert.deepEqual(config.readerSchemas, {});
    assert.equal(productEnv['SCHEMA_REGISTRY_SUBJECT'], '');
  });

  it('never asks a configured session service', () => {
    assert.equal(
      demoSetup({ ENRICHMENT_SESSION_SERVICE_URL: 'http://sessions:80' }, 'abc').config.sessionServiceUrl,
      undefined,
    );
    // Nor is the stand-in asked as that one wants to be: with TLS and a token.
    const { productEnv } = demoSetup(
      {
        ENRICHMENT_SESSION_SERVICE_URL: 'https://sessions',
        ENRICHMENT_SESSION_SERVICE_TOKEN: 'secret',
        ENRICHMENT_SESSION_SERVICE_SSL_CA: '/nowhere/ca.pem',
      },
      'abc',
    );
    assert.equal(productEnv['ENRICHMENT_SESSION_SERVICE_TOKEN'], '');
    assert.equal(productEnv['ENRICHMENT_SESSION_SERVICE_SSL_CA'], '');
  });
});

describe('the live view', () => {
  const figures: Figures = {
    sent: 1746,
    total: 3492,
    eventTime: Date.UTC(2026, 0, 2, 8, 30),
    held: 52,
    signals: 430,
    signalledEvents: 1234,
    late: 7,
    enriched: 900,
    enrichedPerSecond: 41.4,
    sentPerSecond: 60,
    duplicates: 61,
    pending: 4,
    lookups: 30,
    deadLetters: 12,
  };

  it('is one line without a terminal', () => {
    assert.equal(
      renderLine(figures),
      'in 1,746/3,492 (60/s), held 52, signalled 1,234 in 430, enriched 900 (41/s), duplicates 61, pending 4, lookups 30, dead letters 12, late 7, event time 2026-01-02 08:30',
    );
  });

  it('is a block on a terminal, in colour only where that is wanted', () => {
    const block = renderBlock(figures, false);
    assert.equal(block[0], `  ${'#'.repeat(15)}${'.'.repeat(15)}  event time 2026-01-02 08:30`);
    assert.equal(block[1], '  in                 1,746  of 3,492 records, 60/s');
    assert.ok(block.every((line) => line.length < 72 && !line.includes('\u001b')));
    assert.ok(renderBlock(figures, true).some((line) => line.includes('\u001b[1m')));
  });

  const screenOn = (isTTY: boolean, env: NodeJS.ProcessEnv) => {
    let written = '';
    let now = 0;
    const stream = { isTTY, columns: 100, write: (text: string) => (written += text) } as unknown as NodeJS.WriteStream;
    return {
      screen: createScreen({ stream, env, now: () => now }),
      written: () => written,
      wait: (ms: number) => (now += ms),
    };
  };

  it('writes plain lines every two seconds where there is no terminal', () => {
    const { screen, written, wait } = screenOn(false, {});
    for (let i = 0; i < 9; i += 1, wait(500)) screen.show(figures);
    screen.log('something happened');
    assert.equal(written().match(/^in /gm)?.length, 3);
    assert.match(written(), /something happened\n$/);
    assert.ok(!written().includes('\u001b'));
  });

  it('redraws the block in place, below the lines that stay, and without colour under NO_COLOR', () => {
    const { screen, written } = screenOn(true, { NO_COLOR: '1' });
    screen.show(figures);
    screen.log('something happened');
    assert.match(written(), /\u001b\[11A/, 'back over the block and the empty lines around it');
    assert.doesNotMatch(written(), /\u001b\[\d*m/);
    assert.ok(written().lastIndexOf('in   ') > written().indexOf('something happened'));
  });

  it('draws nothing on a terminal that cannot', () => {
    assert.ok(
      !(() => {
        const { screen, written } = screenOn(true, { TERM: 'dumb' });
        screen.show(figures);
        return written();
      })().includes('\u001b'),
    );
  });
});

test('metrics are summed over their labels, and only of that name', () => {
  const text = '# TYPE a_total counter\na_total{x="1"} 2\na_total{x="2"} 3\na_total_more 7\na 9\n';
  assert.equal(metricSum(text, 'a_total'), 5);
  assert.equal(metricSum(text, 'missing'), 0);
});

test('speed is that of the last seconds', () => {
  const speed = new Speed();
  assert.equal(speed.at(0, 0), 0);
  assert.equal(speed.at(100, 1_000), 100);
  for (let second = 2; second <= 10; second += 1) speed.at(100, second * 1_000);
  assert.equal(speed.at(100, 11_000), 0);
});
