/** The product on the shared cluster: its own topics and app id, bridges and workers as processes, and its judge. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { loadConfig, type Config } from '../../src/money/config.ts';
import type { MoneyInput } from '../../src/money/domain/events.ts';
import type { RecordHeaders } from '../../src/engine/kafka/port.ts';
import { createPlainProducer } from '../../src/engine/kafka/kafkajs/producer.ts';
import { ensureTopics } from '../../src/money/topics/topics.ts';
import { startProductProcess, type ProductProcess, type Role } from '../../src/dev/product.ts';
import { startStandInSessionService } from '../../src/dev/session-service.ts';
import { createLogger } from '../../src/engine/log.ts';
import {
  DEFAULT_SETTINGS,
  model,
  type ModelResult,
  type ModelSettings,
  type LogRecord,
} from '../../src/money/model/model.ts';
import { sharedCluster, type Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { PROGRAM } from './product.ts';
import { readTopics, type SeenRecord } from './topic-reader.ts';
import { readinessOf, readingOf } from './where-reading-stands.ts';
import { whereabouts } from './whereabouts.ts';

const quiet = createLogger({ level: 'silent' });
const OWN_COMMAND = [process.execPath, PROGRAM] as const;

export interface ProducedRecord {
  readonly input: MoneyInput;
  readonly key: string | Buffer | null;
  readonly value: string | Buffer | null;
  readonly timestamp: number;
  readonly headers?: RecordHeaders;
}

export type System = Awaited<ReturnType<typeof startSystem>>;

export async function startSystem(
  t: Pick<TestContext, 'after'>,
  options: {
    partitions: number;
    shards?: number;
    env?: Record<string, string>;
    country?: string;
    countries?: (sessionId: string) => string | null | undefined;
    countOnly?: boolean;
    cluster?: Cluster;
  },
) {
  const cluster = options.cluster ?? (await sharedCluster());
  const undo: (() => Promise<unknown>)[] = [];
  t.after(async () => {
    for (const step of undo.reverse()) await step();
  });
  undo.push(async () => cluster.release?.());
  const id = randomUUID().slice(0, 8);
  const sessions = await startStandInSessionService({ country: options.country ?? 'UY', delayMs: 5 });
  undo.push(() => sessions.stop());
  const env: Record<string, string> = {
    KAFKA_BROKERS: cluster.brokers.join(','),
    TEMPORAL_ADDRESS: cluster.temporal,
    ENRICHMENT_APP_ID: `test-${id}`,
    ENRICHMENT_WALLET_TOPIC: `wallet-${id}`,
    ENRICHMENT_USER_TOPIC: `user-${id}`,
    ENRICHMENT_SESSION_TOPIC: `session-${id}`,
    ENRICHMENT_OUTPUT_TOPIC: `enriched-${id}`,
    ENRICHMENT_DEAD_LETTER_TOPIC: `dead-${id}`,
    ENRICHMENT_SESSION_SERVICE_URL: sessions.url,
    ENRICHMENT_LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'warn',
    ...options.env,
  };
  const config: Config = loadConfig(env);
  const kafka = config.kafka!;
  await ensureTopics(config, quiet, {
    partitions: options.partitions,
    keepForever: true,
    shards: options.shards ?? options.partitions,
  });
  const producer = await createPlainProducer(kafka, quiet);
  undo.push(() => producer.close());
  const { topics } = config;
  const inputs: Record<MoneyInput, string> = { user: topics.user, session: topics.session, money: topics.money };
  const outputs = await readTopics(kafka, [topics.output]);
  undo.push(() => outputs.close());
  const deadLetters = await readTopics(kafka, [topics.deadLetter]);
  undo.push(() => deadLetters.close());
  const readLogs = () => readTopics(kafka, Object.values(inputs));
  let logged = options.countOnly ? undefined : await readLogs();
  undo.push(async () => logged?.close());
  const processes: ProductProcess[] = [];
  undo.push(() => Promise.all(processes.map((process) => process.stop())));
  let produced = 0;

  /** To the partitions of their keys, or all to one. */
  async function produce(records: Iterable<ProducedRecord>, partition?: number): Promise<void> {
    let part: ProducedRecord[] = [];
    const flush = async () => {
      // Together: a bridge that runs takes an input that is late for one that is silent.
      await Promise.all(
        (['user', 'session', 'money'] as const).map((input) =>
          producer.send(
            inputs[input],
            part.filter((record) => record.input === input),
            partition,
          ),
        ),
      );
      produced += part.length;
      part = [];
    };
    for (const record of records) {
      part.push(record);
      if (part.length >= 2_000) await flush();
    }
    await flush();
  }

  /** What helps to find the fault comes first: what is printed of a long list may be cut. */
  async function explained(found: readonly string[], expected: ModelResult): Promise<string[]> {
    const places = found.slice(0, 3).flatMap((line) => /\d+\/\d+/.exec(line) ?? []);
    const user = expected.outputs.find(({ partition, offset }) => places.includes(`${partition}/${offset}`))?.userId;
    if (user === undefined) return found.slice(0, 10);
    return [
      ...(await whereabouts(cluster.temporal, `${config.appId}/${user}`, places).catch((error: unknown) => [
        String(error),
      ])),
      ...found.slice(0, 10),
    ];
  }

  return {
    config,
    env,
    sessions,
    outputs: outputs.records,
    deadLetters: deadLetters.records,
    produce,
    /** `command`: of another build. */
    async start(
      role: Role,
      other: {
        env?: Record<string, string>;
        command?: readonly [string, ...string[]];
        log?: (line: string) => void;
      } = {},
    ): Promise<ProductProcess> {
      const process = await startProductProcess(role, {
        env: { ...env, ...other.env },
        log: other.log ?? ((line) => console.error(line)),
        command: other.command ?? OWN_COMMAND,
      });
      processes.push(process);
      return process;
    },
    /** What the model says of all that was produced; what was only counted is read now. */
    async expected(overrides: Partial<ModelSettings> = {}): Promise<ModelResult> {
      const log = (logged ??= await readLogs());
      await eventually('all records produced can be read', () => log.records.length >= produced, 60_000);
      const inputOf = Object.fromEntries(Object.entries(inputs).map(([input, topic]) => [topic, input as MoneyInput]));
      const records = log.records.map((record): LogRecord => ({ ...record, topic: inputOf[record.topic]! }));
      return model({
        records,
        settings: {
          ...DEFAULT_SETTINGS,
          outOfOrderness: config.outOfOrderness,
          sessionTtl: config.sessionTtl,
          dedupTtl: config.dedupTtl,
          pendingTimeout: config.pendingTimeout,
          maxFutureSkew: config.maxFutureSkew,
          maxRecordBytes: config.maxRecordBytes,
          pendingAtEnd: 'leave',
          ...overrides,
        },
        sessionService: options.countries ?? (() => options.country ?? 'UY'),
      });
    },
    /** Waits until so many have come out. */
    outputsReach: (count: number, timeout = 120_000) =>
      eventually(`${Math.ceil(count)} outputs`, () => outputs.records.length >= count, timeout),
    /** Waits until as much came out as the model says, and then for all of it to be the same, once each. */
    async matches(expected: ModelResult, timeout = 120_000): Promise<void> {
      await eventually(
        'the expected number of outputs and dead letters',
        () =>
          outputs.records.length >= expected.outputs.length &&
          deadLetters.records.length >= expected.deadLetters.length,
        timeout,
      ).catch(async (error: unknown) => {
        const counts = `outputs: ${outputs.records.length} of ${expected.outputs.length}, dead letters: ${deadLetters.records.length} of ${expected.deadLetters.length}`;
        const standing = [
          ...(await readingOf(kafka, topics.output, outputs).catch((failed: unknown) => [String(failed)])),
          ...(await readinessOf(processes)),
        ];
        const found = await explained(differences(outputs.records, expected), expected);
        assert.deepEqual([...standing, ...found], [], `${String(error)}; ${counts}`);
      });
      assert.deepEqual(await explained(differences(outputs.records, expected), expected), []);
      const where = (topic: string, partition: unknown, offset: unknown, reason: unknown) =>
        `${topic}/${partition}/${offset} ${reason}`;
      assert.deepEqual(
        deadLetters.records
          .map(({ headers: h }) => where(h['source-topic']!, h['source-partition'], h['source-offset'], h['reason']))
          .sort(),
        expected.deadLetters
          .map(({ topic, partition, offset, reason }) => where(inputs[topic], partition, offset, reason))
          .sort(),
      );
      const sources = new Map(
        (logged?.records ?? []).map((record) => [`${record.topic}/${record.partition}/${record.offset}`, record]),
      );
      for (const { key, value, headers: h } of deadLetters.records) {
        const source = sources.get(`${h['source-topic']}/${h['source-partition']}/${h['source-offset']}`)!;
        const same = (a: Buffer | null, b: Buffer | null) => (a === null || b === null ? a === b : a.equals(b));
        const whole = h['value-cut'] === 'true' ? source.value!.subarray(0, value!.length) : source.value;
        assert.ok(
          same(key, source.key) && same(value, whole),
          `a dead letter has the key and value of ${JSON.stringify(h)}`,
        );
        if (h['value-cut'] === 'true') {
          assert.equal(h['value-bytes'], String(source.value!.length));
          assert.equal(h['value-sha256'], createHash('sha256').update(source.value!).digest('hex'));
        }
        assert.equal(h['source-timestamp'], String(source.timestamp));
      }
    },
  };
}

/** What is missing, twice, unexpected or different, by the place of the money record. */
function differences(seen: readonly SeenRecord[], expected: ModelResult): string[] {
  const found: string[] = [];
  const want = new Map(expected.outputs.map((output) => [`${output.partition}/${output.offset}`, output]));
  const got = new Map<string, SeenRecord>();
  for (const record of seen) {
    const place = `${record.headers['source-partition']}/${record.headers['source-offset']}`;
    if (got.has(place)) found.push(`twice: ${place} ${record.value}`);
    got.set(place, record);
    const output = want.get(place);
    if (output === undefined) found.push(`unexpected: ${place} ${record.value}`);
    else if (String(record.value) !== output.value || String(record.key) !== output.key) {
      found.push(`different: ${place}\n  got  ${record.value}\n  want ${output.value} (${output.path})`);
    } else if ((record.headers['enrichment'] === 'incomplete') !== output.incomplete) {
      found.push(`header enrichment: ${place}`);
    }
  }
  for (const [place, output] of want) {
    if (!got.has(place)) found.push(`missing: ${place} ${output.value} (${output.path})`);
  }
  return found;
}
