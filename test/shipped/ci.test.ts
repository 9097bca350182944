/** The workflow that tests each change: what it runs, on what, and what it may. */
import assert from 'node:assert/strict';
import { accessSync, constants, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { BASELINE, IMAGE } from './nodes.ts';

interface Job {
  readonly permissions: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: { readonly node: readonly number[] } };
  readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
}

const file = (name: string): URL => new URL(`../../${name}`, import.meta.url);
const workflow = parse(readFileSync(file('.github/workflows/ci.yml'), 'utf8')) as {
  readonly on: {
    readonly push: { readonly branches: readonly string[] };
    readonly pull_request: null;
    readonly schedule: readonly { readonly cron: string }[];
  };
  readonly permissions: object;
  readonly jobs: Readonly<Record<'test' | 'release' | 'audit' | 'image', Job & { readonly if?: string }>>;
};
const { jobs } = workflow;
const runsOf = (job: Job): string[] => job.steps.flatMap(({ run }) => run ?? []);

test('each change runs what must hold, on the Node of the docs and on that of the image', () => {
  const { schedule, ...on } = workflow.on;
  assert.deepEqual(on, { push: { branches: ['main'] }, pull_request: null });
  assert.match(schedule[0]!.cron, / \* \* [0-6]$/, 'once a week, for what was found vulnerable meanwhile');
  assert.equal(runsOf(jobs.test).at(-1), '.ci/run');
  accessSync(file('.ci/run'), constants.X_OK);
  assert.deepEqual(jobs.test.strategy!.matrix.node, [BASELINE, IMAGE]);
});

test('what takes its own time runs once a week', () => {
  assert.equal(jobs.release.if, "github.event_name == 'schedule'");
  assert.equal(runsOf(jobs.release).at(-1), 'npm run test:release');
});

test('known vulnerabilities end it, and the image is built with its provenance and started as compose and chart start it', () => {
  assert.equal(runsOf(jobs.audit).at(-1), 'npm run audit -- --omit=dev --must-answer');
  const [, attested, started] = runsOf(jobs.image);
  assert.match(attested!, /--provenance=mode=max --sbom=true /);
  assert.match(started!, /docker run --rm --read-only --cap-drop ALL money-enrichment --version$/);
});

test('it may read, and nothing else; actions are pinned by commit, and no step has an expression in its shell', () => {
  assert.deepEqual(workflow.permissions, {});
  for (const { permissions, steps } of Object.values(jobs)) {
    assert.deepEqual(permissions, { contents: 'read' });
    for (const { uses, run } of steps) {
      if (uses !== undefined) assert.match(uses, /^actions\/[\w-]+@[0-9a-f]{40}$/);
      if (run !== undefined) assert.ok(!run.includes('${{'), run);
    }
  }
});
