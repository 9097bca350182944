/** Histories that every release recorded give the same commands with today's code; with another order of commands they do not. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { dataConverter } from '../../src/engine/temporal/payload-codec.ts';
import { USER } from '../money/domain/given.ts';
import { namesOf, readBytes, versions } from './fixtures.ts';
import { WORKFLOW_SOURCES } from '../support/workflow-sources.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { History } = proto.temporal.api.history.v1;
const logger = new DefaultLogger('ERROR', () => undefined);
Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'OFF' } } });

const bundleOf = (root: string) => bundleWorkflowCode({ workflowsPath: join(root, 'workflows', 'index.ts'), logger });
const today = bundleOf(ROOT);

async function replay(bundle: { code: string }, version: string, name: string): Promise<void> {
  const history = History.decode(readBytes(version, `histories/${name}.history`));
  await Worker.runReplayHistory({ workflowBundle: bundle, dataConverter }, history, USER);
}

const runsOf = (version: string): string[] => namesOf(version, 'histories').filter((name) => name !== 'expected');

for (const version of versions()) {
  describe(`the histories of ${version}`, () => {
    it('cross a continue-as-new', () => assert.ok(runsOf(version).length >= 2));

    for (const name of runsOf(version)) {
      it(`replay: ${name}`, async () => replay(await today, version, name));
    }
  });
}

describe('negative controls', () => {
  const CHANGES: readonly (readonly [string, string, string, string])[] = [
    [
      'another order of commands',
      'src/engine/workflow/entity/run-entity.ts',
      '    publishResolved();\n    questions.ask();\n    setAlarm();\n',
      '    setAlarm();\n    questions.ask();\n    publishResolved();\n',
    ],
    [
      'one timer more',
      'src/engine/workflow/entity/run-entity.ts',
      '  goOn();\n  for (;;) {\n',
      '  port.timer(60_000, () => undefined);\n  goOn();\n  for (;;) {\n',
    ],
  ];
  for (const [what, file, before, after] of CHANGES) {
    it(`does not replay with ${what}`, async () => {
      const root = await mkdtemp(join(tmpdir(), 'changed-workflow-'));
      try {
        await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
        for (const folder of WORKFLOW_SOURCES) await cp(join(ROOT, folder), join(root, folder), { recursive: true });
        const text = await readFile(join(ROOT, file), 'utf8');
        assert.ok(text.includes(before), `${file} is not what this control was written for`);
        await writeFile(join(root, file), text.replace(before, after));
        const bundle = await bundleOf(root);
        for (const version of versions()) {
          const failures = await Promise.all(
            runsOf(version).map((name) =>
              replay(bundle, version, name).then(
                () => undefined,
                (error: Error) => error,
              ),
            ),
          );
          assert.ok(
            failures.some((error) => error?.name === 'DeterminismViolationError'),
            `${version}: ${failures.map((error) => error?.name).join(', ')}`,
          );
        }
      } finally {
        await rm(root, { recursive: true, force: true });
      }
    });
  }
});
