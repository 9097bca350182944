/** The simulated Kafka behaves as the real one does (see conformance.e2e.test.ts): the same suite, with many seeds. */
import { runSimulated } from './simulated.ts';
import { conformance, type Runner } from '../../src/library/conformance.ts';

const SEEDS = 20;

const run: Runner = async (_t, body) => {
  for (let seed = 1; seed <= SEEDS; seed++) await runSimulated(seed, body);
};

conformance(run);
