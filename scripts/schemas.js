/**
 * The schemas of what outlives a deployment.
 *
 *   node scripts/schemas.js check   what today's schemas do to what each release wrote; exit code 1 if one is refused, or if
 *                                   the types made of them are not what they say
 *   node scripts/schemas.js types   writes the types
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { register } from 'tsx/esm/api';

const ROOT = new URL('../', import.meta.url);

register();
const { ledgerSchemas, releasedSchemas, todaysSchemas } = await import('../src/engine/stored/schema.ts');
const { typescriptOf } = await import('../src/engine/stored/typescript.ts');

const engine = ledgerSchemas().records;
const engines = new Set(engine.map(({ name }) => name));
/** The text of each file of types, by its path from the root. */
const types = {
  'src/engine/workflow/ledger-types.ts': typescriptOf('schemas/ledger.avsc', engine),
  'src/money/domain/types.ts': typescriptOf(
    'schemas/state.avsc',
    todaysSchemas().records.filter(({ name }) => !engines.has(name)),
    { '../../engine/workflow/ledger-types.ts': ['Incarnation'] },
  ),
};

const [command] = process.argv.slice(2);
if (command === 'types') {
  for (const [file, text] of Object.entries(types)) writeFileSync(new URL(file, ROOT), text);
} else if (command === 'check') {
  const { verdictOf, describeVerdict } = await import('../src/engine/stored/compatibility.ts');
  const today = todaysSchemas();
  const verdicts = releasedSchemas().map((file) => verdictOf(file, today));
  for (const verdict of verdicts) console.log(describeVerdict(verdict));
  const others = Object.keys(types).filter((file) => readFileSync(new URL(file, ROOT), 'utf8') !== types[file]);
  for (const file of others) console.log(`${file} is not what the schemas say: npm run schemas:types`);
  if (others.length > 0 || verdicts.some(({ refused }) => refused.length > 0)) process.exitCode = 1;
} else {
  console.error('usage: node scripts/schemas.js check | types');
  process.exitCode = 2;
}
