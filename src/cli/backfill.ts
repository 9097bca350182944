/**
 * `backfill`: the parent checks, creates the topic, starts members (this command again, with --member) and shows how far
 * all of them are; a member computes. Members do not outlive the parent.
 */
import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { httpSessionService } from '../../activities/session-service.ts';
import { barOf, lineOf, summaryOf } from '../tools/backfill/display.ts';
import { BackfillLookups } from '../tools/backfill/lookups.ts';
import { runMember, type MemberSettings } from '../tools/backfill/member.ts';
import { planBackfill, type Window } from '../tools/backfill/plan.ts';
import { readStatus, type BackfillStatus } from '../tools/backfill/status.ts';
import { assertFree, ensureTarget, lookAtTarget } from '../tools/backfill/target.ts';
import { DEFAULT_SHARDS } from '../money/topics/missing-topics.ts';
import { Written } from '../tools/backfill/written.ts';
import { systemClock } from '../engine/clock.ts';
import { ALLOW_SPLIT_USERS, userOfKey } from '../money/codec/user-of-key.ts';
import { assertNoSplitKeys } from '../engine/co-partitioning/split-keys.ts';
import type { Config } from '../money/config.ts';
import { CodedError, messageOf } from '../engine/errors.ts';
import { createKafka } from '../engine/kafka/kafkajs/create-kafka.ts';
import { openTransactions } from '../engine/kafka/open-transactions.ts';
import type { KafkaPort } from '../engine/kafka/port.ts';
import { startChild, type Child } from '../dev/processes.ts';
import { ownProgram } from '../dev/product.ts';
import { inputDecoders, outputEncoder } from '../money/codec/value-format.ts';
import { workflowIdsOf } from '../money/workflow-ids.ts';
import { time, wholeNumber } from './arguments.ts';
import { tellingDecoders } from './telling-decoders.ts';
import { createContext, reachKafka, type Context } from './context.ts';
import { result } from './document.ts';
import { count as counted, progress, saidSeldom } from './output.ts';
import { onStopSignal } from '../engine/process/stop-signal.ts';

interface BackfillOptions {
  readonly outputTopic: string;
  readonly from?: number;
  readonly to?: number;
  readonly processes?: number;
  readonly dryRun?: true;
  readonly member?: true;
  readonly allowSplitUsers?: true;
}

/** ms */
const BAR_INTERVAL = 500;
const LINE_INTERVAL = 5_000;
/** Looks at the progress that a rate is of. */
const RATE_OVER = 8;
const STOP_GRACE = 20_000;
const STOPPED = 1;
/** How a program of ours begins the line with which it ends. */
const PREFIX = 'money-enrichment: ';

export function backfillCommand(): Command {
  return new Command('backfill')
    .description(
      'Runs the input topics from their beginning to where they end now through the rules of the live system, at full speed, into ' +
        'a topic of its own. Touches nothing of the live system, needs no Temporal. Every output is written exactly once: what was ' +
        'interrupted goes on when the same command is run again. Run it on several machines to share the partitions.',
    )
    .requiredOption('--output-topic <topic>', 'where the enriched money goes; created if it is missing')
    .option(
      '--from <time>',
      'write only money with processedAt at or after this ISO-8601 time (all before it still counts)',
      time,
    )
    .option('--to <time>', 'write only money with processedAt before this ISO-8601 time', time)
    .option(
      '--processes <n>',
      'processes on this machine (default: one a core, at most one a partition)',
      wholeNumber(1, 999),
    )
    .option(
      '--allow-split-users',
      'do not look for users that are in two partitions, which reads the keys of all inputs first',
    )
    .option('--dry-run', 'check all, count what there is to read, and write nothing')
    .addOption(new Option('--member', 'one of the processes').hideHelp())
    .action((options: BackfillOptions) => (options.member === true ? member(options) : parent(options)));
}

async function parent(options: BackfillOptions): Promise<void> {
  const context = createContext({ requireKafka: true, requireSessionService: true }, { quiet: true });
  const window = windowOf(options);
  assertFree(options.outputTopic, context.config.topics);
  await reachKafka(context);
  const stop = onStopSignal();
  const kafka = createKafka(context.config.kafka!, context.logger);
  try {
    if (options.dryRun === true) return await wouldDo(kafka, context, options, window, stop);
    const { settings } = await prepare(kafka, context, options, window, true);
    const count = Math.min(options.processes ?? availableParallelism(), settings.partitions);
    const before = await readStatus(kafka, settings);
    for (const line of before.done ? [] : await openTransactions(kafka, settings.inputTopics, settings.partitions)) {
      process.stderr.write(`${line}\n`);
    }
    if (options.allowSplitUsers !== true && settings.partitions > 1 && !before.done) {
      await lookForSplitUsers(kafka, settings, context.config, stop);
    }
    const began = performance.now();
    const failure = await runChildren(kafka, settings, count, options, stop);
    const status = await readStatus(kafka, settings);
    if (failure !== undefined || !status.done) throw failure ?? unfinished('the backfill is not finished', options);
    report(options, status, { seconds: (performance.now() - began) / 1_000, read: status.read - before.readDone });
  } finally {
    await kafka.close();
  }
}

