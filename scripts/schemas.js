/**
 * The schemas of what outlives a deployment.
 *
 *   node scripts/schemas.js check   what today's schemas do to what each release wrote; exit code 1 if one is refused, or if
 *                                   src/money/domain/types.ts is not what they say
 *   node scripts/schemas.js types   writes src/money/domain/types.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';

const TYPES = fileURLToPath(new URL('../src/money/domain/types.ts', import.meta.url));

register();
const { releasedSchemas, todaysSchemas } = await import('../src/engine/stored/schema.ts');
const { typescriptOf } = await import('../src/engine/stored/typescript.ts');

const [command] = process.argv.slice(2);
if (command === 'types') {
  writeFileSync(TYPES, typescriptOf(todaysSchemas()));
} else if (command === 'check') {
  const { verdictOf, describeVerdict } = await import('../src/engine/stored/compatibility.ts');
  const today = todaysSchemas();
  const verdicts = releasedSchemas().map((file) => verdictOf(file, today));
  for (const verdict of verdicts) console.log(describeVerdict(verdict));
  const typesMatch = readFileSync(TYPES, 'utf8') === typescriptOf(today);
  if (!typesMatch) console.log('src/money/domain/types.ts is not what schemas/state.avsc says: npm run schemas:types');
  if (!typesMatch || verdicts.some(({ refused }) => refused.length > 0)) process.exitCode = 1;
} else {
  console.error('usage: node scripts/schemas.js check | types');
  process.exitCode = 2;
}
