/** `export`: the state of all users, to be looked into or to start from elsewhere. */
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Command, Option } from 'commander';
import { CodedError, messageOf } from '../engine/errors.ts';
import { allSnapshots } from '../tools/export/all.ts';
import { FORMATS, writeSnapshotFile, writeSnapshots, type Format } from '../tools/export/file.ts';
import { fromHistory, fromWorkflows } from '../tools/export/snapshots.ts';
import { runningWorkflows } from '../engine/temporal/running-workflows.ts';
import { connectTemporal, type TemporalClient } from '../engine/temporal/connection.ts';
import { wholeNumber } from './arguments.ts';
import { createContext } from './context.ts';
import { result, streamItems, wantsDocument } from './document.ts';
import { count, progress, sayLine } from './output.ts';
import { printable } from '../engine/printable.ts';
import { WORKFLOW_TYPE } from '../../workflows/messages.ts';

interface Options {
  readonly format: Format;
  readonly offline?: true;
  readonly out?: string;
  readonly dryRun?: true;
  readonly concurrency: number;
}

export function exportCommand(): Command {
  return new Command('export')
    .description(
      'Writes the state of all users, each as its running workflow has it: one JSON object a line, or an Avro container file.\n' +
        'It holds personal data. Exit code 1 when a user could not be read; the others are written all the same.',
    )
    .addOption(
      new Option('--format <format>', 'json: one object a line; avro: a container file')
        .choices(FORMATS)
        .default('json'),
    )
    .option('--offline', 'from the histories in Temporal; needs no worker')
    .option('--out <file>', 'into this file and not to stdout; it is there when all is written')
    .option('--dry-run', 'count the users and try the file, and write nothing')
    .option('--json', 'one JSON document: with --out what was written, else {"users":[...]} with the states themselves')
    .option('--concurrency <n>', 'users at a time', wholeNumber(1, 999), 16)
    .action((options: Options) => exportAll(options));
}

async function exportAll(options: Options): Promise<void> {
  const { format, offline, out, concurrency, dryRun } = options;
  if (format === 'avro' && out === undefined && wantsDocument()) {
    throw new CodedError('CONFIG', '--format avro and --json: a document cannot hold a container file: add --out FILE');
  }
  if (format === 'avro' && out === undefined && dryRun !== true && process.stdout.isTTY) {
    throw new CodedError(
      'CONFIG',
      '--format avro: a container file is not for a terminal: add --out FILE, or redirect stdout',
    );
  }
  const { config, env, identity } = createContext({ requireTemporal: true }, { quiet: true });
  if (out !== undefined) await assertWritable(out);
  const temporal = await connectTemporal(env, identity);
  if (dryRun === true) return countUsers(temporal, config.appId, options);
  const shown = progress('users exported');
  const sum = { taken: 0, failed: 0, unapplied: 0 };
  const take = offline === true ? fromHistory(temporal) : fromWorkflows(temporal);
  const snapshots = allSnapshots(listed(temporal, config.appId), take, concurrency, sum, {
    onTaken: (taken) => shown.update(taken),
    onFailed: (message) => sayLine(`not exported: ${printable(message)}`),
  });
  try {
    if (out !== undefined) await writeSnapshotFile(out, format, snapshots);
    else if (wantsDocument()) await streamItems('users', asJson(snapshots));
    else await writeSnapshots(process.stdout, format, snapshots);
  } finally {
    shown.end();
    await temporal.connection.close();
  }
  const { taken: exported, failed, unapplied } = sum;
  if (wantsDocument()) result({ exported, failed, unapplied, format, out: out ?? null }, () => []);
  sayLine(`${count(sum.taken, 'user')} exported`);
  if (sum.unapplied > 0) {
    sayLine(
      `${count(sum.unapplied, 'user')} of them have events that no worker has applied yet, which are not in it: start one to have them`,
    );
  }
  if (sum.failed > 0) {
    throw new CodedError(
      'CHECK_FAILED',
      `${count(sum.failed, 'user')} could not be exported${offline === true ? '' : '; --offline needs no worker'}`,
    );
  }
}

async function countUsers(temporal: TemporalClient, appId: string, { format, out }: Options): Promise<void> {
  try {
    let users = 0;
    for await (const _ of listed(temporal, appId)) users += 1;
    const where = out === undefined ? 'to stdout' : `into ${out}`;
    result({ dryRun: true, users, format, out: out ?? null }, () => [
      `${count(users, 'user')} would be exported ${where}, as ${format}`,
      'nothing was written: a dry run',
    ]);
  } finally {
    await temporal.connection.close();
  }
}

async function* asJson(snapshots: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const snapshot of snapshots) yield JSON.stringify(snapshot);
}

/** Said before hours of reading. */
async function assertWritable(out: string): Promise<void> {
  try {
    await access(dirname(out), constants.W_OK);
  } catch (error) {
    throw new CodedError('CONFIG', `--out "${printable(out)}": ${messageOf(error)}`, { cause: error });
  }
}

async function* listed({ client, address }: TemporalClient, appId: string): AsyncGenerator<string> {
  try {
    yield* runningWorkflows(client, WORKFLOW_TYPE, appId);
  } catch (error) {
    throw new CodedError(
      'UNREACHABLE',
      `the workflows of "${appId}" at ${address} cannot be listed: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
