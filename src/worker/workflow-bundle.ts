import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger as TemporalLogger } from '@temporalio/worker';

/** Built ahead by `npm run build`, beside the compiled code; a checkout bundles its sources at the start (2 s). */
export async function loadWorkflowBundle(logger: TemporalLogger): Promise<{ code: string }> {
  const built = fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url));
  if (existsSync(built)) return { code: readFileSync(built, 'utf8') };
  const { code } = await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)), logger });
  return { code };
}
