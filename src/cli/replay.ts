/** `replay`: recorded histories against the code of this build, before it is deployed. */
import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { CodedError, messageOf } from '../engine/errors.ts';
import { readHistoryFile, writeHistoryFile } from '../engine/temporal/history-files.ts';
import { runningWorkflows } from '../engine/temporal/running-workflows.ts';
import { newestRun, readRuns, type StoredRun } from '../engine/temporal/histories.ts';
import { replayRuns, type ReplayProblem, type ReplayResult } from '../tools/replay/replay.ts';
import { connectTemporal, type TemporalClient } from '../engine/temporal/connection.ts';
import type { Encryption } from '../engine/temporal/key-provider.ts';
import { dataConverterOf } from '../engine/temporal/payload-codec.ts';
import { workflowIdsOf } from '../money/workflow-ids.ts';
import { uuid, wholeNumber } from './arguments.ts';
import { createContext } from './context.ts';
import { result } from './document.ts';
import { count, progress } from './output.ts';
import { printable } from '../engine/printable.ts';
import { WORKFLOW_TYPE } from '../../workflows/messages.ts';

interface Options {
  readonly user?: string;
  readonly file?: readonly string[];
  readonly save?: string;
  readonly concurrency: number;
}

export function replayCommand(): Command {
  return new Command('replay')
    .description(
      'Replays recorded histories against the workflow code of this build: of all running workflows (the newest run of each), of one user (all runs\n' +
        'that are retained), or from files. Exit code 1 when the code gives other commands than recorded: do not deploy it. Changes nothing.',
    )
    .option('--user <userId>', 'all retained runs of this user')
    .option(
      '--file <file...>',
      "histories in files: JSON of --save or of Temporal's tools, or protobuf; needs no Temporal",
    )
    .option('--save <folder>', 'keep the histories that were read as files. They hold personal data')
    .addOption(
      new Option('--concurrency <n>', 'histories at a time')
        .argParser(wholeNumber(1, 1_000))
        .default(availableParallelism(), 'one a core'),
    )
    .action((options: Options) => replay(options));
}

async function replay(options: Options): Promise<void> {
  const { user, file } = options;
  if (user !== undefined && file !== undefined) {
    throw new CodedError('CONFIG', '--user and --file: expected one of them');
  }
  const userId = user === undefined ? undefined : uuid('--user', user);
  const { config, env, identity, encryption } = createContext({ requireTemporal: file === undefined }, { quiet: true });
  await encryption.ready?.();
  if (file !== undefined) return report(await replayed(fromFiles(file), options, encryption));
  const temporal = await connectTemporal(env, encryption, identity);
  try {
    const runs =
      userId === undefined ? ofRunning(temporal, config.appId) : ofUser(temporal, workflowIdsOf(config)(userId));
    return report(await replayed(runs, options, encryption));
  } finally {
    await temporal.connection.close();
  }
}

async function replayed(
  runs: AsyncGenerator<StoredRun>,
  { concurrency, save }: Options,
  encryption: Encryption,
): Promise<ReplayResult> {
  const { DefaultLogger, Runtime } = await import('@temporalio/worker');
  const { ownWorkflows } = await import('../engine/worker/workflow-version.ts');
  // The SDK would print each problem, at length: it is told below.
  const logger = new DefaultLogger('ERROR', () => undefined);
  Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'OFF' } } });
  const { code } = await ownWorkflows(logger);
  const shown = progress('replaying');
  try {
    return await replayRuns(save === undefined ? runs : saving(runs, save), {
      bundle: { code },
      dataConverter: dataConverterOf(encryption),
      concurrency,
      onReplayed: (done) => shown.update(done),
    });
  } finally {
    shown.end();
  }
}

/** What cannot be read is told at the end: the others are replayed. */
async function* fromFiles(files: readonly string[]): AsyncGenerator<StoredRun> {
  const unreadable: string[] = [];
  for (const file of files) {
    let run: StoredRun;
    try {
      run = await readHistoryFile(file);
    } catch (error) {
      unreadable.push(messageOf(error));
      continue;
    }
    yield run;
  }
  if (unreadable.length === 0) return;
  const rest = files.length - unreadable.length;
  const others = rest === 0 ? '' : `\nThe others replay: ${rest.toLocaleString('en')} of ${historiesOf(files.length)}`;
  throw new CodedError('CONFIG', `${unreadable.join('\n')}${others}`);
}

async function* ofRunning({ client, address }: TemporalClient, appId: string): AsyncGenerator<StoredRun> {
  try {
    for await (const workflowId of runningWorkflows(client, WORKFLOW_TYPE, appId)) {
      const run = await newestRun(client, workflowId);
      if (run !== undefined) yield run;
    }
  } catch (error) {
    throw new CodedError(
      'UNREACHABLE',
      `the histories of "${appId}" at ${address} cannot be read: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function* ofUser({ client, address, namespace }: TemporalClient, workflowId: string): AsyncGenerator<StoredRun> {
  const runs = await readRuns(client, workflowId).catch((error: unknown) => {
    throw new CodedError(
      'UNREACHABLE',
      `the history of "${workflowId}" at ${address} cannot be read: ${messageOf(error)}`,
      { cause: error },
    );
  });
  if (runs === undefined) {
    throw new CodedError('NOT_FOUND', `no workflow "${workflowId}" in namespace "${namespace}" of ${address}`);
  }
  yield* runs;
}

async function* saving(runs: AsyncIterable<StoredRun>, folder: string): AsyncGenerator<StoredRun> {
  for await (const run of runs) {
    await writeHistoryFile(folder, run).catch((error: unknown) => {
      throw new CodedError('CONFIG', `--save "${folder}": ${messageOf(error)}`, { cause: error });
    });
    yield run;
  }
}

function report(found: ReplayResult): void {
  const { stopped, ...known } = found;
  const { replayed, events, problems } = known;
  // What was found is not lost with what could not be had.
  if (stopped !== undefined && problems.length === 0) throw stopped;
  result(known, () => {
    if (replayed === 0) return [...problems.map(textOf), 'no history: nothing was replayed'];
    if (problems.length > 0) return problems.map(textOf);
    return [`${historiesOf(replayed)} replayed, ${count(events, 'event')}: this code does what was recorded`];
  });
  if (problems.length > 0) {
    const notAll = stopped === undefined ? '' : `. They are not all: ${messageOf(stopped)}`;
    throw new CodedError(
      'CHECK_FAILED',
      `${problems.length.toLocaleString('en')} of ${historiesOf(replayed)} do not replay: do not deploy this code${notAll}`,
    );
  }
}

function textOf({ workflowId, runId, kind, message, place }: ReplayProblem): string {
  const lines = [`${kind} in workflow ${printable(workflowId)}${runId === '' ? '' : `, run ${runId}`}`];
  if (place !== undefined) {
    lines.push(`  at event ${place.event} WorkflowTaskCompleted of ${place.at}`);
    lines.push(`  recorded: ${place.recorded.length === 0 ? 'no command' : place.recorded.join(', ')}`);
  }
  return [...lines, `  ${printable(message)}`].join('\n');
}

function historiesOf(number: number): string {
  return `${number.toLocaleString('en')} ${number === 1 ? 'history' : 'histories'}`;
}
