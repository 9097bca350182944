import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { optionsOf } from './options.ts';
import { KINDS } from './plan.ts';

test('by default: this checkout, every kind, three brokers', () => {
  const { product, kinds, seed, brokers } = optionsOf([]);
  assert.equal(brokers, 3);
  assert.ok(existsSync(join(product, 'bin', 'money-enrichment.js')));
  assert.deepEqual(kinds, KINDS);
  assert.equal(seed, 1);
});

test('an application of its own has a rate of its own', () => {
  assert.deepEqual([optionsOf([]).app, optionsOf([]).rate], ['money', 50]);
  const { app, rate, pause } = optionsOf(['--app', 'orders', '--pause', '0s']);
  assert.deepEqual({ app, rate, pause }, { app: 'orders', rate: 20, pause: 0 });
});

test('what is given is taken', () => {
  const { minutes, kinds, faults, product } = optionsOf([
    '--minutes',
    '60',
    '--kinds',
    'cut,kill-worker',
    '--faults',
    '3',
    '--product',
    '/broken',
  ]);
  assert.deepEqual(
    { minutes, kinds, faults, product },
    { minutes: 60, kinds: ['cut', 'kill-worker'], faults: 3, product: '/broken' },
  );
});

test('outage and overload', () => {
  assert.deepEqual(optionsOf(['--outage', 'temporal', '--for', '90s']).outage, { part: 'temporal', lasts: 90_000 });
  const { overload, rate, users } = optionsOf(['--overload', '10m', '--users', '7']);
  assert.deepEqual({ overload, rate, users }, { overload: 600_000, rate: 5_000, users: 7 });
});

test('what cannot be is refused, with what it was', () => {
  assert.throws(() => optionsOf(['--kinds', 'cut,flood']), /"flood"/);
  assert.throws(() => optionsOf(['--brokers', '2']), /--brokers is "2": expected 1 or 3/);
  assert.throws(() => optionsOf(['--brokers', '1', '--kinds', 'move-leader']), /"move-leader" is none of/);
  assert.throws(() => optionsOf(['--minutes', 'x']), /--minutes is "x"/);
  assert.throws(() => optionsOf(['--outage', 'dns']), /"dns" is none of kafka/);
  assert.throws(() => optionsOf(['--overload', 'long']), /--overload is "long"/);
  assert.throws(() => optionsOf(['--app', 'parcels']), /--app: "parcels" is none of money, orders/);
  assert.throws(() => optionsOf(['--colour', 'x']), /colour/);
});
