/** What the workflow that publishes the package may do, and does. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly if?: string;
  readonly needs?: string;
  readonly permissions: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const text = read('.github/workflows/publish.yml');
const workflow = parse(text) as {
  readonly on: { readonly workflow_dispatch: { readonly inputs: { readonly publish: { readonly default: boolean } } } };
  readonly permissions: object;
  readonly jobs: Readonly<Record<'build' | 'publish', Job>>;
};
const { build, publish } = workflow.jobs;

const runsOf = (job: Job): string[] => job.steps.flatMap(({ run }) => run ?? []);
const actionsOf = (job: Job): string[] => job.steps.flatMap(({ uses }) => uses?.replace(/@.*/, '') ?? []);

test('it starts by hand only, and publishes only where that is asked for', () => {
  assert.deepEqual(Object.keys(workflow.on), ['workflow_dispatch']);
  assert.equal(workflow.on.workflow_dispatch.inputs.publish.default, false);
  assert.deepEqual(Object.keys(workflow.jobs), ['build', 'publish']);
  assert.equal(publish.if, 'inputs.publish');
});

test('permissions are the least: who builds may read, who publishes has an identity and runs nothing of the repository', () => {
  assert.deepEqual(workflow.permissions, {});
  assert.deepEqual(build.permissions, { contents: 'read' });
  assert.deepEqual(publish.permissions, { 'id-token': 'write' });
  assert.deepEqual(actionsOf(publish), ['actions/setup-node', 'actions/download-artifact']);
  assert.equal(runsOf(publish).length, 1);
  assert.ok(!text.includes('secrets.'));
});

test('what is published is what was tested, with provenance; its SBOM lies beside it', () => {
  const runs = runsOf(build);
  const at = (start: string): number => runs.findIndex((run) => run.startsWith(start));
  const order = [
    'npm ci',
    'npm run audit -- --omit=dev --must-answer',
    'npm run test:release',
    'npm pkg set repository',
    'mkdir package && npm run --silent sbom >',
    'npm pack',
  ];
  assert.ok(order.every((start) => at(start) >= 0));
  assert.deepEqual(order.map(at), [...order.keys()]);
  assert.match((JSON.parse(read('package.json')) as { scripts: { sbom: string } }).scripts.sbom, /^npm sbom /);
  assert.equal(publish.needs, 'build');
  assert.match(runsOf(publish)[0]!, /^npm publish \.\/package\/\*\.tgz --provenance( |$)/);
  const artifacts = [...build.steps, ...publish.steps].filter(({ uses }) => uses?.includes('-artifact@'));
  assert.deepEqual(
    artifacts.map((step) => [step.with!['name'], step.with!['path']]),
    [
      ['package', 'package'],
      ['package', 'package'],
    ],
  );
});

test('actions are pinned by commit, no step has an expression in its shell, and no registry is named', () => {
  for (const { uses, run } of [...build.steps, ...publish.steps]) {
    if (uses !== undefined) assert.match(uses, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    if (run !== undefined) assert.ok(!run.includes('${{'), run);
  }
  assert.doesNotMatch(text, /https?:|registry-url|npmrc/);
});

test('package.json names no repository, since none is known: the run that publishes puts in its own', () => {
  const manifest = JSON.parse(read('package.json')) as object;
  for (const name of ['repository', 'bugs', 'homepage']) assert.ok(!Object.hasOwn(manifest, name), name);
});
