import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeHistoryFile } from '../../../src/engine/temporal/history-files.ts';

test('histories hold personal data: their files are for their owner only, also those that were there', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'histories-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const folder = join(parent, 'saved');
  const run = { workflowId: 'app/u', runId: 'r', history: { events: [] } } as unknown as Parameters<
    typeof writeHistoryFile
  >[1];
  const file = await writeHistoryFile(folder, run);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  chmodSync(file, 0o644);
  await writeHistoryFile(folder, run);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});