/** What a run would find and do; the topic is not created for it. */
async function wouldDo(
  kafka: KafkaPort,
  { config, logger }: Context,
  options: BackfillOptions,
  window: Window,
  stop: Promise<void>,
): Promise<void> {
  const { outputTopic } = options;
  const existing = await lookAtTarget(config, outputTopic, logger);
  const partitions = existing ?? (await kafka.partitionCounts([config.topics.output]))[0] ?? DEFAULT_SHARDS;
  const settings = await planBackfill(kafka, config, { topic: outputTopic, partitions }, window);
  if (options.allowSplitUsers !== true && settings.partitions > 1) {
    await lookForSplitUsers(kafka, settings, config, stop);
  }
  const { done, read, total, written } = await readStatus(kafka, settings);
  const document = {
    dryRun: true,
    outputTopic,
    exists: existing !== undefined,
    partitions,
    done,
    read,
    total,
    written,
  };
  result(document, () => [
    existing === undefined
      ? `${outputTopic} would be created, with ${counted(partitions, 'partition')}`
      : `${outputTopic} exists, with ${counted(partitions, 'partition')} and ${counted(written, 'record')}`,
    done
      ? 'the backfill into it is finished: nothing would be done'
      : `${counted(total - read, 'record')} of ${total.toLocaleString('en')} would be read, of ${counted(settings.partitions, 'partition')}`,
    'nothing was written: a dry run',
  ]);
}

async function lookForSplitUsers(
  kafka: KafkaPort,
  { inputTopics, groupId }: MemberSettings,
  config: Config,
  stop: Promise<void>,
): Promise<void> {
  const stopping = new AbortController();
  void stop.then(() => stopping.abort(new CodedError('CHECK_FAILED', 'stopped')));
  const shown = progress('keys looked at for users in two partitions');
  try {
    await assertNoSplitKeys(
      kafka,
      {
        inputTopics,
        groupPrefix: `${groupId}-users`,
        keyOf: userOfKey,
        stopping: stopping.signal,
        onProgress: (done, total) => shown.update(done, total),
      },
      workflowIdsOf(config),
      ALLOW_SPLIT_USERS,
    );
  } finally {
    shown.end();
  }
}

function unfinished(why: string, { outputTopic }: BackfillOptions): CodedError {
  return new CodedError(
    'CHECK_FAILED',
    `${why}: run the same command again, and it writes into "${outputTopic}" what is missing`,
  );
}

/** Resolves when all have ended; with why it is not finished, if that is known. */
async function runChildren(
  kafka: KafkaPort,
  settings: MemberSettings,
  count: number,
  options: BackfillOptions,
  stop: Promise<void>,
): Promise<CodedError | undefined> {
  const failures: { readonly code: number | null; readonly why: string }[] = [];
  const display = showProgress(kafka, settings);
  const start = (index: number): Child => {
    let last: string | undefined;
    const child = startChild(
      process.execPath,
      [...process.execArgv, ownProgram(), 'backfill', ...argumentsOf(options), '--member'],
      {
        name: `backfill ${index + 1}`,
        onLine: (line, from) => {
          const said = line.startsWith(PREFIX) ? line.slice(PREFIX.length) : undefined;
          if (from === 'stderr') last = said ?? last;
          if (said === undefined) display.say(line);
        },
      },
    );
    void child.exited.then(({ code, signal }) => {
      if (code === 0 || stopped) return;
      const why =
        signal === null
          ? (last ?? `a process of the backfill ended with exit code ${code}`)
          : `a process of the backfill was ended by ${signal}`;
      failures.push({ code, why });
      if (failures.length < count) display.say(`${why}; the other processes take over its part`);
    });
    return child;
  };
  let stopped = false;
  const children = Array.from({ length: count }, (_, index) => start(index));
  void stop.then(() => {
    stopped = true;
    for (const child of children) void child.stop(STOP_GRACE);
  });
  await Promise.all(children.map(({ exited }) => exited));
  await display.end();
  if (stopped) return unfinished('stopped', options);
  const [first] = failures;
  if (first === undefined || failures.length < count) return undefined;
  return first.code === 2 ? new CodedError('CONFIG', first.why) : unfinished(first.why, options);
}

