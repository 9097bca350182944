/**
 * Fuzzes what the product reads from others, for as many inputs as are asked for:
 * `npm run fuzz -- --inputs 1000000 --seed 1 [--only decoder|bridge|lookup] [--from N]`. A quarter goes through whole bridges. Exit code 1
 * and a way to repeat it at the first input that is not handled as documented.
 */
import { commandLine } from '../../test/support/command-line.ts';
import { fuzzBridge } from './fuzz-bridge.ts';
import { fuzzDecoder } from './fuzz-decoder.ts';
import { fuzzLookup } from './fuzz-lookup.ts';

const USAGE = 'npm run fuzz -- [--inputs N] [--seed S] [--only decoder|bridge|lookup] [--from N]';
const LOOKUPS = 100_000;

interface Report {
  readonly failure?: string;
}

function whole(name: string, text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  console.error(`--${name} ${text}: expected a whole number\nusage: ${USAGE}`);
  process.exit(2);
}

const { values } = commandLine(USAGE, {
  options: {
    inputs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    only: { type: 'string' },
  },
});
const [inputs, seed, from] = [whole('inputs', values.inputs), whole('seed', values.seed), whole('from', values.from)];
const only = values.only;
const parts: readonly (readonly [name: string, run: () => Promise<Report>])[] = [
  ['decoder', () => fuzzDecoder({ seed, from, inputs: only === undefined ? Math.ceil(inputs * 0.75) : inputs })],
  ['bridge', () => fuzzBridge({ seed, from, inputs: only === undefined ? Math.ceil(inputs * 0.25) : inputs })],
  ['lookup', () => fuzzLookup({ seed, from, inputs: only === undefined ? Math.min(inputs, LOOKUPS) : inputs })],
];
const chosen = parts.filter(([name]) => only === undefined || name === only);
if (chosen.length === 0) {
  console.error(`usage: ${USAGE}`);
  process.exit(2);
}
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error) => {
    console.error(`${event} (seed ${seed}):`, error);
    process.exit(1);
  });
}
for (const [name, run] of chosen) {
  const started = performance.now();
  const { failure, ...figures } = await run();
  console.log(`${name}: ${JSON.stringify(figures)} in ${Math.round((performance.now() - started) / 1_000)} s`);
  if (failure === undefined) continue;
  console.error(failure);
  process.exitCode = 1;
}
