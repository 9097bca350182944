/** `nudge`: idle workflows go on with the code of today. */
import { Command } from 'commander';
import { systemClock } from '../engine/clock.ts';
import { CodedError, messageOf } from '../engine/errors.ts';
import { currentVersion } from '../tools/nudge/current-version.ts';
import { nudge } from '../tools/nudge/nudge.ts';
import { connectTemporal } from '../engine/temporal/connection.ts';
import { workflowIdsOf } from '../money/workflow-ids.ts';
import { uuid, wholeNumber } from './arguments.ts';
import { createContext } from './context.ts';
import { result } from './document.ts';
import { count, progress, sayLine } from './output.ts';
import { printable } from '../engine/printable.ts';
import { onStopSignal } from '../engine/process/stop-signal.ts';

interface Options {
  readonly user?: string;
  readonly all?: true;
  readonly dryRun?: true;
  readonly rate: number;
  readonly wait: number;
}

/** Workflow ids that are named when some do not move. */
const NAMED = 5;

export function nudgeCommand(): Command {
  return new Command('nudge')
    .description(
      'Makes the workflows continue as new, so that idle ones go on with the code of today as well. With ENRICHMENT_DEPLOYMENT only\n' +
        'those that are not on its current version yet. Waits until all have; exit code 1 when some have not.',
    )
    .option('--user <userId>', "only this user's")
    .option('--all', 'also those on the current version')
    .option('--dry-run', 'count them, and signal none')
    .option('--rate <n>', 'workflows signalled a second at most', wholeNumber(1, 100_000), 50)
    .option('--wait <seconds>', 'without any that moves, until it is given up', wholeNumber(1, 86_400), 60)
    .action((options: Options) => run(options));
}

async function run({ user, all, dryRun, rate, wait }: Options): Promise<void> {
  const userId = user === undefined ? undefined : uuid('--user', user);
  const { config, env, identity, encryption } = createContext({ requireTemporal: true }, { quiet: true });
  const temporal = await connectTemporal(env, encryption, identity);
  const stopping = new AbortController();
  void onStopSignal().then(() =>
    stopping.abort(new CodedError('CHECK_FAILED', 'stopped: what was signalled continues as new all the same')),
  );
  const shown = progress('workflows continued');
  try {
    const { client, namespace, address } = temporal;
    const { deployment, appId } = config;
    const current = deployment === undefined ? undefined : await currentVersion(client, namespace, deployment);
    const options = {
      appId,
      rate,
      patience: wait * 1_000,
      dryRun: dryRun === true,
      current: all === true ? undefined : current,
      workflowId: userId && workflowIdsOf(config)(userId),
    };
    const { found, left, refused } = await nudge(client, options, systemClock, stopping.signal, (over, of) =>
      shown.update(over, of),
    ).catch((error: unknown) => {
      if (error instanceof CodedError) throw error;
      throw new CodedError(
        'UNREACHABLE',
        `the workflows of "${appId}" at ${address} cannot be nudged: ${messageOf(error)}`,
        { cause: error },
      );
    });
    const refusals = [...refused].map(([id, message]) => ({ workflowId: id, message }));
    result({ found, left: left.length, refused: refusals, current: current ?? null, dryRun: dryRun === true }, () =>
      dryRun === true
        ? `${count(found, 'workflow')} would be nudged${current === undefined ? '' : ` to ${current}`}`
        : `${count(found - left.length, 'workflow')} continued as new${current === undefined ? '' : ` on ${current}`}`,
    );
    for (const { workflowId, message } of refusals.slice(0, NAMED)) {
      sayLine(`${printable(workflowId)}: not signalled: ${message}`);
    }
    if (left.length > 0 && dryRun !== true) {
      throw new CodedError(
        'CHECK_FAILED',
        `${count(left.length, 'workflow')} did not (${left.slice(0, NAMED).map(printable).join(', ')}${left.length > NAMED ? ', ...' : ''}): is there a worker for the version that each is on?`,
      );
    }
  } finally {
    shown.end();
    await temporal.connection.close();
  }
}
