/** `generate`: synthetic events into the topics, or as NDJSON. stdout has nothing but the lines of `--out -`. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command, Option } from 'commander';
import { inputTopicsOf, type Config } from '../money/config.ts';
import { parseDuration } from '../engine/process/environment-reader.ts';
import { CodedError } from '../engine/errors.ts';
import { createKafka } from '../engine/kafka/kafkajs/create-kafka.ts';
import { createPlainProducer } from '../engine/kafka/kafkajs/producer.ts';
import { preludeLength, trafficLength, trafficOptions } from '../tools/generate/options.ts';
import type { TrafficOptions } from '../tools/generate/options.ts';
import { ndjsonLine, produceTraffic } from '../tools/generate/produce.ts';
import { generateTraffic, type GeneratedRecord } from '../tools/generate/traffic.ts';
import type { AvroTraffic } from '../tools/generate/avro-traffic.ts';
import { avroTrafficOf } from '../tools/generate/avro-of-config.ts';
import { createContext, reachKafka, type Context } from './context.ts';
import { time } from './arguments.ts';
import { askBeforeWriting } from './ask.ts';
import { result, wantsDocument } from './document.ts';
import { count } from './output.ts';
import { printable } from '../engine/printable.ts';

interface GenerateOptions {
  readonly users: number;
  readonly events: number;
  readonly rate: number;
  readonly seed: number;
  readonly duplicates: number;
  readonly disorder: number;
  readonly late: number;
  readonly old: number;
  readonly pending: number;
  readonly expired: number;
  readonly malformed: number;
  readonly tooLarge?: true;
  readonly start?: number;
  readonly out?: string;
  readonly yes?: true;
  readonly dryRun?: true;
}

/** Without `--start`, a file begins here, so that the same seed gives the same file. */
const FILE_START = Date.UTC(2026, 0, 1);
const PROGRESS_INTERVAL = 2000;

export function generateCommand(): Command {
  return new Command('generate')
    .description('Synthetic events of users: money, sessions, changes of user info, and events that only move time.')
    .option('--users <n>', 'number of users', integer('--users', 1, 1_000_000), 100)
    .option('--events <n>', 'number of records, of all topics together', integer('--events', 1, 1_000_000_000), 2000)
    .option(
      '--rate <n>',
      'records a second, with timestamps of now; 0: as fast as possible, with timestamps of the past',
      rate,
      0,
    )
    .option(
      '--seed <n>',
      'the same seed and options give the same records',
      integer('--seed', 0, Number.MAX_SAFE_INTEGER),
      1,
    )
    .option(
      '--duplicates <fraction>',
      'of the money: sent twice, mostly within the dedup TTL',
      fraction('--duplicates'),
      0.05,
    )
    .addOption(
      new Option('--disorder <duration>', 'at most so much between event time and Kafka timestamp')
        .argParser(duration)
        .default(5000, '5s'),
    )
    .option('--late <fraction>', 'of the money: later than the out-of-orderness', fraction('--late'), 0)
    .option('--old <fraction>', 'of the money: isOldMoneyEvent', fraction('--old'), 0)
    .option('--pending <fraction>', 'of the money: before its session', fraction('--pending'), 0)
    .option(
      '--expired <fraction>',
      'of the money: of a session that has expired; begins with sessions of the day before',
      fraction('--expired'),
      0,
    )
    .option('--malformed <fraction>', 'of all records: cannot be used, every kind in turn', fraction('--malformed'), 0)
    .option('--too-large', 'records over ENRICHMENT_MAX_RECORD_BYTES among the malformed; a broker may refuse them')
    .option(
      '--start <time>',
      'ISO-8601 event time of the first record (default: so that the last is of now; with --out 2026-01-01)',
      start,
    )
    .option('--out <file>', 'NDJSON into this file instead of Kafka, "-" for stdout')
    .option('--yes', 'do not ask before writing to brokers that are not on this machine')
    .option('--dry-run', 'check all, count the records by topic, and write nothing')
    .addHelpText(
      'after',
      `
Fractions are written 0.05 or 5%, durations 500ms, 20s, 1h. Needs KAFKA_BROKERS and existing topics ("topics" creates
them), but not with --out. With ENRICHMENT_VALUE_FORMAT=avro the values are Avro by the schemas in schemas/, registered
under <topic>-value; --out writes JSON. A line of --out is {"topic","key","value","timestamp"}; "valueBase64" instead of "value"
where the value is not UTF-8.

Examples:
  money-enrichment generate --users 500 --events 20000 --late 2% --pending 5% --malformed 1%
  money-enrichment generate --events 6000 --rate 100
  money-enrichment generate --seed 7 --out events.ndjson`,
    )
    .action(generate);
}

