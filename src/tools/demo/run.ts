/** The demo from its start to its verdict. Whatever it started is stopped when it returns or throws. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../../money/config.ts';
import type { KafkaConfig } from '../../engine/kafka/kafka-config.ts';
import { CodedError } from '../../engine/errors.ts';
import type { MoneyInput } from '../../money/domain/events.ts';
import { createKafka } from '../../engine/kafka/kafkajs/create-kafka.ts';
import { createPlainProducer } from '../../engine/kafka/kafkajs/producer.ts';
import { tailTopics } from '../../engine/kafka/kafkajs/tail.ts';
import { createLogger } from '../../engine/log.ts';
import { connectTemporal, temporalConnectionOptions } from '../../engine/temporal/connection.ts';
import type { TemporalClient } from '../../engine/temporal/connection.ts';
import { encryptionOf } from '../../money/config/encryption.ts';
import { workflowIdsOf } from '../../money/workflow-ids.ts';
import { startDevelopment } from '../../dev/development.ts';
import type { Development } from '../../dev/development.ts';
import { isAbort, undoAll, unlessAborted } from '../../dev/together.ts';
import type { Undo } from '../../dev/together.ts';
import { renderCases, casesOf } from './cases.ts';
import { readShardsOwned, StateSampler } from './figures.ts';
import { killWorker } from './kill.ts';
import { startLive } from './live.ts';
import { farewell, intro, renderVerdict, type FarewellOptions } from './words.ts';
import { paceOf, sendPaced } from './pace.ts';
import type { DemoOptions } from './options.ts';
import type { Progress } from './pace.ts';
import { planScenario, STRETCH } from './scenario.ts';
import type { Screen } from './screen.ts';
import { DEMO_RULES, demoSetup } from './setup.ts';
import { settle } from './settle.ts';
import { tellStory } from './story.ts';
import { valuesOf } from './values.ts';
import { judge, judgeStates } from './verdict.ts';
import type { DemoVerdict } from './verdict.ts';

export interface DemoDeps {
  readonly env: NodeJS.ProcessEnv;
  readonly createTopics: (config: Config, partitions: number) => Promise<void>;
  readonly screen: Screen;
  /** A line of what is to be read afterwards: story and verdict. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** ms of event time from the end of the scenario to now. */
const AGO = 3 * STRETCH;
/** The worker is killed when so much was sent. */
const KILL_AT = 0.4;
const KAFKA_LOG = 'silent';
/** A line of the log of worker or bridge, as opposed to what is said about them. */
const PRODUCT_LOG = /^(worker|bridge): /;
const MAX_LOGGED = 30;
/** ms that the worker has to take its shards before the traffic begins all the same */
const WARM_UP = 30_000;

/** Resolves with the verdict; with `keep`, when the signal ends it. Errors: those of startDevelopment, the signal's reason. */
export async function runDemo(options: DemoOptions, deps: DemoDeps): Promise<boolean> {
  const { env, screen, say, signal } = deps;
  const setup = demoSetup(env, randomUUID().slice(0, 8));
  const temporal = temporalConnectionOptions(env);
  for (const line of intro(options, setup)) say(line);
  const undo: Undo = [];
  const logged: string[] = [];
  const log = (line: string): void => {
    if (!setup.quiet || !PRODUCT_LOG.test(line)) return screen.log(line);
    logged.push(line);
    if (logged.length > MAX_LOGGED) logged.shift();
  };
  screen.log('Starting Kafka and Temporal ...');
  try {
    const running = await startDevelopment({
      config: withoutSessionService(setup.config),
      temporalAddress: temporal.address,
      temporalNamespace: temporal.namespace,
      infraOnly: false,
      partitions: options.partitions,
      createTopics: (kafka: KafkaConfig, partitions: number) =>
        deps.createTopics({ ...setup.config, kafka }, partitions),
      productEnv: setup.productEnv,
      log,
      signal,
    });
    undo.push(() => running.stop());
    const ui = uiOf(running, temporal.namespace);
    if (ui !== undefined) screen.log(`All is up. The Temporal UI: ${ui}`);
    const shown = present(options, deps, { running, config: setup.config, undo });
    const { verdict, heroId, heroRun } = await Promise.race([unlessAborted(signal, shown), running.failed]);
    for (const line of renderVerdict(verdict)) say(line);
    if (!verdict.ok) logged.forEach((line) => screen.log(line));
    const words = farewell({
      keep: options.keep,
      setup,
      stack: running.stack,
      ui,
      heroId,
      heroRun,
      namespace: temporal.namespace,
    });
    for (const line of words) say(line);
    if (options.keep) await Promise.race([aborted(signal), running.failed]);
    return verdict.ok;
  } catch (error) {
    if (!isAbort(error, signal)) logged.forEach((line) => screen.log(line));
    throw error;
  } finally {
    screen.end();
    screen.log('Stopping all that was started ...');
    await undoAll(undo);
  }
}

