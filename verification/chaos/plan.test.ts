import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { KINDS, kindsFor, planOf, recorder } from './plan.ts';
import type { Kind, PlannedFault } from './plan.ts';

function first(count: number, seed: number, kinds?: readonly Kind[]): PlannedFault[] {
  const plan = planOf(seed, kinds);
  return Array.from({ length: count }, () => plan.next().value);
}

test('the same seed gives the same plan, another seed another', () => {
  assert.deepEqual(first(100, 7), first(100, 7));
  assert.notDeepEqual(first(100, 7), first(100, 8));
});

test('a bag of 60 faults has every kind, with 5 killed workers and one full disk', () => {
  const plan = first(60, 1);
  assert.deepEqual([...new Set(plan.map(({ kind }) => kind))].sort(), [...KINDS].sort());
  assert.equal(plan.filter(({ kind }) => kind === 'kill-worker').length, 5);
  assert.equal(plan.filter(({ kind }) => kind === 'disk-full').length, 1);
});

test('360 faults have each kind 6 times or more, and are numbered', () => {
  const plan = first(360, 3);
  for (const kind of KINDS) assert.ok(plan.filter((fault) => fault.kind === kind).length >= 6, kind);
  assert.deepEqual(
    plan.map(({ index }) => index),
    Array.from({ length: 360 }, (_, i) => i + 1),
  );
});

test('only the kinds that were asked for; a bridge has no link to the service', () => {
  assert.deepEqual([...new Set(first(50, 1, ['cut', 'delay']).map(({ kind }) => kind))].sort(), ['cut', 'delay']);
  assert.ok(first(500, 2).every(({ role, peer }) => role === 'worker' || peer !== 'service'));
});

test('one broker has no other that could lead, and no replicas that could be missing', () => {
  const one = kindsFor(1);
  for (const kind of ['move-leader', 'isr-below-minimum', 'coordinator-moves', 'partition-without-leader'] as const) {
    assert.ok(!one.includes(kind), kind);
  }
  assert.ok(one.includes('kill-broker') && one.includes('rolling-restart-brokers'));
  assert.deepEqual(kindsFor(3), KINDS);
});

test('what happens is recorded, one JSON object a line, with its time', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-plan-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const record = recorder(join(folder, 'plan.jsonl'));
  record({ event: 'begin', index: 1 });
  record({ event: 'end', index: 1 });
  const lines = readFileSync(join(folder, 'plan.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { at: string; event: string });
  assert.deepEqual(
    lines.map(({ event }) => event),
    ['begin', 'end'],
  );
  assert.ok(lines.every(({ at }) => Math.abs(Date.parse(at) - Date.now()) < 60_000));
});
