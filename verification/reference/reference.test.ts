import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { REFERENCE_PAGE, referenceText } from './reference.ts';

test('docs/reference.md is what the code says ("npm run reference -- --write" writes it)', async () => {
  assert.equal(readFileSync(REFERENCE_PAGE, 'utf8'), await referenceText());
});

test('nothing that the reference lists is without words', async () => {
  const rows = (await referenceText()).split('\n').filter((line) => line.startsWith('| `'));
  assert.ok(rows.length > 150, `${rows.length} rows`);
  for (const row of rows) {
    const cells = row.split(/(?<!\\)\|/).map((text) => text.trim());
    const words = /`[a-z_]+`/.test(cells[1]!) && cells.length === 6 ? cells[4]! : cells[2]!;
    assert.notEqual(words, '', row);
  }
});