interface Stage {
  readonly running: Development;
  readonly config: Config;
  readonly undo: Undo;
}

/** Sends, shows, kills, waits for the end, tells the story. */
async function present(
  options: DemoOptions,
  deps: DemoDeps,
  { running, config, undo }: Stage,
): Promise<{ verdict: DemoVerdict } & Pick<FarewellOptions, 'heroId' | 'heroRun'>> {
  const { env, screen, say, signal } = deps;
  const { stack, product } = running;
  const values = await valuesOf(config, stack.schemaRegistry);
  if (product === undefined) throw new CodedError('UNREACHABLE', 'Worker and bridge were not started.');
  const { topics } = config;
  const inputTopics: Record<MoneyInput, string> = { user: topics.user, session: topics.session, money: topics.money };
  const logger = createLogger({ level: KAFKA_LOG });

  const temporal = await connectTemporal({ ...env, TEMPORAL_ADDRESS: stack.temporal }, encryptionOf(config, logger));
  undo.push(() => temporal.connection.close());
  const kafka = createKafka(stack.kafka, logger);
  undo.push(() => kafka.close());
  const producer = await createPlainProducer(stack.kafka, logger);
  undo.push(() => producer.close());
  const tail = await tailTopics(stack.kafka, [...Object.values(inputTopics), topics.output, topics.deadLetter], logger);
  undo.push(() => tail.close());
  signal.throwIfAborted();

  const [shards] = await kafka.partitionCounts([topics.output]);
  screen.log('Waiting for the worker to have taken its shards ...');
  for (
    const until = performance.now() + WARM_UP;
    performance.now() < until && (await readShardsOwned(product.worker.current.httpUrl)) < (shards ?? 0);
  ) {
    await pause(200, undefined, { signal });
  }
  const scenario = planScenario({ ...options, start: Date.now() - AGO - STRETCH - DEMO_RULES.sessionTtl });
  const pace = paceOf(scenario.records, options.partitions, options.seed);
  const sampler = new StateSampler(temporal, workflowIdsOf(config), scenario.userIds);
  const live = startLive({ screen, product, stack, tail, topics, sampler, total: pace.total });
  undo.push(() => live.stop());

  let killing: Promise<string> | undefined;
  const onProgress = (progress: Progress): void => {
    live.progress(progress);
    if (options.kill && killing === undefined && progress.fraction >= KILL_AT) {
      killing = killWorker(product.worker, live, screen, signal);
      killing.catch(() => undefined); // waited for below
    }
  };
  const sending = sendPaced(
    pace,
    (input, records) =>
      producer.send(
        inputTopics[input],
        records.map((record) => ({ ...record, value: values.write(input, record.value) })),
      ),
    onProgress,
    signal,
  );
  const longestPause = await Promise.race([sending, tail.failed]);
  const killed = await killing;

  const settled = settle({
    kafka,
    tail,
    config,
    inputTopics,
    written: pace.total,
    partitions: options.partitions,
    sampler,
    screen,
    values,
    signal,
  });
  const evidence = await Promise.race([settled, tail.failed]);
  await live.finish();
  const { expected } = evidence;

  const story = sampler.views.get(scenario.heroId);
  if (story !== undefined) {
    for (const line of tellStory({ ...evidence, userId: scenario.heroId, state: story })) say(line);
  }
  say('');
  say('What happened to the money, and how often:');
  for (const line of renderCases(
    casesOf(
      expected,
      evidence.inputs.filter(({ topic }) => topic === topics.session),
    ),
  )) {
    say(line);
  }
  say(`${live.late.toLocaleString('en').padStart(7)}  events in all that came later than the watermark`);
  say('');
  const base = judge(expected, evidence);
  const books = judgeStates(expected, [...sampler.views.values()]);
  const checks = [...base.checks, books, ...(killed === undefined ? [] : [{ ok: true, text: killed }])];
  const hint =
    !base.ok && longestPause > config.idleTimeout / 2
      ? [
          `This machine stood still for ${Math.round(longestPause / 1_000)} s, which may have been taken for silence: try again.`,
        ]
      : [];
  return {
    verdict: { ok: base.ok && books.ok, checks, differences: [...base.differences, ...hint] },
    heroId: scenario.heroId,
    heroRun: await runOf(temporal, workflowIdsOf(config)(scenario.heroId)),
  };
}

function withoutSessionService({ sessionServiceUrl: _, ...config }: Config): Config {
  return config;
}

/** The last run of a workflow; undefined where Temporal says none: only an address is made of it. */
async function runOf({ client }: TemporalClient, workflowId: string): Promise<string | undefined> {
  return client.workflow
    .getHandle(workflowId)
    .describe()
    .then(({ runId }) => runId)
    .catch(() => undefined);
}

function uiOf({ stack }: Development, namespace: string): string | undefined {
  return stack.temporalUi === undefined
    ? undefined
    : `${stack.temporalUi.replace(/\/$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows`;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
