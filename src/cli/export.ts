/** `export`: the state of all users, to be looked into or to start from elsewhere. */
import { Command, Option } from 'commander';
import { CodedError, messageOf } from '../engine/errors.ts';
import { allSnapshots } from '../tools/export/all.ts';
import { FORMATS, writeSnapshotFile, writeSnapshots, type Format } from '../tools/export/file.ts';
import { fromHistory, fromWorkflows } from '../tools/export/snapshots.ts';
import { runningWorkflows } from '../engine/temporal/running-workflows.ts';
import { connectTemporal, type TemporalClient } from '../engine/temporal/connection.ts';
import { wholeNumber } from './arguments.ts';
import { createContext } from './context.ts';
import { count, progress } from './output.ts';
import { printable } from '../engine/printable.ts';
import { WORKFLOW_TYPE } from '../../workflows/messages.ts';

interface Options {
  readonly format: Format;
  readonly offline?: true;
  readonly out?: string;
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
    .option('--concurrency <n>', 'users at a time', wholeNumber(1, 999), 16)
    .action((options: Options) => exportAll(options));
}

async function exportAll({ format, offline, out, concurrency }: Options): Promise<void> {
  if (format === 'avro' && out === undefined && process.stdout.isTTY) {
    throw new CodedError(
      'CONFIG',
      '--format avro: a container file is not for a terminal: add --out FILE, or redirect stdout',
    );
  }
  const { config, env, encryption } = createContext({ requireTemporal: true }, { quiet: true });
  const temporal = await connectTemporal(env, encryption);
  const shown = progress('users exported');
  const sum = { taken: 0, failed: 0, unapplied: 0 };
  const take = offline === true ? fromHistory(temporal) : fromWorkflows(temporal);
  const snapshots = allSnapshots(listed(temporal, config.appId), take, concurrency, sum, {
    onTaken: (taken) => shown.update(taken),
    onFailed: (message) => say(`not exported: ${printable(message)}`),
  });
  try {
    await (out === undefined
      ? writeSnapshots(process.stdout, format, snapshots)
      : writeSnapshotFile(out, format, snapshots));
  } finally {
    shown.end();
    await temporal.connection.close();
  }
  say(`${count(sum.taken, 'user')} exported`);
  if (sum.unapplied > 0) {
    say(
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

function say(text: string): void {
  process.stderr.write(`${text}\n`);
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
