import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, missingTopics } from '../../../src/money/topics/topics.ts';
import type { TopicState } from '../../../src/money/topics/topics.ts';

const topics = {
  user: 'user',
  session: 'session',
  money: 'money',
  output: 'out',
  deadLetter: 'dead',
  ledger: 'out-ledger',
};
const config = { topics, maxRecordBytes: 1_000 };
const settingsOf = (
  creation: { configEntries?: { name: string; value: string }[] } | undefined,
): Record<string, string> =>
  Object.fromEntries((creation?.configEntries ?? []).map(({ name, value }) => [name, value]));
const good = (settings: Record<string, string> = {}, partitions = 4, replicas = 3): TopicState => ({
  partitions,
  replicas,
  settings: {
    'cleanup.policy': 'delete',
    'max.message.bytes': '1000',
    'min.insync.replicas': '2',
    'unclean.leader.election.enable': 'false',
    'message.timestamp.after.max.ms': '3600000',
    ...settings,
  },
});
const missing = (options: Parameters<typeof missingTopics>[1], existing: Record<string, number> = {}, brokers = 1) => {
  const states = Object.entries(existing).map(([topic, partitions]) => [topic, good({}, partitions)] as const);
  const creations = missingTopics(config, options, new Map(states), brokers);
  return new Map(creations.map((creation) => [creation.topic, { ...creation, settings: settingsOf(creation) }]));
};

test('all topics are created, inputs alike and the ledger like the output', () => {
  const created = missing({ partitions: 6, shards: 3 });
  assert.deepEqual(
    [...created.values()].map(({ topic, numPartitions }) => [topic, numPartitions]),
    [
      ['money', 6],
      ['user', 6],
      ['session', 6],
      ['out', 3],
      ['dead', 6],
      ['out-ledger', 3],
    ],
  );
});

test('what exists decides the partitions of what belongs to it', () => {
  const created = missing({ partitions: 6, shards: 3 }, { user: 12, out: 8 });
  assert.deepEqual(
    [...created.values()].map(({ topic, numPartitions }) => [topic, numPartitions]),
    [
      ['money', 12],
      ['session', 12],
      ['dead', 12],
      ['out-ledger', 8],
    ],
  );
});

test('the ledger is compacted and never deletes', () => {
  const settings = missing({ partitions: 1 }).get('out-ledger')?.settings ?? {};
  assert.equal(settings['cleanup.policy'], 'compact');
  assert.equal(settings['segment.ms'], '3600000');
  assert.equal(settings['max.compaction.lag.ms'], '86400000');
});

test('a dead letter has room for the largest input record and its headers', () => {
  const created = missing({ partitions: 1 });
  const bytes = (topic: string): number => Number(created.get(topic)?.settings['max.message.bytes']);
  assert.ok(bytes('dead') > bytes('money'));
  assert.ok(bytes('money') > config.maxRecordBytes);
});

test('dead letters have room for what an existing input takes', () => {
  const state: TopicState = { partitions: 1, replicas: 1, settings: { 'max.message.bytes': '16777216' } };
  const [dead] = missingTopics(config, { partitions: 1 }, new Map([['user', state]]), 1).filter(
    ({ topic }) => topic === 'dead',
  );
  assert.ok(Number(settingsOf(dead)['max.message.bytes']) > 16_777_216);
});

test('replicas follow the brokers, up to three', () => {
  const replicas = (brokers: number) => {
    const created = missing({ partitions: 1 }, {}, brokers).get('out');
    return [
      created?.replicationFactor,
      created?.settings['min.insync.replicas'],
      created?.settings['unclean.leader.election.enable'],
    ];
  };
  assert.deepEqual(replicas(1), [1, '1', 'false']);
  assert.deepEqual(replicas(2), [2, '1', 'false']);
  assert.deepEqual(replicas(5), [3, '2', 'false']);
});

test('inputs take no timestamp that is more than an hour ahead of the broker, also where records are kept for ever', () => {
  for (const keepForever of [false, true]) {
    const created = missing({ partitions: 1, keepForever });
    for (const topic of ['user', 'session', 'money']) {
      assert.equal(created.get(topic)?.settings['message.timestamp.after.max.ms'], '3600000');
    }
  }
});

test('an unbounded future of timestamps is wrong, an old broker without the setting is not', () => {
  const level = (value: string | undefined) =>
    findings({ money: good({ 'message.timestamp.after.max.ms': value as never }) }).map((finding) => finding.level);
  assert.deepEqual(
    [level('3600001'), level(undefined), level('3600000'), level('60000')],
    [['wrong'], ['weak'], [], []],
  );
});

