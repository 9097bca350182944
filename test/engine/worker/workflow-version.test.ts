import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CodedError } from '../../../src/engine/errors.ts';
import { todaysSchemas } from '../../../src/engine/stored/schema.ts';
import { ownWorkflows, readWorkflows } from '../../../src/engine/worker/workflow-version.ts';

const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn() {}, error() {} };

test('a version of the workflows goes through a file, with its schemas; its build id follows from its code', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'workflows-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [one, again] = await Promise.all([ownWorkflows(quiet), ownWorkflows(quiet)]);
  assert.match(one.buildId, /^\d+\.\d+\.\d+-[0-9a-f]{12}$/);
  assert.equal(again.buildId, one.buildId);
  const file = join(folder, 'workflows.json');
  await writeFile(file, JSON.stringify(one));
  const read = await readWorkflows(file, 'OLDER');
  assert.deepEqual(read, one);
  assert.deepEqual(read.schemas.records, todaysSchemas().records);
});

test('a file that is no version is refused, with its name', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'workflows-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'bundle.js');
  await writeFile(file, '{"buildId":"x"}');
  for (const path of [file, join(folder, 'missing.json')]) {
    await assert.rejects(readWorkflows(path, 'OLDER'), (error: unknown) => {
      assert.ok(error instanceof CodedError && error.code === 'CONFIG');
      assert.ok(
        error.message.startsWith(`OLDER: "${path}": expected the file dist/workflows.json of an older build: `),
        error.message,
      );
      return true;
    });
  }
});
