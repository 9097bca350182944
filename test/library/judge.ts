/** Runs a file that declares the conformance suite, and reads what became of its tests. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** Titles of the tests, by what became of them. */
export async function judge(
  suite: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Record<'passed' | 'skipped' | 'failed', string[]>> {
  const { NODE_TEST_CONTEXT: _, ...rest } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', '--test-reporter', 'tap', suite], {
    env: { ...rest, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const judged = { passed: [] as string[], skipped: [] as string[], failed: [] as string[] };
  for (const [, not, title, skipped] of (await text(child.stdout)).matchAll(/^(not )?ok \d+ - (.*?)( # SKIP.*)?$/gm)) {
    judged[not !== undefined ? 'failed' : skipped !== undefined ? 'skipped' : 'passed'].push(
      `${title}${skipped ?? ''}`,
    );
  }
  return judged;
}
