/** `top`: a live view of a running system, or one snapshot of it. Reads only. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { UserStateView } from '../../workflows/views.ts';
import { QUERIES } from '../../workflows/messages.ts';
import { createKafka } from '../engine/kafka/kafkajs/create-kafka.ts';
import { connectTemporal } from '../engine/temporal/connection.ts';
import { workflowIdsOf } from '../money/workflow-ids.ts';
import { queryWorkflow } from '../tools/query.ts';
import { runLive } from '../tools/top/live.ts';
import { renderTop, SORTS, type Sort } from '../tools/top/render.ts';
import { scrape } from '../tools/top/samples.ts';
import { snapshotOf, type KafkaSight, type TopSnapshot } from '../tools/top/snapshot.ts';
import { watchKafka } from '../tools/top/watch.ts';
import { createContext, reachKafka, type Context } from './context.ts';
import { renderState } from './state.ts';
import { result, wantsDocument } from './document.ts';
import { takesColour } from './output.ts';
import { CodedError } from '../engine/errors.ts';

interface TopOptions {
  readonly metrics: readonly string[];
  readonly once?: true;
  readonly sort: string;
}

/** ms between the two looks of a snapshot, and for the last records to be read. */
const BETWEEN = 1_000;
const CATCHING_UP = 10_000;

export function topCommand(): Command {
  return new Command('top')
    .description(
      'A live view: records in and out, lag and watermark by partition, the users with most of the last records, pending money, ' +
        'lookups, dead letters, shards and their owners. Reads Kafka, and the metrics of the processes that it is told of.',
    )
    .option(
      '--metrics <url>',
      "a process's metrics; may be given several times",
      (url: string, urls: string[]) => [...urls, url],
      [],
    )
    .option('--sort <column>', `order of the partitions: ${SORTS.join(', ')}`, 'partition')
    .option('--once', 'one frame, and the end')
    .action(top);
}

async function top(options: TopOptions): Promise<void> {
  const sort = SORTS.find((one) => one === options.sort);
  if (sort === undefined) throw new CodedError('CONFIG', `--sort ${options.sort}: expected one of ${SORTS.join(', ')}`);
  const context = createContext({ requireKafka: true }, { quiet: true });
  const { config, logger } = context;
  const urls = (options.metrics.length > 0 ? options.metrics : [`http://127.0.0.1:${config.metricsPort}`]).map(
    metricsUrl,
  );
  const kafka = createKafka(await reachKafka(context), logger);
  try {
    const watch = await watchKafka(kafka, config, Date.now);
    let before: KafkaSight | undefined;
    const look = async (): Promise<TopSnapshot> => {
      const [sight, ...scrapes] = await Promise.all([watch.look(), ...urls.map(scrape)]);
      const snapshot = snapshotOf(sight, before, scrapes);
      before = sight;
      return snapshot;
    };
    try {
      if (wantsDocument() || options.once === true || process.stdout.isTTY !== true) {
        await Promise.race([watch.caughtUp, sleep(CATCHING_UP, undefined, { ref: false })]);
        await look();
        await sleep(BETWEEN);
        const snapshot = await look();
        result(snapshot, () => frameOf(snapshot, sort));
      } else {
        await runLive({
          input: process.stdin,
          output: process.stdout,
          color: takesColour(process.stdout),
          sort,
          look,
          open: (user) => stateOf(context, watch.userIds.get(user) ?? user),
        });
      }
    } finally {
      await watch.close();
    }
  } finally {
    await kafka.close();
  }
}

function frameOf(snapshot: TopSnapshot, sort: Sort): readonly string[] {
  const columns = process.stdout.columns ?? 120;
  return renderTop(snapshot, { columns, rows: 1_000, color: takesColour(process.stdout), sort });
}

async function stateOf({ config, env, encryption, identity }: Context, userId: string): Promise<string> {
  const temporal = await connectTemporal(env, encryption, identity);
  try {
    return renderState(await queryWorkflow<UserStateView>(temporal, workflowIdsOf(config)(userId), QUERIES.state));
  } finally {
    await temporal.connection.close();
  }
}

/** With the path, which people leave out. */
function metricsUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new CodedError('CONFIG', `--metrics ${text}: expected an address such as http://127.0.0.1:9464/metrics`);
  }
  const url = new URL(text);
  if (url.pathname === '/') url.pathname = '/metrics';
  return url.href;
}