async function generate(options: GenerateOptions): Promise<void> {
  const context = createContext({ requireKafka: options.out === undefined }, { quiet: true });
  const { config, logger } = context;
  const traffic = trafficOf(options, config);
  if (options.out === '-' && wantsDocument()) {
    throw new CodedError('CONFIG', '--json and --out -: both write to stdout: name a file');
  }
  if (options.out !== undefined && options.dryRun === true) return wouldWrite(traffic, config, options.out);
  if (options.out !== undefined) return writeFile(options.out, traffic, config);
  if (config.kafka === undefined) {
    throw new CodedError('CONFIG', 'KAFKA_BROKERS is not set: set it, or use --out FILE');
  }
  if (options.dryRun === true) {
    await assertTopics(context);
    return wouldWrite(traffic, config);
  }
  await askBeforeWriting(
    config.kafka.brokers,
    `generate writes ${count(options.events, 'synthetic record')} into ${inputTopicsOf(config.topics).join(', ')}`,
    options.yes === true,
  );
  const avro = config.valueFormat === 'avro' ? await avroTrafficOf(config) : undefined;

  const requested = new AbortController();
  const stop = (): void => requested.abort();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, stop);
  const producer = await createPlainProducer(config.kafka, logger);
  const progress = startProgress(options.events);
  try {
    const sent = await produceTraffic(avro === undefined ? generateTraffic(traffic) : inAvro(traffic, avro), {
      topics: config.topics,
      produce: (topic, records) => producer.send(topic, records),
      paced: options.rate > 0,
      onSent: progress.reached,
      signal: requested.signal,
    });
    if (sent < options.events) process.exitCode = 1;
    const { brokers } = config.kafka;
    if (wantsDocument()) result({ records: sent, of: options.events, users: options.users, brokers }, () => []);
    progress.end(
      `${sent < options.events ? 'stopped after' : 'sent'} ${count(sent, 'record')} of ${count(options.users, 'user')}`,
    );
  } finally {
    progress.end();
    for (const signal of signals) process.off(signal, stop);
    await producer.close();
  }
}

function* inAvro(traffic: TrafficOptions, avro: AvroTraffic): Generator<GeneratedRecord> {
  for (const record of generateTraffic(traffic)) {
    yield { ...record, value: avro.encode(record.input, record.value).value };
  }
}

/** The options of the traffic; its times end about now, or begin now when it is paced. */
export function trafficOf(options: GenerateOptions, config: Config): TrafficOptions {
  const { users, events, seed, duplicates, disorder, late, old, pending, malformed } = options;
  const traffic = trafficOptions({
    users,
    events,
    seed,
    duplicates,
    disorder,
    late,
    old,
    pending,
    malformed,
    start: 0,
    ...(options.rate > 0 ? { span: Math.round((events * 1000) / options.rate) } : {}),
    expiredSessions: options.expired,
    tooLarge: options.tooLarge === true,
    outOfOrderness: config.outOfOrderness,
    sessionTtl: config.sessionTtl,
    dedupTtl: config.dedupTtl,
    pendingTimeout: config.pendingTimeout,
    maxFutureSkew: config.maxFutureSkew,
    maxRecordBytes: config.maxRecordBytes,
  });
  const longestDelay = disorder + 2 * config.outOfOrderness + 3000;
  const now = Date.now() - (options.rate > 0 ? preludeLength(traffic) : trafficLength(traffic) + longestDelay);
  return { ...traffic, start: options.start ?? (options.out === undefined ? now : FILE_START) };
}

/** Generates all of it, for nothing. */
function wouldWrite(traffic: TrafficOptions, { topics, kafka }: Config, out?: string): void {
  const records = new Map(inputTopicsOf(topics).map((topic) => [topic, 0]));
  let bytes = 0;
  for (const { input, value } of generateTraffic(traffic)) {
    records.set(topics[input], (records.get(topics[input]) ?? 0) + 1);
    bytes += value?.length ?? 0;
  }
  const where = out ?? kafka?.brokers.join(',') ?? '';
  const document = { dryRun: true, records: traffic.events, bytes, byTopic: Object.fromEntries(records), into: where };
  result(document, () => [
    `${count(traffic.events, 'record')} of ${count(traffic.users, 'user')}, ${bytes.toLocaleString('en')} bytes of values, would be written to ${where}`,
    ...[...records].map(([topic, number]) => `  ${topic}: ${number.toLocaleString('en')}`),
    'nothing was written: a dry run',
  ]);
}

