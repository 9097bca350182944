import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '@temporalio/client';
import type { Applicable } from '../../../src/money/domain/events.ts';
import { loadRuns } from '../../../src/tools/explain/load.ts';
import { foldRuns } from '../../../src/tools/explain/fold.ts';
import type { Happening } from '../../../src/tools/explain/happening.ts';
import { eventually } from '../../support/eventually.ts';
import { MINUTE, money, session, T0 } from '../../money/domain/given.ts';
import { WorkflowUser } from '../../workflows/harness.ts';
import { TOPICS } from './given.ts';

test(
  'over continue-as-new, each run is folded to the state that Temporal carried into the next',
  { timeout: 120_000 },
  async (t) => {
    const user = await WorkflowUser.create(t);
    let offset = 0;
    let sessions = 0;
    for (let round = 0; round < 260; round += 1) {
      const ts = T0 + round * MINUTE;
      const records: Applicable[] = [
        session(sessions++, `s${round}`, ts),
        money(offset++, { id: `joined-${round}`, ts: ts + 1, session: `s${round}` }),
        money(offset++, { id: `joined-${round}`, ts: ts + 2, session: `s${round}` }),
      ];
      if (round % 5 === 0) {
        records.push(money(offset++, { id: `old-${round}`, ts: ts + 3, session: `s${round}`, old: true }));
      }
      if (round % 7 === 0) {
        records.push(money(offset++, { id: `pending-${round}`, ts: ts + 4, session: `s${round + 1}` }));
      }
      if (round % 11 === 0) records.push(money(offset++, { id: `never-${round}`, ts: ts + 5, session: 'never' }));
      await user.signal(records);
    }
    await eventually('another run', async () => (await user.runs()).length >= 2, 40_000);
    const { client } = user.handle as unknown as { client: Client['workflow'] };
    const runs = await loadRuns({ workflow: client } as Client, user.userId);
    const told: Happening[] = [];
    await foldRuns(runs!, TOPICS, (happening) => told.push(happening));
    assert.deepEqual(
      told.flatMap((one) => (one.type === 'run' ? [one.agrees] : [])),
      runs!.map((_, index) => (index === 0 ? undefined : true)),
    );
    const applied = told.flatMap((one) =>
      one.type === 'money' && one.decision.type === 'joined' ? [one.money.id] : [],
    );
    assert.deepEqual(
      applied.slice(0, 100),
      Array.from({ length: 100 }, (_, round) => `joined-${round}`),
    );
    assert.equal(
      told.some(({ type }) => type === 'lookup-ended'),
      true,
    );
  },
);
