import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asCalled } from '../../src/cli/called-as.ts';
import { nextOf, nextOfFinding } from '../../src/cli/next.ts';
import { acceptCommand } from '../../src/money/bridge/settings.ts';

test('a command that the message names comes first', () => {
  const message = 'the topic "x" does not exist: create it with "money-enrichment topics"';
  assert.equal(nextOf('TOPIC', message, 'dead-letters'), 'money-enrichment topics');
  // Where a log goes on is a person's decision: no command that decides it stands there.
  const accept = `decide: ${acceptCommand(['a'])}`;
  assert.equal(nextOf('LOG_CHANGED', accept, 'bridge'), 'money-enrichment doctor');
});

test('a wrong variable is for doctor, a wrong command line for its help', () => {
  assert.equal(nextOf('CONFIG', 'KAFKA_BROKERS is not set: expected x', 'topics'), 'money-enrichment doctor');
  assert.equal(nextOf('CONFIG', '/app/.env: cannot be read', 'topics'), 'money-enrichment doctor');
  assert.equal(nextOf('CONFIG', '--id "x": expected y', 'dead-letters'), 'money-enrichment dead-letters --help');
  assert.equal(nextOf('USAGE', "unknown command 'x'", undefined), 'money-enrichment --help');
});

test('doctor does not send to doctor', () => {
  for (const code of ['CONFIG', 'CHECK_FAILED'] as const) {
    assert.doesNotMatch(nextOf(code, 'KAFKA_BROKERS is not set', 'doctor'), /money-enrichment doctor/);
  }
});

test('a check of doctor says what to do, unless all is well', () => {
  const topic = { subject: 'topic x', message: 'retention.ms is 5: too short' };
  assert.equal(nextOfFinding({ ...topic, level: 'ok' }), null);
  assert.match(nextOfFinding({ ...topic, level: 'warning' }) ?? '', /^change the topic's settings/);
  const missing = { subject: 'topic x', message: 'it does not exist: create it with "money-enrichment topics"' };
  assert.equal(nextOfFinding({ ...missing, level: 'failed' }), 'money-enrichment topics');
});

test('under the other name commands have it, and nothing else', () => {
  const called = (text: string) => asCalled(text, 'temporal enrichment');
  assert.equal(called('run "money-enrichment topics --shards 4"'), 'run "temporal enrichment topics --shards 4"');
  assert.equal(called('npx money-enrichment state x'), 'temporal enrichment state x');
  assert.equal(called('see money-enrichment --help'), 'see temporal enrichment --help');
  assert.equal(
    called('the workflow "money-enrichment/1" of money-enrichment'),
    'the workflow "money-enrichment/1" of money-enrichment',
  );
  assert.equal(called('money-enrichment topics-x'), 'money-enrichment topics-x');
});
