import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeTopics } from '../../../src/money/topics/judge-topics.ts';
import type { TopicState } from '../../../src/money/topics/topic-state.ts';
import { config, good } from './given.ts';

const fitting: Readonly<Record<string, TopicState>> = {
  user: good(),
  session: good(),
  money: good(),
  out: good(),
  dead: good({ 'max.message.bytes': '2000' }),
  'out-ledger': good({ 'cleanup.policy': 'compact' }),
};
const findings = (changed: Readonly<Record<string, TopicState>>) =>
  judgeTopics(config, new Map(Object.entries({ ...fitting, ...changed })));

test('an unbounded future of timestamps is wrong, an old broker without the setting is not', () => {
  const level = (value: string | undefined) =>
    findings({ money: good({ 'message.timestamp.after.max.ms': value as never }) }).map((finding) => finding.level);
  assert.deepEqual(
    [level('3600001'), level(undefined), level('3600000'), level('60000')],
    [['wrong'], ['weak'], [], []],
  );
});

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
    const found = judgeTopics(
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
    judgeTopics({ topics: config.topics, maxRecordBytes: 1_000 }, new Map([['out', state]])).map(({ level, topic }) => [
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
