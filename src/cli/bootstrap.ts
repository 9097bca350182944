/** `bootstrap`: the state of all users from the history, so that the live system goes on where the history ends. */
import { Command } from 'commander';
import { identityOf } from '../tools/backfill/plan.ts';
import { bootstrap, dryRun, type BootstrapProgress, type Summary } from '../tools/bootstrap/bootstrap.ts';
import { startWorkflows } from '../tools/bootstrap/start-workflows.ts';
import { bridgeSettings, checkTopics } from '../money/bridge/settings.ts';
import { systemClock } from '../engine/clock.ts';
import { ALLOW_SPLIT_USERS, userOfKey } from '../money/codec/user-of-key.ts';
import { assertNoSplitKeys } from '../engine/co-partitioning/split-keys.ts';
import { formatDuration } from '../engine/process/environment-reader.ts';
import { CodedError } from '../engine/errors.ts';
import { digestOfFile, readSnapshotFile } from '../tools/export/read-file.ts';
import { commonPartitionCount } from '../engine/kafka/kafkajs/assigner.ts';
import { createKafka } from '../engine/kafka/kafkajs/create-kafka.ts';
import { openTransactions } from '../engine/kafka/open-transactions.ts';
import type { KafkaClient, KafkaPort } from '../engine/kafka/port.ts';
import { inputDecoders } from '../money/codec/value-format.ts';
import { connectTemporal } from '../engine/temporal/connection.ts';
import { workflowIdsOf } from '../money/workflow-ids.ts';
import { wholeNumber } from './arguments.ts';
import { tellingDecoders } from './telling-decoders.ts';
import { createContext, reachKafka, type Context } from './context.ts';
import { result } from './document.ts';
import { count, progress, saidSeldom } from './output.ts';
import { onStopSignal } from '../engine/process/stop-signal.ts';

interface Options {
  readonly publish?: true;
  readonly dryRun?: true;
  readonly from?: string;
  readonly rate: number;
  readonly allowSplitUsers?: true;
}

export function bootstrapCommand(): Command {
  return new Command('bootstrap')
    .description(
      'Builds the state of all users from the input topics up to now, starts their workflows with it, and leaves the consumer group where the\n' +
        'live bridge goes on. No bridge may run meanwhile. What was interrupted goes on when the same command is run again.',
    )
    .option('--publish', 'the workflows also publish the enriched money and the dead letters of the history')
    .option('--dry-run', 'compute and count, and write nothing')
    .option('--from <file>', 'the state from a file of "export" instead; the consumer group stays as it is')
    .option('--rate <n>', 'workflows started a second at most', wholeNumber(1, 100_000), 200)
    .option(
      '--allow-split-users',
      'do not look for users that are in two partitions, which reads the keys of all inputs first',
    )
    .action((options: Options) => run(options));
}

async function run(options: Options): Promise<void> {
  if (options.from !== undefined && options.publish === true) {
    throw new CodedError('CONFIG', '--from does not go with --publish: a file has no history');
  }
  const context = createContext({ requireKafka: true, requireTemporal: options.dryRun !== true }, { quiet: true });
  await reachKafka(context);
  const stopping = new AbortController();
  void onStopSignal().then(() =>
    stopping.abort(new CodedError('CHECK_FAILED', 'stopped: run the same command again, and it goes on')),
  );
  const kafka = createKafka(context.config.kafka!, context.logger);
  try {
    if (options.from === undefined) await fromHistory(kafka, context, options, stopping.signal);
    else await fromFile(kafka, context, options.from, options, stopping.signal);
  } finally {
    await kafka.close();
  }
}

