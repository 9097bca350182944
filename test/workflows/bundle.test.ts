import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { WORKFLOW_TYPE } from '../../workflows/messages.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('the workflows make a bundle with nothing of Node in it', async () => {
  const logger = new DefaultLogger('WARN', ({ message }) => assert.fail(message));
  const { code } = await bundleWorkflowCode({ workflowsPath: `${ROOT}/workflows/index.ts`, logger });
  assert.ok(code.includes(WORKFLOW_TYPE));
  const [withoutMap = ''] = code.split('//# sourceMappingURL');
  assert.deepEqual(withoutMap.match(/["']node:[a-z/]+["']/g), null);
  const required = [...withoutMap.matchAll(/\brequire\(["']([^"']+)["']\)/g)].map(([, name]) => name!);
  assert.deepEqual(
    required.filter((name) => builtinModules.includes(name)),
    [],
  );
  for (const library of ['kafkajs', 'avsc', 'pino', 'heap-js']) {
    assert.ok(!withoutMap.includes(`node_modules/${library}/`), library);
  }
});

test('workflows, the domain and the contract of the activities import nothing of Node, and activities by type only', () => {
  const files = ['workflows', 'src/money/domain', 'src/engine/workflow'].flatMap((folder) =>
    readdirSync(`${ROOT}/${folder}`)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  );
  for (const file of [...files, 'activities/contract.ts']) {
    const text = readFileSync(`${ROOT}/${file}`, 'utf8');
    assert.ok(!text.includes("'node:"), file);
    for (const [line] of text.matchAll(/^import .*from '\.\.\/activities\/.*$/gm)) {
      assert.ok(line.startsWith('import type') || line.includes('contract.ts'), `${file}: ${line}`);
    }
    if (file.startsWith('src/money/domain')) {
      assert.deepEqual(
        [...text.matchAll(/from '([^']+)'/g)]
          .map(([, from]) => from)
          .filter((from) => !/^(\.|\.\.\/\.\.\/engine\/workflow)\//.test(from!)),
        [],
        file,
      );
    }
  }
});