test('only topics that keep for ever get a retention of their own', () => {
  assert.equal(missing({ partitions: 1 }).get('money')?.settings['retention.ms'], undefined);
  assert.equal(missing({ partitions: 1, keepForever: true }).get('money')?.settings['retention.ms'], '-1');
  assert.equal(
    missing({ partitions: 1, keepForever: true }).get('money')?.settings['message.timestamp.type'],
    'CreateTime',
  );
});

test('dead letters, which are whole records, are kept for 14 days', () => {
  assert.equal(missing({ partitions: 1 }).get('dead')?.settings['retention.ms'], '1209600000');
  assert.equal(missing({ partitions: 1, keepForever: true }).get('dead')?.settings['retention.ms'], '-1');
});

const fitting: Readonly<Record<string, TopicState>> = {
  user: good(),
  session: good(),
  money: good(),
  out: good(),
  dead: good({ 'max.message.bytes': '2000' }),
  'out-ledger': good({ 'cleanup.policy': 'compact' }),
};
const findings = (changed: Readonly<Record<string, TopicState>>) =>
  judge(config, new Map(Object.entries({ ...fitting, ...changed })));

test('topics that fit have no findings', () => {
  assert.deepEqual(findings({}), []);
});

for (const [what, changed, topic, message] of [
  ['inputs of different partition counts', { user: good({}, 3) }, 'money', /money has 4, user has 3, session has 4/],
  ['a compacted input', { session: good({ 'cleanup.policy': 'compact,delete' }) }, 'session', /removes events/],
  ['a compacted output', { out: good({ 'cleanup.policy': 'compact' }) }, 'out', /set it to "delete"/],
  [
    'a ledger that deletes',
    { 'out-ledger': good({ 'cleanup.policy': 'compact,delete' }) },
    'out-ledger',
    /forgets users/,
  ],
  [
    'a ledger of other size than the output',
    { 'out-ledger': good({ 'cleanup.policy': 'compact' }, 2) },
    'out-ledger',
    /has 2 partitions and out has 4/,
  ],
  [
    'unclean leader election',
    { out: good({ 'unclean.leader.election.enable': 'true' }) },
    'out',
    /committed records can vanish/,
  ],
  ['one in-sync replica of three', { out: good({ 'min.insync.replicas': '1' }) }, 'out', /set it to 2/],
  [
    'an input that takes timestamps of any future: a clock that is ahead makes its partition late',
    { money: good({ 'message.timestamp.after.max.ms': '9223372036854775807' }) },
    'money',
    /set it to 3600000/,
  ],
  [
    'an input whose broker knows no bound on timestamps',
    { user: good({ 'message.timestamp.after.max.ms': undefined as never }) },
    'user',
    /came with Kafka 3.6/,
  ],
  [
    'time of appending on an input',
    { money: good({ 'message.timestamp.type': 'LogAppendTime' }) },
    'money',
    /LogAppendTime/,
  ],
] as const) {
  test(`found: ${what}`, () => {
    const found = findings(changed as Record<string, TopicState>);
    assert.deepEqual(
      found.map((finding) => finding.topic),
      [topic],
    );
    assert.match(found[0]?.message ?? '', message);
  });
}

for (const policy of ['compact', 'compact,delete']) {
  test(`a dead-letter topic with cleanup.policy=${policy} is wrong: it takes no record without a key`, () => {
    const state = (settings: Record<string, string>) => ({ partitions: 1, replicas: 1, settings });
    const found = judge(
      { topics: config.topics },
      new Map([['dead', state({ 'cleanup.policy': policy, 'max.message.bytes': '1000' })]]),
    );
    assert.deepEqual(
      found.map(({ level, topic }) => [level, topic]),
      [['wrong', 'dead']],
    );
  });
}

test('an output topic that takes less than one record may have is weak', () => {
  const state = { partitions: 1, replicas: 1, settings: { 'cleanup.policy': 'delete', 'max.message.bytes': '999' } };
  assert.deepEqual(
    judge({ topics: config.topics, maxRecordBytes: 1_000 }, new Map([['out', state]])).map(({ level, topic }) => [
      level,
      topic,
    ]),
    [['weak', 'out']],
  );
});

test('a dead-letter topic that takes less than the inputs is weak: larger letters are cut, nothing stops', () => {
  assert.deepEqual(
    findings({ dead: good() }).map(({ level, topic }) => [level, topic]),
    [['weak', 'dead']],
  );
  assert.match(
    findings({ dead: good() })[0]!.message,
    /max\.message\.bytes is 1000, .* is written with its value cut; set it to 66536$/,
  );
});
