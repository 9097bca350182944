/** `dead-letters`: lists what could not be used; `dead-letters retry` puts chosen records back on their topic. */
import { Command, Option } from 'commander';
import { DEAD_LETTER_REASONS } from '../engine/ordering/rejection.ts';
import type { DeadLetterReason } from '../engine/ordering/rejection.ts';
import { systemClock } from '../engine/clock.ts';
import type { DecoderSource, ValueDecoder } from '../engine/values/value.ts';
import { inputTopicsOf, type Config } from '../money/config.ts';
import { idOf, readDeadLetters } from '../tools/dead-letters/read.ts';
import type { DeadLetter, ReadingResult } from '../tools/dead-letters/read.ts';
import { objectionTo, putBack, readRetried } from '../tools/dead-letters/retry.ts';
import type { NotPutBack, Retried, Stamp } from '../tools/dead-letters/retry.ts';
import { hasOffset } from '../engine/workflow/offset-ranges.ts';
import { CodedError } from '../engine/errors.ts';
import { releaseBrake, type Released } from '../engine/bridge/release-brake.ts';
import { bridgeGroupOf } from '../engine/naming.ts';
import { createKafka } from '../engine/kafka/kafkajs/create-kafka.ts';
import { valuesOf, type KafkaPort } from '../engine/kafka/port.ts';
import { inputDecoders } from '../money/codec/value-format.ts';
import { wholeNumber } from './arguments.ts';
import { operator } from './audit.ts';
import { tellingDecoders } from './telling-decoders.ts';
import { createContext, reachKafka } from './context.ts';
import { result } from './document.ts';
import { byPartition, count, progress, sayLine } from './output.ts';
import { table } from './table.ts';
import { printable } from '../engine/printable.ts';

/** Values that a retry holds in memory. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Refusals that are printed one by one. */
const MAX_REFUSALS = 20;

interface Choice {
  readonly reason?: readonly DeadLetterReason[];
  readonly id?: readonly string[];
  readonly limit: number;
}

export function deadLettersCommand(): Command {
  const command = new Command('dead-letters')
    .description(
      'Lists the records that could not be used, by reason. Values are shown only on request: they hold personal data.',
    )
    .addOption(reasonOption('only these reasons'))
    .option('--limit <n>', 'list the newest n of each partition of the topic', wholeNumber(1, 1_000_000), 100)
    .option('--values', 'show keys, values and headers as well, with --json')
    .option('--json', 'one JSON document: counts by reason, and the letters')
    .action((options: ListOptions) => list(options));
  command
    .command('retry')
    .description(
      'Puts chosen dead letters back on the topic and partition where they were read, same key, value and headers, new timestamp. ' +
        'Those that would only come back, or were put back before, are refused. ' +
        'A retry that was interrupted can be run again: nothing is put back twice.',
    )
    .addOption(reasonOption('all of these reasons'))
    .option('--id <topic/partition/offset...>', 'these records, as the list names them')
    .option('--limit <n>', 'at most n records', wholeNumber(1, 1_000_000), 1000)
    .option('--why <text>', 'why, for the header retry-reason of each')
    .option('--force', 'also those that would only come back, or were put back before')
    .option('--keep-timestamp', 'with the timestamp that they had')
    .option('--dry-run', 'say what would be done, and do nothing')
    .action((options: RetryOptions) => retry(options));
  command
    .command('release')
    .description(
      'Lets partitions go on that the brake has stopped (ENRICHMENT_BRAKE_PERCENT): what their logs hold by now passes it, and what ' +
        'of that is unusable becomes dead letters. Bridges that wait go on by themselves.',
    )
    .option('--topic <name>', 'of this input only')
    .option('--partition <n>', 'this partition only', wholeNumber(0, 1_000_000))
    .option('--dry-run', 'only say what would go on, and from where')
    .action((options: ReleaseOptions) => release(options));
  // Both have --reason and --limit: what follows `retry` is for it. The program must have the same setting.
  return command.enablePositionalOptions();
}

