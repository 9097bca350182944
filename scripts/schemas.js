/**
 * The schemas of what outlives a deployment.
 *
 *   node scripts/schemas.js check   what today's schemas do to what each older version wrote; exit code 1 if one is refused,
 *                                   if the types made of them are not what they say, or if today's are not kept
 *   node scripts/schemas.js types   writes the types
 *   node scripts/schemas.js keep    keeps today's in schemas/unreleased: who runs this commit writes with them
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { register } from 'tsx/esm/api';

const ROOT = new URL('../', import.meta.url);

register();
const { ledgerSchemas, olderSchemas, todaysSchemas, unreleasedSchemas } =
  await import('../src/engine/stored/schema.ts');
const { fingerprintsOf } = await import('../src/engine/stored/format.ts');
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
} else if (command === 'keep') {
  if (!isKept()) {
    const folder = new URL(`schemas/unreleased/${unreleasedSchemas().length + 1}/`, ROOT);
    mkdirSync(folder);
    for (const file of ['ledger.avsc', 'state.avsc']) cpSync(new URL(`schemas/${file}`, ROOT), new URL(file, folder));
  }
} else if (command === 'check') {
  const { verdictOf, describeVerdict } = await import('../src/engine/stored/compatibility.ts');
  const today = todaysSchemas();
  const verdicts = olderSchemas().map((file) => verdictOf(file, today));
  for (const verdict of verdicts) console.log(describeVerdict(verdict));
  const others = Object.keys(types).filter((file) => readFileSync(new URL(file, ROOT), 'utf8') !== types[file]);
  for (const file of others) console.log(`${file} is not what the schemas say: npm run schemas:types`);
  if (!isKept()) console.log("today's schemas are not among those that later versions will read: npm run schemas:keep");
  if (!isKept() || others.length > 0 || verdicts.some(({ refused }) => refused.length > 0)) process.exitCode = 1;
} else {
  console.error('usage: node scripts/schemas.js check | types | keep');
  process.exitCode = 2;
}

/** Whether later versions will read what is written with today's. */
function isKept() {
  const today = [...fingerprintsOf(todaysSchemas()).values()];
  return olderSchemas().some((file) => {
    const kept = new Set(fingerprintsOf(file).values());
    return today.every((fingerprint) => kept.has(fingerprint));
  });
}
