/**
 * Three brokers that replicate: what their operator does to them while money flows. The long run, which also demands that
 * each recovery takes less than 30 s and that no partition stands for others, is `npm run chaos`.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PRODUCT } from '../../test/support/product.ts';
import { chaos } from './chaos.ts';
import { optionsOf } from './options.ts';
import type { Kind, PlannedFault } from './plan.ts';

/** `form` chooses the topic: user, session, money, output, dead letters, ledger, offsets, transactions. */
function fault(index: number, kind: Kind, form: number): PlannedFault {
  return { index, kind, form, role: 'worker', slot: 1, peer: 'kafka', lasts: 1_000, pause: 0 };
}

test(
  'a leader of three brokers that moves, a rolling restart, a partition without a leader: none missing, none twice, none different',
  { timeout: 1_200_000 },
  async (t) => {
    const out = await mkdtemp(join(tmpdir(), 'chaos-e2e-'));
    t.after(() => rm(out, { recursive: true, force: true }));
    const plan = [
      fault(1, 'move-leader', 3),
      fault(2, 'rolling-restart-brokers', 0),
      fault(3, 'partition-without-leader', 2),
    ];
    const options = optionsOf([
      '--product',
      PRODUCT,
      '--minutes',
      '15',
      '--seed',
      '6',
      '--rate',
      '20',
      '--users',
      '8',
      '--brokers',
      '3',
    ]);
    const { settled, report, done } = await chaos({
      ...options,
      out,
      plan: plan.values(),
      say: (line) => t.diagnostic(line),
      signal: t.signal,
    });
    for (const line of report.split('\n')) t.diagnostic(line);
    assert.ok(settled.verdict.ok, report);
    assert.ok(settled.outputs > 50, `${settled.outputs} outputs`);
    assert.deepEqual(
      done.map(({ kind, hit }) => `${kind} ${hit}`),
      plan.map(({ kind }) => `${kind} true`),
    );
  },
);