function showProgress(kafka: KafkaPort, settings: MemberSettings) {
  const terminal = process.stderr.isTTY === true;
  const clear = terminal ? '\r\u001b[K' : '';
  const ended = new AbortController();
  const seen: { readonly at: number; readonly read: number }[] = [];
  const say = (line: string) => process.stderr.write(`${clear}${line}\n`);
  const saySeldom = saidSeldom(say);
  const show = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const status = await readStatus(kafka, settings).catch((error: unknown) => {
        saySeldom(`backfill: how far it is cannot be seen now: ${messageOf(error)}`);
        return undefined;
      });
      if (status !== undefined) {
        // A run that was interrupted begins to read anew.
        if (seen.at(-1) !== undefined && status.read < seen.at(-1)!.read) seen.length = 0;
        seen.push({ at: performance.now(), read: status.read });
        if (seen.length > RATE_OVER) seen.shift();
        const [first, last] = [seen[0]!, seen.at(-1)!];
        const rate = last.at === first.at ? 0 : ((last.read - first.read) * 1_000) / (last.at - first.at);
        if (!ended.signal.aborted) {
          process.stderr.write(terminal ? `${clear}${barOf(status, rate)}` : `${lineOf(status, rate)}\n`);
        }
      }
      await systemClock.sleep(terminal ? BAR_INTERVAL : LINE_INTERVAL, ended.signal);
    }
  };
  const showing = show();
  return {
    say,
    async end() {
      ended.abort();
      await showing;
      process.stderr.write(clear);
    },
  };
}

function report(
  options: BackfillOptions,
  status: BackfillStatus,
  run: { readonly seconds: number; readonly read: number },
): void {
  const { outputTopic } = options;
  const { done: _, partitionsDone: __, read: ___, open: ____, ...figures } = status;
  result({ outputTopic, ...figures, seconds: run.seconds }, () => summaryOf(outputTopic, status, run));
}

async function member(options: BackfillOptions): Promise<void> {
  const context = createContext({ requireKafka: true, requireSessionService: true }, { quiet: true });
  const { config, logger } = context;
  const stopping = new AbortController();
  void onStopSignal().then(() => stopping.abort());
  const kafka = createKafka(config.kafka!, logger);
  try {
    const { settings, encode } = await prepare(kafka, context, options, windowOf(options), false);
    const service = httpSessionService({
      sessionServiceUrl: config.sessionServiceUrl!,
      lookupTimeout: config.lookupTimeout,
      ...(config.sessionServiceAccess && { fetch: config.sessionServiceAccess.fetch }),
    });
    const lookups = new BackfillLookups({ service, clock: systemClock, giveUpAfter: config.lookupGiveUpAfter });
    const written = new Written(kafka, options.outputTopic, `${settings.groupId}-look`);
    await runMember(
      settings,
      {
        kafka,
        clock: systemClock,
        logger,
        lookups,
        written,
        encode,
        decoders: tellingDecoders(inputDecoders(config, systemClock)),
        say: (line) => process.stderr.write(`backfill: ${line}\n`),
      },
      stopping.signal,
    );
    if (stopping.signal.aborted) process.exitCode = STOPPED;
  } finally {
    await kafka.close();
  }
}

/** The parent creates the topic and registers the schema, so that a problem with either is said once. */
async function prepare(
  kafka: KafkaPort,
  { config, logger }: Context,
  { outputTopic }: BackfillOptions,
  window: Window,
  creating: boolean,
) {
  const [existing] = await kafka.partitionCounts([outputTopic]);
  const partitions = creating || !existing ? (await ensureTarget(config, outputTopic, logger)).partitions : existing;
  const settings = await planBackfill(kafka, config, { topic: outputTopic, partitions }, window);
  const encode = await outputEncoder(
    { ...config, topics: { ...config.topics, output: outputTopic } },
    systemClock,
    logger,
  );
  return { settings, encode };
}

function windowOf({ from = -Infinity, to = Infinity }: BackfillOptions): Window {
  if (from >= to) throw new CodedError('CONFIG', `--from ${iso(from)} must be before --to ${iso(to)}`);
  return { from, to };
}

function argumentsOf({ outputTopic, from, to }: BackfillOptions): string[] {
  const bound = (name: string, ms: number | undefined): string[] => (ms === undefined ? [] : [name, iso(ms)]);
  return ['--output-topic', outputTopic, ...bound('--from', from), ...bound('--to', to)];
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