function reasonOption(description: string): Option {
  return new Option('--reason <reason...>', description).choices(DEAD_LETTER_REASONS);
}

interface ListOptions extends Choice {
  readonly values?: true;
}

async function list(options: ListOptions): Promise<void> {
  await withKafka(async ({ kafka, config, retried }) => {
    const counts = new Map<DeadLetterReason, number>(DEAD_LETTER_REASONS.map((reason) => [reason, 0]));
    const newest: DeadLetter[][] = retried.map(() => []);
    const { foreign } = await read(kafka, config, (letter) => {
      counts.set(letter.reason, (counts.get(letter.reason) ?? 0) + 1);
      if (options.reason !== undefined && !options.reason.includes(letter.reason)) return;
      const kept = newest[letter.partition];
      // Without values: a topic full of large ones must not fill the memory.
      kept?.push(options.values === true ? letter : { ...letter, key: null, value: null, headers: {} });
      if (kept !== undefined && kept.length > options.limit) kept.shift();
    });
    const shown = newest.flat().toSorted((a, b) => a.source.timestamp - b.source.timestamp);
    const isRetried = ({ partition, offset }: DeadLetter): boolean => hasOffset(retried[partition] ?? [], offset);
    const total = [...counts.values()].reduce((sum, number) => sum + number, 0);
    const { deadLetter: topic } = config.topics;
    const document = {
      topic,
      total,
      reasons: Object.fromEntries(counts),
      foreign,
      letters: shown.map((letter) => jsonOf(letter, isRetried(letter), options.values === true)),
    };
    result(document, () => {
      const lines = [`${count(total, 'dead letter')} in ${topic}`];
      for (const [reason, number] of counts) {
        if (number > 0) lines.push(`  ${reason.padEnd(13)} ${number.toLocaleString('en')}`);
      }
      if (foreign > 0) lines.push(`  ${count(foreign, 'other record')} without the headers of a dead letter`);
      return shown.length === 0 ? lines : [...lines, '', tableOf(shown, isRetried)];
    });
  });
}

function tableOf(letters: readonly DeadLetter[], isRetried: (letter: DeadLetter) => boolean): string {
  const rows = letters.map((letter) => [
    letter.reason,
    idOf(letter),
    letter.source.timestampText ?? timeOf(letter.source.timestamp),
    `${printable(letter.detail)}${letter.cut === undefined ? '' : ' [cut]'}${isRetried(letter) ? ' [put back]' : ''}`,
  ]);
  return table(['reason', 'record', 'timestamp', 'detail'], rows);
}

function jsonOf(letter: DeadLetter, retried: boolean, values: boolean): object {
  const {
    reason,
    detail,
    source: { timestampText, ...source },
    cut,
    partition,
    offset,
    key,
    value,
  } = letter;
  const raw = values ? { key: textOf(key), value: textOf(value), ...headersOf(letter) } : {};
  return {
    id: idOf(letter),
    reason,
    detail,
    source: { ...source, timestamp: timestampText ?? source.timestamp },
    ...(cut && { cut }),
    deadLetter: { partition, offset },
    putBack: retried,
    ...raw,
  };
}

/** Those of the record, each with all its values; absent when there are none. */
function headersOf({ headers = {} }: DeadLetter): object {
  const texts = Object.entries(headers).map(([name, values]) => [
    name,
    valuesOf(values).map((value) => textOf(value === null || value === undefined ? null : Buffer.from(value))),
  ]);
  return texts.length === 0 ? {} : { headers: Object.fromEntries(texts) as object };
}

/** Text where the bytes are UTF-8, base64 where they are not. */
function textOf(bytes: Buffer | null): string | { readonly base64: string } | null {
  if (bytes === null) return null;
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString('base64') };
}

