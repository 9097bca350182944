/** `topics`: creates what is missing, changes nothing that exists, says what does not fit. */
import { Command, InvalidArgumentError } from 'commander';
import { acceptLogs, resetWatermark, type Accepted, type Accepting } from '../engine/bridge/accept-logs.ts';
import { bridgeGroupOf } from '../engine/naming.ts';
import { parseTimestamp } from '../engine/values/timestamp.ts';
import { checkLogs, NOT_SEEN, STOPPED } from '../tools/doctor/logs.ts';
import { CodedError } from '../engine/errors.ts';
import { commonPartitionCount } from '../engine/kafka/kafkajs/assigner.ts';
import { createKafka } from '../engine/kafka/kafkajs/create-kafka.ts';
import { DEFAULT_SHARDS } from '../money/topics/missing-topics.ts';
import { ensureTopics } from '../money/topics/topics.ts';
import { wholeNumber } from './arguments.ts';
import { createContext, reachKafka, type Context } from './context.ts';
import { result } from './document.ts';
import { byPartition, count as counted, progress } from './output.ts';
import { inputTopicsOf } from '../money/config.ts';

const DEFAULT_PARTITIONS = 4;

interface TopicsOptions {
  readonly partitions: number;
  readonly shards: number;
  readonly keepForever?: true;
  readonly accept?: readonly string[];
  readonly from?: AcceptFrom;
  readonly dryRun?: true;
  readonly resetWatermark?: number;
}

export function topicsCommand(): Command {
  return new Command('topics')
    .description(
      'Creates the missing topics with the settings that exactly-once needs, changes none that exists, and says what does ' +
        'not fit: exit code 1 if exactly-once or co-partitioning would not hold.',
    )
    .option(
      '--partitions <n>',
      'partitions of the three input topics, where none of them exists yet',
      wholeNumber(1, 1_000),
      DEFAULT_PARTITIONS,
    )
    .option(
      '--shards <n>',
      'partitions of the output topic and of its ledger: fixed for ever',
      wholeNumber(1, 1_000),
      DEFAULT_SHARDS,
    )
    .option('--keep-forever', 'records of the new topics never expire')
    .option(
      '--accept <topic>',
      'an input whose log is not the one that was read (made anew, cut, restored, grown): go on with it as it is now; may be repeated',
      (topic, before: string[] = []) => [...before, topic],
    )
    .option(
      '--from <place>',
      'with --accept, where to go on: beginning, end, or the first record since an ISO time; records of the log that were read before are other records now',
      acceptFrom,
    )
    .option('--dry-run', 'say what would be created or committed, and write nothing')
    .option(
      '--reset-watermark <partition>',
      'the watermark of this partition number begins anew: where a wrong clock has moved it ahead, so that all is late',
      wholeNumber(0, 1_000_000),
    )
    .action((options: TopicsOptions) => {
      checkTogether(options);
      if (options.resetWatermark !== undefined) return forgetWatermark(options.resetWatermark, options.dryRun === true);
      return options.accept === undefined ? topics(options) : accept(options);
    });
}

/** What is asked for by options of different things is not done by halves. */
function checkTogether({ accept, from, resetWatermark, keepForever }: TopicsOptions): void {
  const refuse = (problem: string): never => {
    throw new CodedError('CONFIG', problem);
  };
  if (from !== undefined && accept === undefined) {
    refuse('--from says where an accepted log goes on: expected --accept <topic> beside it');
  }
  if (accept !== undefined && resetWatermark !== undefined) {
    refuse('--accept and --reset-watermark are two decisions: expected one of them at a time');
  }
  if (keepForever === true && (accept !== undefined || resetWatermark !== undefined)) {
    refuse('--keep-forever is for topics that are created: expected neither --accept nor --reset-watermark beside it');
  }
}

type AcceptFrom = Accepting['from'];

function acceptFrom(text: string): AcceptFrom {
  if (text === 'beginning' || text === 'end') return text;
  const time = parseTimestamp(text);
  if (time === null) throw new InvalidArgumentError('expected beginning, end, or an ISO time with an offset or Z');
  return time;
}

async function accept({
  accept: names = [],
  from,
  dryRun = false,
}: {
  readonly accept?: readonly string[];
  readonly from?: AcceptFrom;
  readonly dryRun?: boolean;
}): Promise<void> {
  const context = createContext({ requireKafka: true }, { quiet: true });
  const { topics: all, appId } = context.config;
  const inputTopics = inputTopicsOf(all);
  const strange = names.find((name) => !inputTopics.includes(name));
  if (strange !== undefined) {
    throw new CodedError('CONFIG', `--accept ${strange}: expected one of ${inputTopics.join(', ')}`);
  }
  if (from === undefined) {
    throw new CodedError(
      'CONFIG',
      '--accept needs --from: beginning (all that the log holds is processed, as new records), end (none of it), or an ISO time',
    );
  }
  const kafka = createKafka(await reachKafka(context), context.logger);
  try {
    const partitions = commonPartitionCount(
      (await kafka.partitionCounts(inputTopics)).map((count, input) => ({
        topic: inputTopics[input]!,
        partitions: count ?? 0,
      })),
    );
    const accepted: Accepted[] = [];
    const said = byPartition<Accepted>((one) => describeAccepted(one, dryRun));
    let ended = false;
    try {
      await acceptLogs(kafka, {
        appId,
        groupId: bridgeGroupOf(appId),
        inputTopics,
        partitions,
        topics: names,
        from,
        dryRun,
        // What is committed is said before the others are: one of them may be without a leader.
        onAccepted(one) {
          accepted.push(one);
          said.add(one);
        },
      });
      ended = true;
    } finally {
      said.end();
      if (ended || accepted.length > 0) {
        accepted.sort((a, b) => a.partition - b.partition);
        result({ dryRun, accepted }, () =>
          accepted.length === 0
            ? 'No log of these topics is another one than was read.'
            : `${counted(accepted.length, 'partition')}${dryRun ? ' would be' : ''} accepted; bridges that wait go on by themselves.`,
        );
      }
    }
  } finally {
    await kafka.close();
  }
}