async function assertTopics(context: Context): Promise<void> {
  const { config, logger } = context;
  const kafka = createKafka(await reachKafka(context), logger);
  try {
    const inputs = inputTopicsOf(config.topics);
    const counts = await kafka.partitionCounts(inputs);
    const missing = inputs.filter((_, index) => counts[index] === null);
    if (missing.length > 0) {
      throw new CodedError(
        'TOPIC',
        `missing topics: ${missing.join(', ')}; create them with "money-enrichment topics"`,
      );
    }
  } finally {
    await kafka.close();
  }
}

async function writeFile(out: string, traffic: TrafficOptions, config: Config): Promise<void> {
  const progress = startProgress(traffic.events);
  function* lines(): Generator<string> {
    let written = 0;
    for (const record of generateTraffic(traffic)) {
      yield ndjsonLine(record, config.topics);
      written += 1;
      progress.reached(written);
    }
  }
  // A stream takes its lines without ever letting a timer run: the pause is for the progress and for signals.
  async function* chunks(): AsyncGenerator<string> {
    let chunk: string[] = [];
    for (const line of lines()) {
      chunk.push(line);
      if (chunk.length < 500) continue;
      yield chunk.join('');
      chunk = [];
      await new Promise((resolve) => setImmediate(resolve));
    }
    yield chunk.join('');
  }
  try {
    if (out === '-') await pipeline(Readable.from(chunks()), process.stdout, { end: false });
    else await pipeline(Readable.from(chunks()), createWriteStream(out));
    if (wantsDocument()) result({ records: traffic.events, users: traffic.users, out }, () => []);
    progress.end(
      `wrote ${count(traffic.events, 'record')} of ${count(traffic.users, 'user')} to ${out === '-' ? 'stdout' : out}`,
    );
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR', 'EROFS'].includes(code)) throw error;
    throw new CodedError(
      'CONFIG',
      `--out "${printable(out)}" cannot be written (${code}): give a file in a folder that exists`,
      { cause: error },
    );
  } finally {
    progress.end();
  }
}

interface Progress {
  readonly reached: (done: number) => void;
  /** The first call counts. */
  readonly end: (line?: string) => void;
}

/** A line on stderr every two seconds. */
function startProgress(total: number): Progress {
  const begun = performance.now();
  let done = 0;
  let ended = false;
  const speed = (): string =>
    `${count(Math.round((done * 1000) / Math.max(1, performance.now() - begun)), 'record')}/s`;
  const timer = setInterval(() => {
    process.stderr.write(
      `${count(done, 'record')} of ${total.toLocaleString('en')} (${Math.floor((100 * done) / total)} %), ${speed()}\n`,
    );
  }, PROGRESS_INTERVAL);
  return {
    reached(now) {
      done = now;
    },
    end(line) {
      if (ended) return;
      ended = true;
      clearInterval(timer);
      if (line !== undefined) process.stderr.write(`${line} (${speed()})\n`);
    },
  };
}

function wrong(option: string, text: string, expected: string): CodedError {
  return new CodedError('CONFIG', `${option} is "${printable(text)}": give ${expected}`);
}

function integer(option: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw wrong(option, text, `a whole number from ${min} to ${max}`);
  };
}

function rate(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value === 0 || (value >= 0.01 && value <= 1_000_000)) return value;
  throw wrong('--rate', text, 'records a second, up to 1000000, or 0 for as fast as possible');
}

function fraction(option: string): (text: string) => number {
  return (text) => {
    const match = /^(\d*\.?\d+)(%?)$/.exec(text);
    const value = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
    if (value >= 0 && value <= 1) return value;
    throw wrong(option, text, 'a fraction from 0 to 1 such as 0.05 or 5%');
  };
}

function duration(text: string): number {
  const value = text === '0' ? 0 : parseDuration(text);
  if (value === null) throw wrong('--disorder', text, 'a duration such as 500ms, 15s or 2m');
  return value;
}

function start(text: string): number {
  const value = time(text);
  // Kafka takes no timestamps before 1970; years of four digits leave room for every kind of record.
  if (value >= 0 && value < Date.UTC(9000, 0)) return value;
  throw wrong('--start', text, 'a time of the years 1970 to 8999');
}
