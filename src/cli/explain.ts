/** `explain <userId> <moneyId>`: why a money event came out as it did, from the history of its user's workflow. */
import { Command } from 'commander';
import type { MoneyInput } from '../money/domain/events.ts';
import { CodedError, messageOf } from '../engine/errors.ts';
import { explained, explanationDocument, happeningDocument } from '../tools/explain/explanation.ts';
import { foldRuns } from '../tools/explain/fold.ts';
import { placeKey, type Happening } from '../tools/explain/happening.ts';
import { loadAttempts, loadRuns } from '../tools/explain/load.ts';
import { findPublished, type PublishedRecord } from '../tools/explain/published.ts';
import { COLOURS, PLAIN, renderExplanation } from '../tools/explain/render.ts';
import { StoryTeller, type MoneyStory, type Stories } from '../tools/explain/story.ts';
import { traceLine } from '../tools/explain/trace.ts';
import type { RecordedRun } from '../tools/explain/recorded.ts';
import { createKafka } from '../engine/kafka/kafkajs/create-kafka.ts';
import { connectTemporal, type TemporalClient } from '../engine/temporal/connection.ts';
import { workflowIdsOf } from '../money/workflow-ids.ts';
import { uuid } from './arguments.ts';
import { createContext, reachKafka, type Context } from './context.ts';
import { result, wantsDocument } from './document.ts';
import { progress, takesColour, writeLine } from './output.ts';

interface Options {
  readonly trace?: true;
}

export function explainCommand(): Command {
  return new Command('explain')
    .description(
      'Why a money event came out as it did: what it was joined with, what it waited for, and where it is in the output topic.\n' +
        "Read from the history of the user's workflow, which goes on; needs Temporal and no worker. Shows personal data.",
    )
    .argument('<userId>', 'UUID of the user')
    .argument('[moneyId]', 'UUID of the money event; may be left out with --trace')
    .option('--trace', 'everything of the user as a time line; lines of the money event are marked')
    .option('--json', 'one JSON document; with --trace {"trace":[...]}')
    .action((userId: string, moneyId: string | undefined, options: Options) => explain(userId, moneyId, options));
}

async function explain(user: string, money: string | undefined, options: Options): Promise<void> {
  const userId = uuid('user id', user);
  const moneyId = money === undefined ? undefined : uuid('money id', money);
  if (moneyId === undefined && options.trace !== true) {
    throw new CodedError('CONFIG', 'the money id is missing: expected explain <userId> <moneyId>, or --trace');
  }
  const context = createContext({ requireTemporal: true }, { quiet: true });
  const workflowId = workflowIdsOf(context.config)(userId);
  const temporal = await connectTemporal(context.env, context.identity);
  try {
    const runs = await runsOf(temporal, workflowId);
    if (options.trace === true) return await trace(runs, topicsOf(context), moneyId);
    await explainMoney(context, temporal, runs, { userId, moneyId: moneyId!, workflowId });
  } finally {
    await temporal.connection.close();
  }
}

async function runsOf(temporal: TemporalClient, workflowId: string): Promise<readonly RecordedRun[]> {
  const shown = progress(`reading the history of ${workflowId}`);
  try {
    const runs = await loadRuns(temporal.client, workflowId);
    if (runs !== undefined) return runs;
  } catch (error) {
    throw new CodedError(
      'UNREACHABLE',
      `the history of "${workflowId}" at ${temporal.address} cannot be read: ${messageOf(error)}`,
      { cause: error },
    );
  } finally {
    shown.end();
  }
  throw new CodedError(
    'NOT_FOUND',
    `no workflow "${workflowId}" in namespace "${temporal.namespace}" of ${temporal.address}: no event of this user was applied yet, ` +
      'or ENRICHMENT_APP_ID or ENRICHMENT_USER_ID_HASH_KEY is not that of the bridge',
  );
}