async function fromHistory(
  kafka: KafkaClient,
  { config, env, logger, identity, encryption }: Context,
  options: Options,
  stopping: AbortSignal,
): Promise<void> {
  const { shards, deadLetterPartitions } = await checkTopics(kafka, config.topics);
  const bridge = bridgeSettings(config, deadLetterPartitions);
  const counts = await kafka.partitionCounts(bridge.inputTopics);
  const publish = options.publish === true;
  const settings = {
    bridge,
    config,
    shards,
    rate: options.rate,
    publish,
    partitions: commonPartitionCount(
      bridge.inputTopics.map((topic, index) => ({ topic, partitions: counts[index] ?? 0 })),
    ),
    identity: `${identityOf(config, { from: -Infinity, to: Infinity })} idle-timeout=${formatDuration(config.idleTimeout)} publish=${publish}`,
  };
  const deps = { kafka, clock: systemClock, logger, decoders: tellingDecoders(inputDecoders(config, systemClock)) };
  const shown = progress('records read');
  const onProgress = ({ read, total }: BootstrapProgress): void => shown.update(read, total);
  const temporal = options.dryRun === true ? undefined : await connectTemporal(env, encryption, identity);
  try {
    for (const line of await openTransactions(kafka, bridge.inputTopics, settings.partitions)) {
      process.stderr.write(`${line}\n`);
    }
    if (options.allowSplitUsers !== true && settings.partitions > 1) {
      const looking = {
        inputTopics: bridge.inputTopics,
        groupPrefix: `${config.appId}-bootstrap-users`,
        keyOf: userOfKey,
        stopping,
        onProgress: (done: number, total: number) => shown.update(done, total),
      };
      await assertNoSplitKeys(kafka, looking, workflowIdsOf(config), ALLOW_SPLIT_USERS);
    }
    const summary =
      temporal === undefined
        ? await dryRun(settings, deps, stopping, onProgress)
        : await bootstrap(
            settings,
            { ...deps, client: temporal.client.workflow, onRetry: saidSeldom() },
            stopping,
            onProgress,
          );
    result({ ...summary, dryRun: options.dryRun === true }, () => linesOf(summary, options));
  } finally {
    shown.end();
    await temporal?.connection.close();
  }
}

async function fromFile(
  kafka: KafkaPort,
  { config, env, logger, identity, encryption }: Context,
  file: string,
  options: Options,
  stopping: AbortSignal,
): Promise<void> {
  const { shards } = await checkTopics(kafka, config.topics);
  const name = await digestOfFile(file);
  if (options.dryRun === true) return countFile(file, shards);
  const temporal = await connectTemporal(env, encryption, identity);
  const sum = { started: 0, there: 0 };
  const shown = progress('workflows started');
  const timer = setInterval(() => shown.update(sum.started + sum.there), 500);
  try {
    await startWorkflows(
      readSnapshotFile(file),
      { config, shards, rate: options.rate, name },
      { client: temporal.client.workflow, clock: systemClock, logger, onRetry: saidSeldom() },
      stopping,
      sum,
    );
    result(sum, () => startedLine(sum));
  } finally {
    clearInterval(timer);
    shown.end();
    await temporal.connection.close();
  }
}

/** Reads all of it, as a run would. */
async function countFile(file: string, shards: number): Promise<void> {
  let users = 0;
  for await (const _ of readSnapshotFile(file)) users += 1;
  result({ dryRun: true, users, shards }, () => [
    `${count(users, 'workflow')} would be started, of ${count(shards, 'shard')}; those that run already stay as they are`,
    'nothing was written: a dry run',
  ]);
}

function linesOf(summary: Summary, { publish, dryRun: dry }: Options): string[] {
  const { partitions, done, read, users, money, pending, lookups, outputs, deadLetters } = summary;
  if (done === partitions) return ['all partitions were done before: nothing to do, start the bridge'];
  const lines = [
    ...(done > 0 ? [`${count(done, 'partition')} of ${partitions} done before`] : []),
    `${count(read, 'record')} read: ${count(users, 'user')}, ${money.toLocaleString('en')} money applied, ${count(deadLetters, 'dead letter')}`,
    publish === true
      ? `to be published by the workflows: ${count(outputs, 'output')} and ${count(lookups, 'lookup')}; ${pending.toLocaleString('en')} money waits for its session`
      : `${pending.toLocaleString('en')} money waits for its session and will come out; what the history has decided is not published`,
  ];
  return dry === true
    ? [...lines, 'nothing was written: a dry run']
    : [...lines, startedLine(summary), 'done: start the bridge and a worker'];
}

function startedLine({ started, there }: { readonly started: number; readonly there: number }): string {
  return `${count(started, 'workflow')} started${there > 0 ? `, ${there.toLocaleString('en')} had been started before` : ''}`;
}
