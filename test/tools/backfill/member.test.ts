import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { BackfillLookups } from '../../../src/tools/backfill/lookups.ts';
import { runMember, type MemberSettings } from '../../../src/tools/backfill/member.ts';
import { readStatus } from '../../../src/tools/backfill/status.ts';
import { Written } from '../../../src/tools/backfill/written.ts';
import { encodeOutput } from '../../../src/money/codec/output-record.ts';
import { INPUTS } from '../../../src/money/domain/events.ts';
import { DEFAULT_SETTINGS } from '../../../src/money/model/model.ts';
import { systemClock } from '../../../src/engine/clock.ts';
import { partitionOf } from '../../../src/engine/kafka/partitioner.ts';
import { silentLogger } from '../../../src/engine/log.ts';
import { jsonDecoders } from '../../../src/engine/values/value.ts';
import { KafkaInMemory } from '../../../src/library/testing/kafka/kafka-in-memory.ts';
import { trafficOptions } from '../../../src/tools/generate/options.ts';
import { eventually } from '../../support/eventually.ts';
import { expectedOf, trafficLogs, type Logs } from './given.ts';

const PARTITIONS = 4;
const TOPICS = ['users', 'sessions', 'money'];
/** Waits are short here. */
const clock = { ...systemClock, sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 20, signal) };

const traffic = () =>
  trafficLogs(
    trafficOptions({
      users: 40,
      events: 2_000,
      seed: 7,
      start: Date.UTC(2026, 0, 1),
      disorder: 15_000,
      late: 0,
      pending: 0,
    }),
  );

/** The records of one partition. */
const only = (logs: Logs, partition: number): Logs => {
  const own = (input: (typeof INPUTS)[number]) =>
    logs[input]
      .filter(({ key }) => partitionOf(key ?? '', PARTITIONS) === partition)
      .map((record, offset) => ({ ...record, partition, offset }));
  return { user: own('user'), session: own('session'), money: own('money') };
};

function given(t: TestContext) {
  const kafka = new KafkaInMemory();
  for (const topic of TOPICS) kafka.createTopic(topic, PARTITIONS);
  kafka.createTopic('again', 2);
  const parts = Array.from({ length: PARTITIONS }, (_, partition) => only(traffic(), partition));
  for (const [partition, logs] of parts.entries()) {
    for (const [index, input] of INPUTS.entries()) {
      for (const record of logs[input]) kafka.append(TOPICS[index]!, partition, record);
    }
  }
  const { sessionTtl, dedupTtl, pendingTimeout, outOfOrderness, maxRecordBytes, maxFutureSkew } = DEFAULT_SETTINGS;
  const settings: MemberSettings = {
    appId: 'enrichment',
    groupId: 'enrichment-backfill-again',
    inputTopics: TOPICS,
    partitions: PARTITIONS,
    outputTopic: 'again',
    outputPartitions: 2,
    window: { from: -Infinity, to: Infinity },
    rules: { sessionTtl, dedupTtl, pendingTimeout, lookupGiveUpAfter: 600_000 },
    outOfOrderness,
    limits: { maxRecordBytes, maxFutureSkew },
    identity: 'the same',
  };
  const port = kafka.port('backfill');
  const said: string[] = [];
  const stopping = new AbortController();
  t.after(() => stopping.abort());
  const start = (): Promise<void> =>
    runMember(
      settings,
      {
        kafka: port,
        clock,
        logger: silentLogger(),
        lookups: new BackfillLookups({
          service: { get: async (sessionId) => ({ sessionId, status: 'found', clientCountryCode: 'UY' }) },
          clock,
          giveUpAfter: 600_000,
        }),
        written: new Written(port, 'again', 'look'),
        encode: encodeOutput,
        decoders: jsonDecoders,
        say: (line) => said.push(line),
      },
      stopping.signal,
    );
  const places = () =>
    [0, 1]
      .flatMap((partition) => kafka.committed('again', partition))
      .map(({ allHeaders: h }) => `${String(h['source-partition'])}/${String(h['source-offset'])}`)
      .sort();
  const expected = parts
    .flatMap((logs, partition) =>
      expectedOf(logs, {}, () => 'UY').outputs.map(({ offset }) => `${partition}/${offset}`),
    )
    .sort();
  return { kafka, start, said, places, expected, done: async () => (await readStatus(port, settings)).partitionsDone };
}

test('a partition without a leader waits by itself: the others are done, and people are told', async (t) => {
  const { kafka, start, said, places, expected, done } = given(t);
  kafka.setLeaderless('sessions', 2, true);
  const running = start();
  await eventually('the others are done', async () => (await done()) === 3);
  assert.deepEqual(
    places(),
    expected.filter((place) => !place.startsWith('2/')),
  );
  assert.match(said.join('\n'), /^partition 2 waits, the others go on: sessions-2: LEADER_NOT_AVAILABLE$/);
  kafka.setLeaderless('sessions', 2, false);
  await running;
  assert.deepEqual(places(), expected);
  assert.equal(said.at(-1), 'partition 2 goes on');
});

test('partitions that lose their leaders while they are read leave their turn to others', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { kafka, start, said, places, expected, done } = given(t);
  kafka.fetchSize = 10;
  // With their first transaction, the two that are first to have one lose their leaders.
  const lost = new Set<number>();
  kafka.intercept = ({ api, transactionalId }) => {
    if (api !== 'sendOffsets' || lost.size === 2) return;
    const partition = Number(transactionalId.split('-').at(-1));
    lost.add(partition);
    kafka.setLeaderless('money', partition, true);
  };
  const running = start();
  await eventually('two of them are done', async () => {
    t.mock.timers.tick(5_000);
    return (await done()) === 2;
  });
  const ofOthers = (list: string[]) => list.filter((place) => !lost.has(Number(place.split('/')[0])));
  assert.equal(lost.size, 2);
  assert.deepEqual(ofOthers(places()), ofOthers(expected));
  assert.ok(places().length < expected.length);
  assert.deepEqual(
    said.toSorted(),
    [...lost].sort().map((partition) => `partition ${partition} waits, the others go on: money: it has no leader`),
  );
  for (const partition of lost) kafka.setLeaderless('money', partition, false);
  await running;
  assert.deepEqual(places(), expected);
});

test('a partition that cannot be written is tried again, and nothing is written twice', async (t) => {
  const { kafka, start, said, places, expected } = given(t);
  let commits = 0;
  kafka.intercept = ({ api, transactionalId }, when) => {
    if (api !== 'commit' || !transactionalId.endsWith('-1')) return;
    commits += 1;
    // Before it, and after it: the second is committed, and nobody hears of it.
    if (commits === 1 || (commits > 2 && commits < 5 && when === 'after')) throw new Error('the broker is away');
  };
  await start();
  assert.deepEqual(places(), expected);
  assert.ok(commits > 3, `${commits}`);
  assert.match(said.join('\n'), /partition 1 waits, the others go on: the broker is away\npartition 1 goes on/);
  assert.equal(
    said.some((line) => line.includes('joins')),
    false,
  );
});