interface RetryOptions extends Choice {
  readonly why?: string;
  readonly force?: true;
  readonly keepTimestamp?: true;
  readonly dryRun?: true;
}

async function retry(options: RetryOptions): Promise<void> {
  if (options.reason === undefined && options.id === undefined) {
    throw new CodedError('CONFIG', 'nothing is chosen: expected --reason or --id topic/partition/offset');
  }
  for (const id of options.id ?? []) {
    if (!/^[^/]+\/\d+\/\d+$/.test(id)) {
      throw new CodedError('CONFIG', `--id "${printable(id)}": expected topic/partition/offset, as the list shows it`);
    }
  }
  await withKafka(async ({ kafka, config, retried }) => {
    const { topics } = config;
    const keepTimestamp = options.keepTimestamp === true;
    const inputs = inputTopicsOf(topics);
    const counts = await kafka.partitionCounts(inputs);
    const circumstances = {
      config,
      retried,
      partitions: new Map(inputs.map((topic, index) => [topic, counts[index] ?? null])),
      now: Date.now(),
      force: options.force === true,
      keepTimestamp,
    };
    const ids = new Set(options.id);
    const found = new Set<string>();
    const letters: DeadLetter[] = [];
    const refusals: { readonly id: string; readonly why: string }[] = [];
    let refused = 0;
    let left = 0;
    let bytes = 0;
    const onLetter = (letter: DeadLetter, decoder: ValueDecoder): void => {
      const id = idOf(letter);
      if (options.reason !== undefined && !options.reason.includes(letter.reason)) return;
      if (options.id !== undefined && !ids.has(id)) return;
      found.add(id);
      const objection = objectionTo(letter, circumstances, decoder);
      const size = letter.value?.length ?? 0;
      if (objection !== null) {
        refused++;
        if (refusals.length < MAX_REFUSALS) refusals.push({ id, why: objection });
      } else if (letters.length >= options.limit || (bytes > 0 && bytes + size > MAX_BYTES)) {
        left++;
      } else {
        letters.push(letter);
        bytes += size;
      }
    };
    const { starts } = await read(kafka, config, onLetter, tellingDecoders(inputDecoders(config, systemClock)));
    const missing = [...ids].filter((id) => !found.has(id));
    const dryRun = options.dryRun === true;
    let done = dryRun ? letters.length : 0;
    let failed: readonly NotPutBack[] = [];
    try {
      if (!dryRun) {
        failed = await put(kafka, config, {
          letters,
          retried,
          starts,
          keepTimestamp,
          stamp: stampOf(options.why),
          onDone: (now) => (done = now),
        });
      }
    } finally {
      const places = failed.map(({ error, ...place }) => ({ ...place, why: error.message }));
      result(
        { dryRun, records: done, left, refused, refusals, missing, ...(places.length > 0 && { failed: places }) },
        () => [
          `${count(done, 'record')} ${dryRun ? 'would be put back' : 'put back'}`,
          ...(left > 0 ? [`${count(left, 'more record')} of the choice left: run it again`] : []),
        ],
      );
    }
    for (const { id, why } of refusals) sayLine(`refused ${printable(`${id}: ${why}`)}`);
    if (refused > refusals.length) sayLine(`refused ${refused - refusals.length} more`);
    for (const id of missing) sayLine(`no such dead letter ${printable(id)}`);
    for (const { topic, partition, records, error } of failed) {
      sayLine(`${topic}, partition ${partition}: ${count(records, 'record')} not put back: ${error.message}`);
    }
    if (failed.length > 0) {
      throw new CodedError(
        'CHECK_FAILED',
        `${count(
          failed.reduce((sum, { records }) => sum + records, 0),
          'record',
        )} not put back: run it again${options.force === true ? ', without --force: that would put back again what is back' : ''}`,
      );
    }
    if (refused + missing.length > 0) {
      throw new CodedError('CHECK_FAILED', `${count(refused, 'record')} refused, ${missing.length} not found`);
    }
  });
}

