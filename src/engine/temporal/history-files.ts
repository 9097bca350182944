/**
 * Recorded histories as files: `.json` as Temporal's own tools write it (`temporal workflow show --output json`, "Download"
 * in the UI), and any other name as Temporal's protobuf.
 */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import proto from '@temporalio/proto';
import { CodedError, messageOf } from '../errors.ts';
import { startedOf, type StoredRun } from './histories.ts';

const { History } = proto.temporal.api.history.v1;

/** Errors: CodedError CONFIG when it cannot be read, or is no history. */
export async function readHistoryFile(file: string): Promise<StoredRun> {
  try {
    const bytes = await readFile(file);
    const history =
      extname(file) === '.json' ? historyFromJSON(JSON.parse(bytes.toString()) as unknown) : History.decode(bytes);
    const started = startedOf(history);
    if (started === undefined) throw new Error('it does not begin with the start of a workflow');
    return {
      workflowId: started.workflowId || basename(file, extname(file)),
      runId: started.originalExecutionRunId ?? '',
      history,
    };
  } catch (error) {
    throw new CodedError(
      'CONFIG',
      `"${file}": expected the history of a workflow, in JSON as Temporal's tools write it (.json) or in protobuf: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** As `<workflow id>.<run id>.json` in the folder, `/` in the id as `_`, for its owner only: it holds personal data. Returns the path. */
export async function writeHistoryFile(folder: string, { workflowId, runId, history }: StoredRun): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${workflowId.replace(/[^A-Za-z0-9._-]/g, '_')}.${runId}.json`);
  await writeFile(file, historyToJSON(history), { mode: 0o600 });
  await chmod(file, 0o600); // of a file that was there, the mode of its making counts
  return file;
}
