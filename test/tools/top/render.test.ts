import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderTop, type Look } from '../../../src/tools/top/render.ts';
import type { TopSnapshot } from '../../../src/tools/top/snapshot.ts';

const SNAPSHOT: TopSnapshot = {
  at: '2026-01-31T10:00:30.000Z',
  processes: [{ url: 'http://a:9464/metrics' }, { url: 'http://b:9464/metrics', problem: 'connect ECONNREFUSED' }],
  throughput: { in: 1234.4, out: null },
  partitions: [
    {
      partition: 0,
      lag: 12,
      perSecond: 3,
      watermark: '2026-01-31T10:00:05.000Z',
      watermarkLagSeconds: 25,
      held: 9,
      idle: false,
    },
    {
      partition: 1,
      lag: 4_000,
      perSecond: 0,
      watermark: '2026-01-31T09:00:30.000Z',
      watermarkLagSeconds: 3_600,
      held: null,
      idle: true,
    },
    { partition: 2, lag: 0, perSecond: null, watermark: null, watermarkLagSeconds: null, held: 0, idle: null },
  ],
  withoutLeader: [],
  users: [
    { user: '11111111-2222-4333-8444-555555555555', records: 1_500 },
    { user: '22222222-2222-4333-8444-555555555555', records: 2 },
  ],
  waiting: { pendingMoney: 7, awaitingLookup: 1, lookupsInFlight: 0, unpublished: null },
  deadLetters: { inTopic: 5, byReason: { malformed: 1, future: 3 } },
  shards: [
    { shard: 0, owner: 'http://a:9464/metrics' },
    { shard: 2, owner: 'http://a:9464/metrics' },
    { shard: 1, owner: 'worker' },
  ],
};
const LOOK: Look = { columns: 80, rows: 24, color: false, sort: 'partition' };

test('a frame, line by line', () => {
  assert.deepEqual(renderTop(SNAPSHOT, LOOK), [
    '10:00:30  in 1,234/s  out -/s  lag 4,012',
    '! http://b:9464/metrics: connect ECONNREFUSED',
    'pending 7  awaiting a lookup 1  lookups 0  unpublished -',
    'dead letters 5 (since the start: future 3, malformed 1)',
    'shards 0 2 at a:9464; 1 at worker',
    '',
    'PARTITION        LAG     IN/S     HELD  WATERMARK',
    '0                 12        3        9  2026-01-31 10:00:05  25 s behind',
    '1              4,000        0        -  2026-01-31 09:00:30  60 min behind  idle',
    '2                  0        -        0  -',
    'BUSIEST USERS                            RECORDS',
    '  11111111-2222-4333-8444-555555555555     1,500',
    '  22222222-2222-4333-8444-555555555555         2',
  ]);
});

test('sorted by another column', () => {
  const order = (sort: Look['sort']) =>
    renderTop(SNAPSHOT, { ...LOOK, sort })
      .slice(7, 10)
      .map((line) => line[0])
      .join('');
  assert.deepEqual([order('lag'), order('rate'), order('watermark')], ['102', '012', '102']);
});

test('no line is wider than the window, and no frame higher, whatever its size', () => {
  const many = {
    ...SNAPSHOT,
    partitions: Array.from({ length: 100 }, (_, partition) => ({ ...SNAPSHOT.partitions[0]!, partition })),
    users: Array.from({ length: 50 }, (_, index) => ({ user: `user-${index}`, records: 50 - index })),
  };
  for (const [columns, rows] of [
    [80, 24],
    [40, 12],
    [20, 5],
    [200, 60],
  ] as const) {
    const lines = renderTop(many, { columns, rows, color: false, sort: 'lag', chosen: 0, keys: 'q quit' });
    assert.ok(lines.length <= rows, `${lines.length} lines in ${rows}`);
    assert.ok(lines.every((line) => line.length <= columns));
    assert.equal(lines.at(-1), 'q quit');
  }
});

test('the chosen user is marked, in bold where there are colours', () => {
  const lines = renderTop(SNAPSHOT, { ...LOOK, color: true, chosen: 1 });
  assert.equal(lines.at(-1), '\u001b[1m> 22222222-2222-4333-8444-555555555555         2\u001b[0m');
});

test('what has no leader is named', () => {
  const lines = renderTop(
    { ...SNAPSHOT, withoutLeader: ['a-1', 'b-0'] },
    { columns: 120, rows: 40, color: false, sort: 'partition' },
  );
  assert.ok(lines.includes('! without a leader, as they were before: a-1, b-0'), lines.join('\n'));
});