async function trace(
  runs: readonly RecordedRun[],
  topics: Readonly<Record<MoneyInput, string>>,
  moneyId: string | undefined,
): Promise<void> {
  const happenings: unknown[] = [];
  await foldRuns(runs, topics, (happening: Happening) => {
    if (wantsDocument()) happenings.push(happeningDocument(happening));
    else writeLine(traceLine(happening, moneyId));
  });
  if (wantsDocument()) result({ trace: happenings }, () => []);
}

async function explainMoney(
  context: Context,
  temporal: TemporalClient,
  runs: readonly RecordedRun[],
  who: { readonly userId: string; readonly moneyId: string; readonly workflowId: string },
): Promise<void> {
  const teller = new StoryTeller(who.moneyId);
  await foldRuns(runs, topicsOf(context), (happening) => teller.hear(happening));
  const stories = teller.told;
  if (stories.ofMoney.length === 0) throw notFound(who, runs[0]!, stories);
  const [attempts, { kafka, published }] = await Promise.all([
    loadAttempts(temporal.client, who.workflowId),
    readOutput(context, who.userId, stories.ofMoney),
  ]);
  const all = explained({ ...who, topic: context.config.topics.output, kafka }, stories, attempts, published);
  result(explanationDocument(all), () => renderExplanation(all, takesColour(process.stdout) ? COLOURS : PLAIN));
  const problems = all.money.flatMap((one) => one.problems);
  if (problems.length > 0) {
    throw new CodedError('CHECK_FAILED', `the history and the output topic differ: ${problems.join('; ')}`);
  }
}

function notFound(
  { moneyId, workflowId }: { readonly moneyId: string; readonly workflowId: string },
  oldest: RecordedRun,
  { complete, runs }: Stories,
): CodedError {
  const lost = runs.find(({ differs }) => differs !== undefined);
  if (lost !== undefined) {
    return new CodedError(
      'CHECK_FAILED',
      `no money ${moneyId} in the history of "${workflowId}" as far as it can be followed: run ${lost.runId} is not, from ${new Date(lost.differs!.at).toISOString()} on: ${lost.differs!.how}`,
    );
  }
  const from = new Date(oldest.startedAt).toISOString();
  const why = complete
    ? 'the whole history is there, so it was never applied: it is not read yet, is held until the watermark passes it, or is a dead letter (see "money-enrichment dead-letters")'
    : `what was applied before ${from} is not in it, for Temporal does not retain it any more or a bootstrap made it; if it is newer: it is not read yet, is held, or is a dead letter`;
  return new CodedError('NOT_FOUND', `no money ${moneyId} in the history of "${workflowId}": ${why}`);
}

/** An explanation without Kafka is worth having too. */
async function readOutput(
  context: Context,
  userId: string,
  stories: readonly MoneyStory[],
): Promise<{ readonly kafka: string; readonly published?: ReadonlyMap<string, readonly PublishedRecord[]> }> {
  const { config, logger } = context;
  if (config.kafka === undefined) return { kafka: 'KAFKA_BROKERS is not set' };
  const shown = progress(`reading ${config.topics.output}`);
  const port = createKafka(config.kafka, logger);
  try {
    await reachKafka(context);
    const appliedAt = stories.map((story) => story.appliedAt);
    const since = appliedAt.every((time) => time !== undefined) ? Math.min(...appliedAt) : undefined;
    const published = await findPublished(
      port,
      { appId: config.appId, topic: config.topics.output, userId, since },
      new Set(stories.map(({ place }) => placeKey(place))),
    );
    return published === null
      ? { kafka: `the topic ${config.topics.output} does not exist` }
      : { kafka: 'read', published };
  } catch (error) {
    return { kafka: messageOf(error) };
  } finally {
    shown.end();
    await port.close();
  }
}

function topicsOf({ config: { topics } }: Context): Readonly<Record<MoneyInput, string>> {
  return { user: topics.user, session: topics.session, money: topics.money };
}
