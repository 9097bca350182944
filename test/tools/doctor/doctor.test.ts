import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfiguration } from '../../../src/tools/doctor/configuration.ts';
import { topicFindings } from '../../../src/tools/doctor/kafka.ts';
import { checkProgram, nodeVersion } from '../../../src/tools/doctor/program.ts';
import { versionOf } from '../../../src/money/topics/inspect.ts';
import type { ClusterReport } from '../../../src/money/topics/inspect.ts';

const nothing = { HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent' };

test('Node 20.12 and newer will do', () => {
  for (const version of ['20.12.0', '20.20.2', '22.0.0', '24.1.0']) {
    assert.equal(nodeVersion(version).level, 'ok', version);
  }
  for (const version of ['20.11.1', '18.20.0']) assert.equal(nodeVersion(version).level, 'failed', version);
});

test('what is installed here fits', () => {
  assert.deepEqual(
    checkProgram().map(({ subject, level }) => [subject, level]),
    [
      ['Node', 'ok'],
      ['kafkajs', 'ok'],
      ['Temporal SDK', 'ok'],
    ],
  );
});

test('the configuration is shown with its secrets masked', () => {
  const { findings, problems, config } = checkConfiguration({
    ...nothing,
    KAFKA_BROKERS: 'a:1',
    KAFKA_SASL_MECHANISM: 'plain',
    KAFKA_SASL_USERNAME: 'me',
    KAFKA_SASL_PASSWORD: 'hunter2',
    TEMPORAL_ADDRESS: 'b:2',
    TEMPORAL_API_KEY: 'hunter3',
    ENRICHMENT_SESSION_SERVICE_URL: 'http://c',
  });
  assert.deepEqual(problems, []);
  assert.equal(config?.kafka?.brokers[0], 'a:1');
  assert.deepEqual(findings, [
    {
      level: 'ok',
      subject: 'configuration',
      message:
        'ENRICHMENT_SESSION_SERVICE_URL="http://c" KAFKA_BROKERS="a:1" KAFKA_SASL_MECHANISM="plain" KAFKA_SASL_PASSWORD="***" ' +
        'KAFKA_SASL_USERNAME="me" TEMPORAL_ADDRESS="b:2" TEMPORAL_API_KEY="***"',
    },
  ]);
});

test('what is only missing leaves the other checks possible, what is wrong does not', () => {
  assert.notEqual(checkConfiguration(nothing).config, undefined);
  assert.equal(checkConfiguration(nothing).problems.length, 3);
  assert.equal(checkConfiguration({ ...nothing, ENRICHMENT_DEDUP_TTL: 'x' }).config, undefined);
});

test('topics: missing, fitting, and the counts that must be equal', () => {
  const topics = { user: 'u', session: 's', money: 'm', output: 'o', deadLetter: 'd', ledger: 'o-ledger' };
  const state = (partitions: number) => ({ partitions, replicas: 3, settings: { 'cleanup.policy': 'delete' } });
  const report: ClusterReport = {
    clusterId: 'c',
    brokers: 3,
    version: '4.1 or newer',
    verifiesTransactions: true,
    topics: new Map([
      ['u', state(4)],
      ['s', state(4)],
      ['m', state(4)],
      ['o', state(8)],
      ['o-ledger', state(4)],
    ]),
    missing: ['d'],
    findings: [{ topic: 'o-ledger', level: 'wrong', message: 'unequal' }],
  };
  assert.deepEqual(
    topicFindings({ topics }, report).map(({ level, subject }) => `${level} ${subject}`),
    [
      'ok topic u',
      'ok topic s',
      'ok topic m',
      'ok topic o',
      'failed topic d',
      'failed topic o-ledger',
      'ok co-partitioning',
    ],
  );
});

test('the release of a broker is told by the requests that it knows', () => {
  const versions = (produceMin: number, fetchMax: number) => ({
    0: { minVersion: produceMin, maxVersion: 9 },
    1: { minVersion: 0, maxVersion: fetchMax },
  });
  assert.deepEqual(versionOf(versions(3, 18)), { name: '4.1 or newer', verifies: true });
  assert.deepEqual(versionOf(versions(3, 17)), { name: '4.0', verifies: true });
  assert.deepEqual(versionOf(versions(0, 17)), { name: '3.9', verifies: true });
  assert.deepEqual(versionOf(versions(0, 12)), { name: 'older than 3.1', verifies: false });
});

test('the address of the schema registry is shown without its name and password', () => {
  const { findings } = checkConfiguration({
    ...nothing,
    KAFKA_BROKERS: 'a:1',
    TEMPORAL_ADDRESS: 'b:2',
    ENRICHMENT_SESSION_SERVICE_URL: 'http://c',
    ENRICHMENT_VALUE_FORMAT: 'avro',
    SCHEMA_REGISTRY_URL: 'https://me:hunter%402@registry/x',
  });
  const text = findings.map(({ message }) => message).join('\n');
  assert.match(text, /SCHEMA_REGISTRY_URL="https:\/\/\*\*\*@registry\/x"/);
  assert.doesNotMatch(text, /hunter|me:/);
});
