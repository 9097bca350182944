/** Good and hostile records mixed, through the whole bridge on Kafka in memory, judged by the model. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BridgeRun } from './bridge-run.ts';
import { fuzzBridge } from './fuzz-bridge.ts';

describe('hostile records among good ones', () => {
  it('20,000 records in runs of 2,500: each hostile one is a dead letter once, the others come out as if it were not there', async (t) => {
    const { failure, ...figures } = await fuzzBridge({ seed: 13, inputs: 20_000, inputsOfRun: 2_500 });
    assert.equal(failure, undefined);
    assert.equal(figures.inputs, 20_000);
    assert.ok(figures.deadLetters > 5_000 && figures.applied > 5_000 && figures.late > 500, JSON.stringify(figures));
    t.diagnostic(JSON.stringify(figures));
  });

  /** What a broken bridge would have done. */
  const tampered: Record<string, readonly [tamper: (run: BridgeRun) => BridgeRun, failure: RegExp]> = {
    'a dead letter that is missing': [
      (run) => ({ ...run, deadLetters: run.deadLetters.slice(1) }),
      /dead letters: \d+, expected \d+/,
    ],
    'a dead letter that is there twice': [
      (run) => ({ ...run, deadLetters: [...run.deadLetters, ...run.deadLetters.slice(0, 1)] }),
      /dead letters: \d+, expected \d+/,
    ],
    'a dead letter without its key': [
      (run) => ({ ...run, deadLetters: run.deadLetters.map((letter) => ({ ...letter, key: null })) }),
      /dead letters: /,
    ],
    'a user whose signals are lost': [
      (run) => ({ ...run, delivered: run.delivered.filter(({ userId }) => userId !== run.delivered.at(-1)!.userId) }),
      /applications: \d+, expected \d+/,
    ],
    'two records in the wrong order': [
      (run) => ({
        ...run,
        delivered: run.delivered.map(({ userId, batch }) => ({
          userId,
          batch: { ...batch, records: [...batch.records].reverse() },
        })),
      }),
      /applications: /,
    ],
    'a late record that is taken for one on time': [
      (run) => ({
        ...run,
        delivered: run.delivered.map(({ userId, batch }) => ({
          userId,
          batch: { ...batch, records: batch.records.map(({ late: _, ...record }) => record) },
        })),
      }),
      /applications: /,
    ],
    'an amount that is rounded': [
      (run) => ({
        ...run,
        delivered: run.delivered.map(({ userId, batch }) => ({
          userId,
          batch: {
            ...batch,
            records: batch.records.map((record) =>
              record.event.type === 'money'
                ? {
                    ...record,
                    event: {
                      ...record.event,
                      money: { ...record.event.money, amount: `${Math.round(Number(record.event.money.amount))}` },
                    },
                  }
                : record,
            ),
          },
        })),
      }),
      /outputs: /,
    ],
    'a watermark that a hostile record has moved': [
      (run) => ({ ...run, watermarks: run.watermarks.map((watermark) => watermark + 1) }),
      /the watermark of partition 0 is/,
    ],
    'an offset that is not committed': [
      (run) => ({ ...run, offsets: run.offsets.map((place) => ({ ...place, committed: place.end - 1 })) }),
      /committed to/,
    ],
  };
  for (const [name, [tamper, expected]] of Object.entries(tampered)) {
    it(`${name} is caught`, async () => {
      const { failure = '' } = await fuzzBridge({ seed: 14, inputs: 400, inputsOfRun: 400, tamper });
      assert.match(failure, expected);
      assert.match(failure, /npm run fuzz -- --only bridge --seed 14 --from 0 --inputs 400\n {2}smallest: /);
    });
  }
});
