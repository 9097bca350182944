import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import { objectionTo, putBack } from '../../../src/tools/dead-letters/retry.ts';
import type { Circumstances } from '../../../src/tools/dead-letters/retry.ts';
import type { DeadLetter } from '../../../src/tools/dead-letters/read.ts';
import type { KafkaPort, OutRecord } from '../../../src/engine/kafka/port.ts';

const USER = '0a7f5c36-6d0c-4f6e-9a52-0f8f1d3b2c11';
const NOW = 1_769_853_600_000;
const topics = { user: 'u', session: 's', money: 'm', output: 'o', deadLetter: 'd', ledger: 'o-ledger' };
const config = { appId: 'app', topics, maxRecordBytes: 1000, maxFutureSkew: 3_600_000 };

function closed(processedAt: string): Buffer {
  return Buffer.from(
    JSON.stringify({ type: 'UserSessionClosedEvent', id: USER, userId: USER, processedAt, reason: 'r' }),
  );
}

function letter(change: Partial<DeadLetter> = {}): DeadLetter {
  return {
    partition: 0,
    offset: 7,
    reason: 'future',
    detail: 'processedAt: ...',
    source: { topic: 's', partition: 1, offset: 42, timestamp: NOW - 86_400_000 },
    key: Buffer.from(USER),
    value: closed('2026-01-31T10:00:00Z'),
    ...change,
  };
}

const circumstances: Circumstances = {
  config,
  retried: [[]],
  partitions: new Map([
    ['u', 2],
    ['s', 2],
    ['m', 2],
  ]),
  now: NOW,
  force: false,
};

test('a record whose time has come is fit to go back', () => {
  assert.equal(objectionTo(letter(), circumstances), null);
});

test('a record that would only come back is refused, unless forced', () => {
  const later = letter({ value: closed('2026-01-31T11:00:00.001Z') });
  assert.equal(
    objectionTo(later, circumstances),
    "it would only come back as future: processedAt: 3600001 ms after the record's timestamp, expected at most 3600000 (--force does it all the same)",
  );
  assert.equal(objectionTo(later, { ...circumstances, force: true }), null);
  const tooLarge = letter({ value: Buffer.alloc(1001), reason: 'too-large' });
  assert.match(objectionTo(tooLarge, circumstances) ?? '', /^it would only come back as too-large/);
  assert.match(objectionTo(letter({ key: null }), circumstances) ?? '', /^it would only come back as key-mismatch/);
});

test('a record that was put back before is refused, unless forced', () => {
  const before = { ...circumstances, retried: [[7, 8]] };
  assert.equal(objectionTo(letter(), before), 'it was put back before (--force does it again)');
  assert.equal(objectionTo(letter(), { ...before, force: true }), null);
  assert.equal(objectionTo(letter({ offset: 8 }), before), null);
});

test('a record of a topic or partition that is not there is refused, forced or not', () => {
  for (const force of [false, true]) {
    const source = letter().source;
    assert.equal(
      objectionTo(letter({ source: { ...source, topic: 'old' } }), { ...circumstances, force }),
      '"old" is no input topic of this configuration',
    );
    assert.equal(
      objectionTo(letter({ source: { ...source, partition: 2 } }), { ...circumstances, force }),
      's has no partition 2',
    );
  }
});

test('with the timestamp that it had, a record is judged by that one', () => {
  const kept = { ...circumstances, keepTimestamp: true };
  assert.match(objectionTo(letter(), kept) ?? '', /^it would only come back as future: processedAt: 86400000 ms after/);
  const { source } = letter();
  assert.equal(objectionTo(letter({ source: { ...source, timestamp: NOW } }), kept), null);
  for (const odd of [{ timestamp: -1 }, { timestamp: 1.7698536e18, timestampText: '1769853600000000001' }]) {
    assert.match(
      objectionTo(letter({ source: { ...source, ...odd } }), kept) ?? '',
      /^its timestamp .* cannot be kept/,
    );
  }
});

