/**
 * One version of the workflows: their bundle, the build id that Temporal knows it by, and the schemas of what it stores. As a
 * file, `dist/workflows.json` of a build, it can be run by the worker of a later version for as long as runs are pinned to it.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger as TemporalLogger } from '@temporalio/worker';
import { CodedError, messageOf } from '../errors.ts';
import { todaysSchemas, type SchemaFile } from '../stored/schema.ts';
import { productVersion } from '../process/version.ts';

export interface WorkflowVersion {
  /** `<version of the package>-<digest of the code>`: the same wherever the same code was built. */
  readonly buildId: string;
  readonly code: string;
  readonly schemas: SchemaFile;
}

/** Of code that runs in the sandbox, beside the workflows. */
const FAILURES = fileURLToPath(
  new URL(`../workflow/encoded-failures${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

/** Bundles the workflows of a folder. */
export async function bundleWorkflows(workflowsPath: string, logger: TemporalLogger): Promise<WorkflowVersion> {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [join(dirname(workflowsPath), `interceptors${extname(workflowsPath)}`)],
    failureConverterPath: FAILURES,
    logger,
  });
  // Where the folder is stands in the bundle as well, and in its source map.
  const [own = ''] = code
    .replaceAll(fileURLToPath(new URL('../../..', import.meta.url)), '/')
    .split('//# sourceMappingURL');
  const digest = createHash('sha256').update(own).digest('hex').slice(0, 12);
  return { buildId: `${productVersion()}-${digest}`, code, schemas: { ...todaysSchemas(), version: productVersion() } };
}

/** This version's: built ahead by `npm run build`, beside the compiled code; a checkout bundles its sources at the start (2 s). */
export async function ownWorkflows(logger: TemporalLogger): Promise<WorkflowVersion> {
  const built = fileURLToPath(new URL('../../../workflows.json', import.meta.url));
  if (existsSync(built)) return JSON.parse(readFileSync(built, 'utf8')) as WorkflowVersion;
  return bundleWorkflows(fileURLToPath(new URL('../../../workflows/index.ts', import.meta.url)), logger);
}

/** Throws CodedError CONFIG for a file that is none. `setting`: what names the file, for people. */
export async function readWorkflows(file: string, setting: string): Promise<WorkflowVersion> {
  try {
    const { buildId, code, schemas } = JSON.parse(await readFile(file, 'utf8')) as Partial<WorkflowVersion>;
    if (typeof buildId !== 'string' || typeof code !== 'string' || !Array.isArray(schemas?.records)) {
      throw new Error('it has no buildId, code or schemas');
    }
    return { buildId, code, schemas };
  } catch (error) {
    throw new CodedError(
      'CONFIG',
      `${setting}: "${file}": expected the file dist/workflows.json of an older build: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
