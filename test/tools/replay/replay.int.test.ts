import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Runtime } from '@temporalio/worker';
import { readHistoryFile, writeHistoryFile } from '../../../src/engine/temporal/history-files.ts';
import { dataConverter } from '../../../src/engine/temporal/payload-codec.ts';
import type { StoredRun } from '../../../src/engine/temporal/histories.ts';
import { replayRuns } from '../../../src/tools/replay/replay.ts';
import { program } from '../../cli/program.ts';
import { namesOf } from '../../evolution/fixtures.ts';
import { WORKFLOW_SOURCES } from '../../support/workflow-sources.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FIXTURES = join(ROOT, 'test/evolution/fixtures/0.2.0/histories');
const FILES = namesOf('0.2.0', 'histories')
  .filter((name) => name !== 'expected')
  .map((name) => join(FIXTURES, `${name}.history`));
const logger = new DefaultLogger('ERROR', () => undefined);
Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'OFF' } } });

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'replay-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Of this code, with one change. */
async function changedBundle(t: TestContext, before: string, after: string): Promise<{ code: string }> {
  const root = await folder(t);
  await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  for (const part of WORKFLOW_SOURCES) await cp(join(ROOT, part), join(root, part), { recursive: true });
  const file = join(root, 'src/engine/workflow/entity/run-entity.ts');
  const text = await readFile(file, 'utf8');
  assert.ok(text.includes(before), 'the code is not what this test was written for');
  await writeFile(file, text.replace(before, after));
  return bundleWorkflowCode({ workflowsPath: join(root, 'workflows', 'index.ts'), logger });
}

async function* runs(): AsyncGenerator<StoredRun> {
  for (const file of FILES) yield readHistoryFile(file);
}

test('recorded histories replay, several at a time, and from files in both forms', async (t) => {
  const path = join(await folder(t), 'saved');
  const done = await program(['replay', '--file', ...FILES, '--concurrency', '2']);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^2 histories replayed, [\d,]+ events: this code does what was recorded$/m);

  for (const file of FILES) await writeHistoryFile(path, await readHistoryFile(file));
  const [saved] = await readdir(path);
  assert.match(saved!, /^[0-9a-f-]{36}\.[0-9a-f-]{36}\.json$/);
  const fromJson = await program(['replay', '--file', join(path, saved!), '--json']);
  assert.equal(fromJson.code, 0, fromJson.stderr + fromJson.stdout);
  const { history } = await readHistoryFile(join(path, saved!));
  assert.deepEqual(JSON.parse(fromJson.stdout), { replayed: 1, events: history.events!.length, problems: [] });
});

test('other commands than recorded: the workflow, the event and what differs', { timeout: 120_000 }, async (t) => {
  const bundle = await changedBundle(
    t,
    '    publishResolved();\n    questions.ask();\n    setAlarm();\n',
    '    setAlarm();\n    questions.ask();\n    publishResolved();\n',
  );
  const { replayed, problems } = await replayRuns(runs(), { bundle, dataConverter, concurrency: 2 });
  assert.equal(replayed, FILES.length);
  assert.equal(problems.length, 1);
  const [{ workflowId, runId, kind, message, place }] = problems as [(typeof problems)[0]];
  assert.match(workflowId, /^[0-9a-f-]{36}$/);
  assert.match(runId, /^[0-9a-f-]{36}$/);
  assert.equal(kind, 'non-determinism');
  assert.match(message, /'publish' does not match activity type of activity command 'lookupSessions'/);
  // The named task recorded both, in the other order.
  const { history } = await readHistoryFile(FILES.find((file) => file.includes('run-1'))!);
  assert.ok(
    history.events!.find(
      ({ eventId, workflowTaskCompletedEventAttributes: task }) => task && String(eventId) === String(place?.event),
    ),
  );
  assert.ok(
    place!.recorded.some((command) => /^\d+ ActivityTaskScheduled publish$/.test(command)),
    place!.recorded.join(),
  );
  assert.ok(
    place!.recorded.some((command) => /^\d+ ActivityTaskScheduled lookupSessions$/.test(command)),
    place!.recorded.join(),
  );
});

test('what was found is told where the next history cannot be had', { timeout: 120_000 }, async (t) => {
  const bundle = await changedBundle(
    t,
    '    publishResolved();\n    questions.ask();\n    setAlarm();\n',
    '    setAlarm();\n    questions.ask();\n    publishResolved();\n',
  );
  const broken = async function* (): AsyncGenerator<StoredRun> {
    yield* runs();
    throw new Error('the server is away');
  };
  const { replayed, problems, stopped } = await replayRuns(broken(), { bundle, dataConverter, concurrency: 2 });
  assert.equal(replayed, FILES.length);
  assert.equal(problems.length, 1);
  assert.match(String(stopped), /the server is away/);
});

test('what is no history, or not there, is a clear error', async (t) => {
  const path = join(await folder(t), 'x.json');
  await writeFile(path, '{"events":[]}');
  for (const [file, said] of [
    [path, 'does not begin with the start of a workflow'],
    [`${path}.history`, 'ENOENT'],
  ] as const) {
    const { code, stderr } = await program(['replay', '--file', file]);
    assert.equal(code, 2);
    assert.ok(stderr.includes(file) && stderr.includes(said), stderr);
  }
  const among = await program(['replay', '--file', path, FILES[0]!]);
  assert.equal(among.code, 2);
  assert.match(
    among.stderr,
    /does not begin with the start of a workflow\nmoney-enrichment: The others replay: 1 of 2 histories$/m,
  );
});