/** What kafkajs throws for records that a topic does not take. */
const INVALID = Object.assign(new Error('The timestamp is out of bounds'), { type: 'INVALID_TIMESTAMP' });

interface Sent {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly OutRecord[];
}

/**
 * What a transaction holds becomes visible at its commit. `failing`: the number of the commit that fails; `leaderless`: a place whose
 * leader is away; `refused`: a record that its topic does not take.
 */
function fakeKafka({
  failing = 0,
  leaderless,
  refused,
}: { failing?: number; leaderless?: string; refused?: (record: OutRecord) => boolean } = {}) {
  const notes = new Map<number, string>();
  const committed: { readonly sent: readonly Sent[] }[] = [];
  let commits = 0;
  const port = {
    async committedOffsets(groupId: string, partitions: readonly { topic: string; partition: number }[]) {
      assert.equal(groupId, 'app-dead-letters-retried');
      return partitions.map(({ topic, partition }) => ({
        topic,
        partition,
        offset: 0,
        metadata: notes.get(partition) ?? '',
      }));
    },
    async fence(id: string) {
      assert.equal(id, 'app-dead-letters-retried');
      return {
        async begin() {
          const sent: Sent[] = [];
          const staged: { partition: number; metadata: string }[] = [];
          return {
            async send(topic: string, partition: number, records: readonly OutRecord[]) {
              if (`${topic}/${partition}` === leaderless) throw new CodedError('KAFKA', 'LEADER_NOT_AVAILABLE');
              if (refused !== undefined && records.some(refused)) {
                throw new CodedError('KAFKA', 'INVALID_TIMESTAMP', { cause: INVALID });
              }
              sent.push({ topic, partition, records });
              return 0;
            },
            async sendOffsets(groupId: string, offsets: readonly { partition: number; metadata: string }[]) {
              assert.equal(groupId, 'app-dead-letters-retried');
              staged.push(...offsets);
            },
            async commit() {
              if (++commits === failing) throw new CodedError('KAFKA', 'the commit failed');
              committed.push({ sent });
              for (const { partition, metadata } of staged) notes.set(partition, metadata);
            },
          };
        },
        close: async () => undefined,
      };
    },
  };
  return { port: port as unknown as KafkaPort, notes, committed, elect: () => (leaderless = undefined) };
}

test('records go back to their partition with the same key and value, and the note that they did', async () => {
  const kafka = fakeKafka();
  const letters = [
    letter({ offset: 9 }),
    letter(),
    letter({ offset: 8, source: { topic: 'm', partition: 0, offset: 1, timestamp: 0 }, key: null, value: null }),
  ];
  let done = 0;
  const onProgress = (now: number): void => void (done = now);
  assert.deepEqual(await putBack(kafka.port, config, { letters, retried: [[]], starts: [3], onProgress }), []);
  assert.equal(done, 3);
  const same = { key: Buffer.from(USER), value: closed('2026-01-31T10:00:00Z'), headers: { 'retry-of': 's/1/42' } };
  // A transaction for each place: one without a leader holds up no other.
  assert.deepEqual(kafka.committed, [
    { sent: [{ topic: 's', partition: 1, records: [same, same] }] },
    {
      sent: [{ topic: 'm', partition: 0, records: [{ key: null, value: null, headers: { 'retry-of': 'm/0/1' } }] }],
    },
  ]);
  assert.equal(kafka.notes.get(0), '1:7,3');
});

test('each says who put it back, when and why', async () => {
  const kafka = fakeKafka();
  const stamp = { 'retried-by': 'ana', 'retried-at': '2026-01-31T10:00:00Z', 'retry-reason': 'the producer is mended' };
  await putBack(kafka.port, config, { letters: [letter()], retried: [[]], starts: [0], stamp });
  assert.deepEqual(kafka.committed[0]!.sent[0]!.records[0]!.headers, { 'retry-of': 's/1/42', ...stamp });
});

