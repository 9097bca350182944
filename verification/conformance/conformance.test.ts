/** The simulated Kafka behaves as the real one does (see conformance.e2e.test.ts): the same suite, with many seeds. */
import { groups } from './groups.ts';
import { restarts } from './restarts.ts';
import { runSimulated } from './simulated.ts';
import { transactions } from './transactions.ts';
import type { Runner } from './under-test.ts';

const SEEDS = 20;

const run: Runner = async (_t, body) => {
  for (let seed = 1; seed <= SEEDS; seed++) await runSimulated(seed, body);
};

transactions(run);
groups(run);
restarts(run);
