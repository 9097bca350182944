/**
 * A handful of faults of several kinds on real processes. The long run, which also demands that each recovery takes less
 * than 30 s, is `npm run chaos`: here other tests may have the processor.
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

function fault(index: number, kind: Kind, more: Partial<PlannedFault> = {}): PlannedFault {
  return { index, kind, role: 'worker', slot: 1, peer: 'kafka', form: 1, lasts: 2_000, pause: 0, ...more };
}

test(
  'kills inside transactions, zombies, bad networks, lies: none missing, none twice, none different, and it recovers from each',
  { timeout: 600_000 },
  async (t) => {
    const out = await mkdtemp(join(tmpdir(), 'chaos-e2e-'));
    t.after(() => rm(out, { recursive: true, force: true }));
    const plan = [
      fault(1, 'zombie-worker'),
      fault(2, 'lookups-lying'),
      fault(3, 'kill-broker'),
      fault(4, 'kill-bridge', { slot: 2 }),
      fault(5, 'one-way', { slot: 2, lasts: 6_000 }),
    ];
    const { settled, report, done } = await chaos({
      ...optionsOf(['--product', PRODUCT, '--minutes', '6', '--seed', '5', '--brokers', '1']),
      out,
      plan: plan.values(),
      say: (line) => t.diagnostic(line),
      signal: t.signal,
    });
    for (const line of report.split('\n')) t.diagnostic(line);
    assert.ok(settled.verdict.ok, report);
    assert.ok(settled.outputs > 100 * plan.length, `${settled.outputs} outputs`);
    assert.equal(done.length, plan.length);
    assert.ok(
      done.every(({ recovery }) => recovery !== undefined),
      'it recovered from every fault',
    );
    const counted = (what: string): number => done.reduce((sum, { counts }) => sum + (counts[what] ?? 0), 0);
    // Kills find a transaction open most of the time, and the report says how many did. The zombie is one by its length.
    assert.equal(counted('zombies resumed after a takeover'), 1);
  },
);