test('an interrupted retry, run again, puts nothing back twice', async () => {
  const kafka = fakeKafka({ failing: 2 });
  const letters = Array.from({ length: 600 }, (_, offset) => letter({ offset }));
  const work = { letters, retried: [[]], starts: [0] };
  const [failed] = await putBack(kafka.port, config, work);
  assert.deepEqual(
    [failed?.topic, failed?.partition, failed?.records, failed?.error.message],
    ['s', 1, 100, 'the commit failed'],
  );
  assert.deepEqual(await putBack(kafka.port, config, work), []);
  const total = kafka.committed.flatMap(({ sent }) => sent).reduce((sum, { records }) => sum + records.length, 0);
  assert.equal(total, 600);
  assert.equal(kafka.notes.get(0), '1:0,go');
  await putBack(kafka.port, config, work);
  assert.equal(kafka.committed.length, 2);
});

test('a partition without a leader holds up no other, and is named; run again, nothing is put back twice', async () => {
  const source = letter().source;
  const places = [0, 1].flatMap((partition) =>
    Array.from({ length: 700 }, (_, n) =>
      letter({ partition: 0, offset: 2 * n + partition, source: { ...source, topic: 's', partition, offset: n } }),
    ),
  );
  const work = { letters: places, retried: [[]], starts: [0] };
  const kafka = fakeKafka({ leaderless: 's/0' });
  const [failed, ...others] = await putBack(kafka.port, config, work);
  assert.deepEqual([failed?.topic, failed?.partition, failed?.records, others], ['s', 0, 700, []]);
  const sent = () => kafka.committed.flatMap(({ sent: some }) => some);
  assert.deepEqual(
    sent().map(({ partition, records }) => [partition, records.length]),
    [
      [1, 500],
      [1, 200],
    ],
  );
  kafka.elect();
  assert.deepEqual(await putBack(kafka.port, config, work), []);
  assert.deepEqual(
    sent()
      .slice(2)
      .map(({ partition, records }) => [partition, records.length]),
    [
      [0, 500],
      [0, 200],
    ],
  );
});

test('a record that its topic does not take holds up none of the others', async () => {
  const letters = Array.from({ length: 100 }, (_, offset) =>
    letter({ offset, source: { ...letter().source, offset } }),
  );
  const kafka = fakeKafka({ refused: ({ headers }) => headers?.['retry-of'] === 's/1/42' });
  const [failed, ...others] = await putBack(kafka.port, config, { letters, retried: [[]], starts: [0] });
  assert.deepEqual([failed?.partition, failed?.records, others], [1, 1, []]);
  const back = kafka.committed.flatMap(({ sent }) => sent.flatMap(({ records }) => records));
  assert.equal(back.length, 99);
});

test('letters of several partitions are noted each in its own', async () => {
  const kafka = fakeKafka();
  const letters = [letter({ partition: 1, offset: 5 }), letter({ partition: 0, offset: 2 })];
  await putBack(kafka.port, config, { letters, retried: [[], []], starts: [0, 0] });
  assert.deepEqual(
    [...kafka.notes],
    [
      [0, '1:2,1'],
      [1, '1:5,1'],
    ],
  );
});

test('a letter that is cut is not put back, not by force either, and it is said where the whole record is', () => {
  const cut = letter({ cut: { value: { bytes: 3_000_000, sha256: 'ab' } } });
  assert.match(
    objectionTo(cut, { ...circumstances, force: true })!,
    /not whole \(value cut\).*at s, partition 1, offset 42/,
  );
});

test('a record goes back with its own headers, bytes and repeated ones too, and with its timestamp when that is kept', async () => {
  const kafka = fakeKafka();
  const headers = { traceparent: '00-ab-cd-01', twice: [Buffer.from([0xff, 0x00]), Buffer.from('b')], none: null };
  const letters = [letter({ headers })];
  await putBack(kafka.port, config, { letters, retried: [[]], starts: [0], keepTimestamp: true });
  const { key, value } = letter();
  const record = { key, value, headers: { ...headers, 'retry-of': 's/1/42' }, timestamp: NOW - 86_400_000 };
  assert.deepEqual(kafka.committed, [{ sent: [{ topic: 's', partition: 1, records: [record] }] }]);
});
