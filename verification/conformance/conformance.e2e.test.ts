/** What the simulated Kafka is measured by (see conformance.test.ts): the same suite against a real broker. */
import { after } from 'node:test';
import { startRealKafka } from './real.ts';
import type { RealKafka } from './real.ts';
import { conformance, type Runner } from '../../src/library/conformance.ts';

let real: Promise<RealKafka> | undefined;
after(async () => (await real)?.stop());

const run: Runner = async (t, body) => {
  const kafka = (await (real ??= startRealKafka())).forTest();
  t.after(() => kafka.close());
  await body(kafka);
};

conformance(run);
