/** What a worker does, told to its metrics and its log. */
import type { SessionService } from '../../../activities/session-service.ts';
import type { Logger } from '../../engine/log.ts';
import { eventText } from '../../engine/publish/ownership.ts';
import type { OnShardEvent, Publisher, ShardEvent } from '../../engine/publish/publisher.ts';
import type { Output } from '../domain/events.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { refusalLabelOf } from '../metrics/publishing.ts';
import type { WorkflowIds } from '../workflow-ids.ts';

/** Counts the outputs that wait, and the lookups that were given up, where their money comes out. */
export function counted(
  publisher: Publisher<Output>,
  metrics: Pick<WorkerMetrics, 'lookups' | 'unpublishedOutputs'>,
): Publisher<Output> {
  return {
    async publish(request) {
      const { outputs } = request;
      metrics.unpublishedOutputs.inc(outputs.length);
      let at: number | void;
      try {
        at = await publisher.publish(request);
      } finally {
        metrics.unpublishedOutputs.dec(outputs.length);
      }
      const givenUp = outputs.filter(({ incomplete }) => incomplete === true).length;
      if (givenUp > 0) metrics.lookups.inc({ outcome: 'given-up' }, givenUp);
      return at;
    },
  };
}

/** Each request is timed, whatever comes of it. */
export function timedSessionService(
  service: SessionService,
  { lookupDuration, lookupsInFlight }: Pick<WorkerMetrics, 'lookupDuration' | 'lookupsInFlight'>,
): SessionService {
  return {
    async get(sessionId, ended) {
      const over = lookupDuration.startTimer();
      lookupsInFlight.inc();
      try {
        return await service.get(sessionId, ended);
      } finally {
        lookupsInFlight.dec();
        over();
      }
    },
  };
}

/** Which shards are ours, and how many users their ledgers have. */
export class ShardFigures {
  readonly #users = new Map<number, number>();
  readonly #metrics: Pick<WorkerMetrics, 'ledgerUsers' | 'shardOwned'>;

  constructor(metrics: Pick<WorkerMetrics, 'ledgerUsers' | 'shardOwned'>) {
    this.#metrics = metrics;
  }

  observe(event: ShardEvent): void {
    if (event.type === 'opened') this.#users.set(event.shard, event.keys);
    else if (event.type === 'committed') this.#users.set(event.shard, event.ledgerKeys);
    else if (event.type === 'closed' || event.type === 'lost') this.#users.delete(event.shard);
    else return;
    const { ledgerUsers, shardOwned } = this.#metrics;
    ledgerUsers.set([...this.#users.values()].reduce((sum, users) => sum + users, 0));
    shardOwned.reset();
    for (const shard of this.#users.keys()) shardOwned.set({ shard: String(shard) }, 1);
  }
}

/** Shard events as counters and lines of the log. */
export function observeShards(metrics: WorkerMetrics, logger: Logger, workflowId: WorkflowIds): OnShardEvent {
  return (event) => {
    const text = eventText(event);
    switch (event.type) {
      case 'committed':
        metrics.published.inc(event.outputs);
        metrics.transactions.inc({ outcome: 'committed' });
        metrics.transactionSeconds.observe(event.ms / 1_000);
        metrics.transactionDuration.observe(event.ms / 1_000);
        metrics.transactionOutputs.observe(event.outputs);
        return logger.debug(text);
      case 'reopening':
        metrics.transactions.inc({ outcome: 'failed' });
        return logger.warn(text);
      case 'repeated':
        metrics.duplicatesAbsorbed.inc(event.requests);
        return logger.debug(text);
      case 'refused':
        metrics.refusedPublishes.inc({ reason: refusalLabelOf(event.error) });
        return logger.error({ workflowId: workflowId(event.key) }, text);
      case 'noticed':
        metrics.workflowEvents.inc({ kind: event.notice });
        return logger.warn({ workflowId: workflowId(event.key) }, text);
      case 'outputRefused':
        metrics.outputRefusals.inc();
        // Once: it is tried again for as long as it takes.
        return event.turns === 1
          ? logger.error({ workflowId: workflowId(event.key) }, text)
          : logger.debug({ workflowId: workflowId(event.key), turns: event.turns }, text);
      case 'outputTaken':
        return logger.info({ workflowId: workflowId(event.key) }, text);
      case 'closed':
        return logger.debug(text);
      case 'lost':
        return logger.warn(text);
      case 'opened':
        return logger.info(text);
      default:
        return event satisfies never;
    }
  };
}
