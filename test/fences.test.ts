/** The architecture as lint holds it: an import over each fence is found, and one within is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';

const lint = new ESLint({
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  // The files are not there: nothing is known of their types.
  overrideConfig: {
    languageOptions: { parserOptions: { projectService: false } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/no-misused-promises': 'off',
      '@typescript-eslint/no-unused-vars': 'off',
    },
  },
});

async function complaintsOf(filePath: string, from: string): Promise<string[]> {
  const [result] = await lint.lintText(`import { it } from '${from}';\n`, { filePath });
  return result!.messages.map(({ message }) => message);
}

const OVER: readonly (readonly [file: string, from: string, why: RegExp])[] = [
  ['src/engine/bridge/a.ts', '../../money/domain/events.ts', /engine knows no application/],
  ['src/engine/publish/a.ts', '../../../workflows/messages.ts', /engine knows no application/],
  ['src/engine/ordering/a.ts', '../../../activities/contract.ts', /engine knows no application/],
  ['src/engine/kafka/kafkajs/a.ts', '../../../money/config.ts', /engine knows no application/],
  ['src/engine/process/a.ts', '../../cli/output.ts', /knows no tool/],
  ['src/engine/bridge/a.ts', 'kafkajs', /Only src\/engine\/kafka\/kafkajs/],
  ['src/engine/workflow/a.ts', 'node:fs', /no Node modules/],
  ['src/money/worker/a.ts', '../../tools/explain/fold.ts', /knows no tool/],
  ['src/money/domain/a.ts', '../codec/decode.ts', /nothing else/],
  ['src/money/domain/a.ts', '../../engine/bridge/bridge.ts', /nothing else/],
  ['src/money/domain/a.ts', '@temporalio/workflow', /nothing else/],
  ['src/money/domain/a.ts', '../../engine/workflow/entity/sdk-port.ts', /nothing else/],
  ['src/money/model/a.ts', 'avsc', /nothing but what is beside it/],
  ['src/money/model/a.ts', '../domain/events.ts', /nothing but what is beside it/],
  ['src/money/model/a.ts', 'node:crypto', /nothing but what is beside it/],
  ['workflows/a.ts', 'node:fs', /no Node modules/],
  ['workflows/a.ts', '../src/tools/replay/replay.ts', /knows no tool/],
  ['activities/a.ts', '../src/dev/stack.ts', /knows no tool/],
  ['src/tools/explain/a.ts', '../../cli/output.ts', /no part of the command line/],
  ['src/engine/bridge/a.ts', '../../library/bridge.ts', /entry points of the package import this/],
  ['src/money/worker/a.ts', '../../library/publisher.ts', /entry points of the package import this/],
  ['src/library/a.ts', '../money/domain/events.ts', /engine knows no application/],
  ['examples/bridge-only/a.ts', '../../src/engine/bridge/bridge.ts', /entry points of the package/],
  ['src/cli/a.ts', '../../test/support/system.ts', /What is shipped/],
  ['src/dev/a.ts', '../../verification/simulation/run.ts', /What is shipped/],
];

for (const [file, from, why] of OVER) {
  test(`${file} must not import ${from}`, async () => {
    const complaints = await complaintsOf(file, from);
    assert.equal(complaints.length, 1, complaints.join('\n'));
    assert.match(complaints[0]!, why);
  });
}

test('imports downwards are free', async () => {
  for (const [file, from] of [
    ['src/money/bridge/a.ts', '../../engine/bridge/bridge.ts'],
    ['src/tools/explain/a.ts', '../../money/domain/events.ts'],
    ['src/tools/demo/a.ts', '../../dev/stack.ts'],
    ['src/cli/a.ts', '../tools/explain/fold.ts'],
    ['src/engine/kafka/kafkajs/a.ts', 'kafkajs'],
    ['workflows/a.ts', '../src/engine/workflow/alarm.ts'],
    ['src/money/domain/a.ts', '../../engine/workflow/redelivery.ts'],
    ['test/a.ts', '../src/cli/main.ts'],
    ['examples/bridge-only/a.ts', 'money-enrichment/bridge'],
    ['src/library/a.ts', '../engine/bridge/bridge.ts'],
  ] as const) {
    assert.deepEqual(await complaintsOf(file, from), [], file);
  }
});