function describeAccepted({ topic, partition, before, offset, skipped = 0 }: Accepted, dryRun: boolean): string {
  const moved = before === null || before === offset ? '' : `, not at ${before}`;
  const over =
    skipped === 0
      ? ''
      : `: what is at the ${skipped} offsets between them was perhaps not applied, and ${dryRun ? 'would be' : 'is'} passed over`;
  return `${topic}, partition ${partition}: ${dryRun ? 'would go on' : 'goes on'} at offset ${offset}${moved}${over}`;
}

async function forgetWatermark(partition: number, dryRun: boolean): Promise<void> {
  const context = createContext({ requireKafka: true }, { quiet: true });
  const { topics: all, appId } = context.config;
  const kafka = createKafka(await reachKafka(context), context.logger);
  try {
    const reset = await resetWatermark(
      kafka,
      { appId, groupId: bridgeGroupOf(appId), inputTopics: inputTopicsOf(all), dryRun },
      partition,
    );
    if (reset === undefined) {
      throw new CodedError('NOT_FOUND', `nothing was read of partition ${partition} yet: there is no watermark`);
    }
    const was = Number.isFinite(reset.before) ? new Date(reset.before).toISOString() : null;
    const before = was === null ? '' : ` (it ${dryRun ? 'is' : 'was'} ${was})`;
    result({ dryRun, partition, before: was }, () =>
      dryRun
        ? `The watermark of partition ${partition} would begin anew${before}; nothing was written: a dry run.`
        : `The watermark of partition ${partition} begins anew${before}; bridges go on by themselves.`,
    );
  } finally {
    await kafka.close();
  }
}

interface LogsFound {
  readonly changed: readonly string[];
  /** Partitions that could not be looked at, and why. */
  readonly unseen: readonly string[];
}

async function lookAtLogs({ config, logger }: Context): Promise<LogsFound> {
  const { user, session, money } = config.topics;
  const kafka = createKafka(config.kafka!, logger);
  try {
    const partitions = commonPartitionCount(
      (await kafka.partitionCounts([user, session, money])).map((count, input) => ({
        topic: [user, session, money][input]!,
        partitions: count ?? 0,
      })),
    );
    const found = (await checkLogs(kafka, config, partitions)).filter(
      ({ level, subject }) => level === 'failed' && subject !== STOPPED,
    );
    const messages = (isUnseen: boolean) =>
      found.filter(({ subject }) => (subject === NOT_SEEN) === isUnseen).map(({ message }) => message);
    return { changed: messages(false), unseen: messages(true) };
  } finally {
    await kafka.close();
  }
}

async function topics(options: TopicsOptions): Promise<void> {
  const context = createContext({ requireKafka: true }, { quiet: true });
  const { config, logger } = context;
  const shown = progress(`asking Kafka at ${config.kafka?.brokers.join(',') ?? ''}`);
  try {
    await reachKafka(context);
    const dryRun = options.dryRun === true;
    const { created, partitions, findings } = await ensureTopics(config, logger, {
      partitions: options.partitions,
      shards: options.shards,
      keepForever: options.keepForever === true,
      dryRun,
    });
    const all = Object.values(config.topics).map((topic) => ({
      topic,
      partitions: partitions[topic] ?? null,
      created: created.includes(topic) && !dryRun,
      wouldBeCreated: created.includes(topic) && dryRun,
      findings: findings.filter((finding) => finding.topic === topic).map(({ level, message }) => ({ level, message })),
    }));
    const wrong = [...new Set(findings.filter(({ level }) => level === 'wrong').map(({ topic }) => topic))];
    const { changed, unseen } =
      created.length === 0 && wrong.length === 0 ? await lookAtLogs(context) : { changed: [], unseen: [] };
    result({ dryRun, topics: all, changedLogs: changed, ...(unseen.length > 0 && { notLookedAt: unseen }) }, () =>
      linesOf(all, [...changed, ...unseen], dryRun),
    );
    if (changed.length > 0) {
      throw new CodedError('CHECK_FAILED', 'the logs of the inputs are not the ones that were read');
    }
    if (unseen.length > 0) throw new CodedError('CHECK_FAILED', 'some partitions of the inputs could not be looked at');
    if (wrong.length > 0) throw new CodedError('CHECK_FAILED', `these topics do not fit: ${wrong.join(', ')}`);
  } finally {
    shown.end();
  }
}

interface Row {
  readonly topic: string;
  readonly partitions: number | null;
  readonly created: boolean;
  readonly wouldBeCreated: boolean;
  readonly findings: readonly { readonly level: string; readonly message: string }[];
}

function linesOf(rows: readonly Row[], problems: readonly string[], dryRun: boolean): string[] {
  const state = ({ created, wouldBeCreated, partitions, findings }: Row): string => {
    if (wouldBeCreated) return `would be created, with ${counted(partitions ?? 0, 'partition')}`;
    if (created) return 'created';
    return findings.length > 0 ? 'exists' : 'exists, fits';
  };
  return [
    ...rows.map((row) => `${row.topic}: ${state(row)}`),
    ...rows.flatMap(({ topic, findings }) =>
      findings.map(({ level, message }) => `${level === 'wrong' ? '✗' : '!'} ${topic}: ${message}`),
    ),
    ...problems.map((message) => `✗ ${message}`),
    ...(dryRun ? ['nothing was written: a dry run'] : []),
  ];
}