interface ReleaseOptions {
  readonly topic?: string;
  readonly partition?: number;
  readonly dryRun?: true;
}

async function release({ topic, partition, dryRun: dry }: ReleaseOptions): Promise<void> {
  const dryRun = dry === true;
  await withKafka(async ({ kafka, config: { appId, topics } }) => {
    const inputTopics = inputTopicsOf(topics);
    if (topic !== undefined && !inputTopics.includes(topic)) {
      throw new CodedError('CONFIG', `--topic ${printable(topic)}: expected one of ${inputTopics.join(', ')}`);
    }
    const partitions = Math.max(0, ...(await kafka.partitionCounts(inputTopics)).map((number) => number ?? 0));
    const groupId = bridgeGroupOf(appId);
    const released: Released[] = [];
    const said = byPartition<Released>(
      (one) =>
        `${one.topic}, partition ${one.partition}: ${dryRun ? 'would go on' : 'goes on'} at offset ${one.offset}; records before offset ${one.below} pass the brake`,
    );
    try {
      await releaseBrake(kafka, {
        appId,
        groupId,
        inputTopics,
        partitions,
        topic,
        partition,
        dryRun,
        // What is committed is said before the others are: one of them may be without a leader.
        onReleased(one) {
          released.push(one);
          said.add(one);
        },
      });
    } finally {
      said.end();
      if (released.length > 0) {
        result({ dryRun, partitions: released.sort((a, b) => a.partition - b.partition) }, () => []);
      }
    }
    if (released.length === 0) throw new CodedError('NOT_FOUND', 'the brake has stopped none of these partitions');
  });
}

function stampOf(why: string | undefined): Stamp {
  return {
    'retried-by': operator(),
    'retried-at': new Date().toISOString(),
    ...(why !== undefined && { 'retry-reason': why }),
  };
}

async function put(
  kafka: KafkaPort,
  config: Config,
  work: {
    readonly letters: readonly DeadLetter[];
    readonly retried: Retried;
    readonly starts: readonly number[];
    readonly keepTimestamp: boolean;
    readonly stamp: Stamp;
    readonly onDone: (done: number) => void;
  },
): Promise<NotPutBack[]> {
  const shown = progress('putting back');
  try {
    return await putBack(kafka, config, {
      ...work,
      onProgress(done) {
        shown.update(done, work.letters.length);
        work.onDone(done);
      },
    });
  } finally {
    shown.end();
  }
}

async function read(
  kafka: KafkaPort,
  config: Config,
  onLetter: (letter: DeadLetter, decoder: ValueDecoder) => void,
  decoders?: DecoderSource,
): Promise<ReadingResult> {
  const shown = progress(`reading ${config.topics.deadLetter}`);
  try {
    const onProgress = shown.update;
    return await readDeadLetters(kafka, {
      appId: config.appId,
      topic: config.topics.deadLetter,
      onLetter,
      onProgress,
      ...(decoders && { decoders }),
    });
  } finally {
    shown.end();
  }
}

async function withKafka(
  use: (parts: { readonly kafka: KafkaPort; readonly config: Config; readonly retried: Retried }) => Promise<void>,
): Promise<void> {
  const context = createContext({ requireKafka: true }, { quiet: true });
  const { config, logger } = context;
  const kafka = createKafka(await reachKafka(context), logger);
  try {
    const topic = config.topics.deadLetter;
    const [partitions] = await kafka.partitionCounts([topic]);
    if (!partitions) {
      throw new CodedError('TOPIC', `the topic "${topic}" does not exist: create it with "money-enrichment topics"`);
    }
    await use({ kafka, config, retried: await readRetried(kafka, config, partitions) });
  } finally {
    await kafka.close();
  }
}

function timeOf(timestamp: number): string {
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? String(timestamp) : date.toISOString();
}
