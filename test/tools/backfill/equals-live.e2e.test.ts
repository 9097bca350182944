/**
 * A live run that is disturbed at random against a backfill of the same logs, byte for byte: processes are killed, rates and
 * batches change, workflows continue as new at random moments. Money comes late, and the session service says what the events say.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../../src/engine/random.ts';
import type { Role } from '../../../src/dev/product.ts';
import { countriesOf, INPUTS, moneyTraffic } from '../../../verification/chaos/apps/money/traffic.ts';
import { startChaoticService } from '../../../verification/chaos/asked-service.ts';
import { startTraffic } from '../../../verification/chaos/traffic.ts';
import { program } from '../../cli/program.ts';
import { sized } from '../../support/size.ts';
import { startSystem } from '../../support/system.ts';

const SECONDS = sized(15, 25);
const PARTITIONS = 3;

for (const seed of sized([1], [1, 2])) {
  test(
    `seed ${seed}: a live run with crashes, changing rates and continue-as-new at random is equal to a backfill`,
    { timeout: 400_000 },
    async (t) => {
      const random = new Random(seed);
      const plan = { seed, users: 40, partitions: PARTITIONS, rate: 150, seconds: SECONDS };
      const countries = countriesOf(plan);
      const sessions = await startChaoticService({
        path: '/sessions/',
        field: 'clientCountryCode',
        answer: countries,
        believed: [],
      });
      t.after(() => sessions.stop());
      const system = await startSystem(t, {
        partitions: PARTITIONS,
        countries,
        env: {
          ENRICHMENT_SESSION_SERVICE_URL: `http://127.0.0.1:${sessions.port}`,
          // Only the end of the logs is silence; what waits for a session then is looked up, as a backfill does at once.
          ENRICHMENT_IDLE_TIMEOUT: '20s',
          ENRICHMENT_PENDING_TIMEOUT: '20s',
        },
      });
      const running = { worker: await system.start('worker'), bridge: await system.start('bridge') };
      const traffic = startTraffic(moneyTraffic(plan), PARTITIONS, async (input, records, partition) => {
        // Sometimes nothing comes for a while, and then much at once.
        if (random.chance(0.05)) await sleep(random.below(2_000));
        await system.produce(
          records.map((record) => ({
            input: INPUTS[input]!,
            key: record.key,
            value: record.value,
            timestamp: record.timestamp!,
          })),
          partition,
        );
      });
      t.after(() => traffic.abandon());
      const done = { killed: 0, continued: 0 };
      while (!traffic.exhausted || done.killed === 0 || done.continued === 0) {
        await sleep(300 + random.below(2_700));
        if (random.chance(0.5)) {
          const { code, stdout, stderr } = await program(['nudge', '--rate', '1000', '--json'], system.env);
          assert.equal(code, 0, stderr);
          done.continued += (JSON.parse(stdout) as { found: number }).found;
        } else {
          const role: Role = random.chance(0.5) ? 'worker' : 'bridge';
          running[role].kill();
          done.killed += 1;
          running[role] = await system.start(role);
        }
      }
      await traffic.end();
      t.diagnostic(
        `${traffic.written} records, ${done.killed} processes killed, ${done.continued} runs continued as new on demand`,
      );

      const expected = await system.expected({ pendingAtEnd: 'lookup' });
      assert.ok(
        expected.outputs.filter(({ path, waited }) => path === 'lookup' && !waited).length > 20,
        'some money is late, old or of an expired session',
      );
      await system.matches(expected, 180_000);
      const live = system.config.topics.output;
      const backfill = await program(['backfill', '--output-topic', `${live}-again`, '--processes', '2'], system.env);
      assert.equal(backfill.code, 0, backfill.stderr);
      const compared = await program(['compare', live, `${live}-again`], system.env);
      assert.equal(compared.code, 0, compared.stdout + compared.stderr);
      assert.match(
        compared.stdout,
        new RegExp(`^equal: ${expected.outputs.length.toLocaleString('en')} records in each of `),
      );
    },
  );
}
