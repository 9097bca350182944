import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baselineOf, dearerThan, tableOf, type Measured } from '../../bench/report.ts';

const measured: Measured = {
  row: 'touch-new',
  what: 'a touch of each',
  sides: ['old', 'new'],
  pairs: [
    {
      round: 1,
      figures: {
        old: { 'cpu, ms/touch': 40, 'actions a touch': 2 },
        new: { 'cpu, ms/touch': 20, 'actions a touch': 2 },
      },
    },
    {
      round: 2,
      figures: {
        old: { 'cpu, ms/touch': 60, 'actions a touch': 2 },
        new: { 'cpu, ms/touch': 30, 'actions a touch': 2 },
      },
    },
    {
      round: 3,
      figures: { old: { 'cpu, ms/touch': 10 }, new: { 'cpu, ms/touch': 90 } },
      dropped: 'others used 0.50 cores',
    },
  ],
};

test('the table has the medians of both sides and the ratio of the pairs that count', () => {
  const table = tableOf(measured);
  assert.match(table, /^2 of 3 pairs of rounds count\.$/m);
  assert.match(table, /^\| cpu, ms\/touch \| 50\.0 \| 25\.0 \| \*\*0\.50\*\* \(0\.50 to 0\.50\) \|$/m);
});

test('counts that are dearer than the baseline are named; times are not compared', () => {
  assert.deepEqual(baselineOf([measured]), { 'touch-new': { 'cpu, ms/touch': 25, 'actions a touch': 2 } });
  assert.deepEqual(dearerThan({ 'touch-new': { 'cpu, ms/touch': 1, 'actions a touch': 1.9 } }, [measured]), []);
  assert.deepEqual(dearerThan({ 'touch-new': { 'actions a touch': 1.5 } }, [measured]), [
    'touch-new: actions a touch: 2, the baseline has 1.5',
  ]);
  assert.deepEqual(dearerThan({ 'touch-old': { 'actions a touch': 1 } }, [measured]), []);
  const dropped = { ...measured, pairs: measured.pairs.map((pair) => ({ ...pair, dropped: 'the load of others' })) };
  const missing = ['touch-new: actions a touch: not measured, the baseline has 2'];
  assert.deepEqual(dearerThan({ 'touch-new': { 'actions a touch': 2 } }, [dropped]), missing);
  assert.deepEqual(dearerThan({ 'touch-new': { 'actions a touch': 2, 'touches per 1,000 events': 5 } }, [measured]), [
    'touch-new: touches per 1,000 events: not measured, the baseline has 5',
  ]);
});
