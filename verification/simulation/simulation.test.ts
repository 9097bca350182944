import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATIENCE, runSeed } from './run.ts';

/** Of the thousands that `npm run simulate` tries. */
const SEEDS = 60;

test(`${SEEDS} seeds: every money event exactly once, whatever fails`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { failure } = await runSeed(seed, { patience: PATIENCE.short });
    assert.equal(
      failure,
      undefined,
      `seed ${seed}, repeat it with: npm run simulate -- --seeds 1 --from ${seed} --trace`,
    );
  }
});

test('a seed is a run: the same steps, times, offsets and bytes, traced or not', async () => {
  for (const seed of [3, 17]) {
    const [one, other] = [await runSeed(seed), await runSeed(seed, { trace: true })];
    assert.equal(one.digest, other.digest);
    assert.deepEqual(one.hits, other.hits);
    assert.ok(other.trace.length > 1_000);
  }
  assert.notEqual((await runSeed(3)).digest, (await runSeed(4)).digest);
});
