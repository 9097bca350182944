/** All that looks at a worker: what its readiness, its metrics and its log are told of its shards, lookups and workflows. */
import type { Clock } from '../../engine/clock.ts';
import type { KafkaPort } from '../../engine/kafka/port.ts';
import type { Logger } from '../../engine/log.ts';
import { taskQueueOf } from '../../engine/naming.ts';
import type { ShardEvent } from '../../engine/publish/publisher.ts';
import { RefusedOutputs } from '../../engine/worker/refused-outputs.ts';
import { RefusedWorkflows } from '../../engine/worker/refused-workflows.ts';
import { Replays } from '../../engine/worker/replays.ts';
import { UnopenedShards } from '../../engine/worker/unopened-shards.ts';
import type { Config } from '../config.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { workflowIdsOf } from '../workflow-ids.ts';
import { EndToEnd } from './end-to-end.ts';
import { observeShards, ShardFigures } from './observed.ts';
import { SessionServiceWatch } from './session-service-watch.ts';
import { WaitingMoney } from './waiting-money.ts';

export interface WatchDeps {
  readonly config: Pick<Config, 'appId' | 'topics' | 'userIdHashKey'>;
  readonly kafka: KafkaPort;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: WorkerMetrics;
}

export class WorkerWatches {
  readonly replays: Replays;
  readonly waiting = new WaitingMoney();
  readonly sessionService: SessionServiceWatch;
  readonly #appId: string;
  readonly #metrics: WorkerMetrics;
  readonly #outputs: RefusedOutputs;
  readonly #ledger: RefusedWorkflows;
  readonly #shards: UnopenedShards;
  readonly #endToEnd: EndToEnd;
  readonly #observers: readonly ((event: ShardEvent) => void)[];

  constructor({ config, kafka, clock, logger, metrics }: WatchDeps) {
    const { appId, topics } = config;
    this.#appId = appId;
    this.#metrics = metrics;
    this.sessionService = new SessionServiceWatch(clock, logger);
    this.replays = new Replays({ clock, logger, observe: (ms) => metrics.replaySeconds.observe(ms / 1_000) });
    this.#outputs = new RefusedOutputs(clock, topics.output);
    this.#ledger = new RefusedWorkflows(clock);
    this.#shards = new UnopenedShards(clock);
    this.#endToEnd = new EndToEnd({ kafka, clock, topic: topics.money, seconds: metrics.endToEnd });
    const figures = new ShardFigures(metrics);
    this.#observers = [
      ...[this.#outputs, this.#ledger, this.#shards, figures].map((one) => (event: ShardEvent) => one.observe(event)),
      observeShards(metrics, logger, workflowIdsOf(config)),
    ];
  }

  onShardEvent(event: ShardEvent): void {
    for (const observe of this.#observers) observe(event);
    if (event.type === 'committed') void this.#endToEnd.committed(event.last);
    if (event.type === 'closed') this.waiting.forget(taskQueueOf(this.#appId, event.shard));
  }

  /** What the worker cannot do without. */
  get parts(): Readonly<Record<string, { readonly problem: string | null }>> {
    return { outputs: this.#outputs, ledger: this.#ledger, shards: this.#shards, replays: this.replays };
  }

  setGauges(worker: { readonly holds: number; readonly shardsFailing: number }): void {
    const metrics = this.#metrics;
    metrics.shardsOwned.set(worker.holds);
    metrics.shardsFailing.set(worker.shardsFailing);
    metrics.outputsRefused.set(this.#outputs.count);
    metrics.replays.set(this.replays.underWay);
    metrics.pendingMoney.set(this.waiting.pending);
    metrics.moneyAwaitingLookup.set(this.waiting.lookups);
  }
}
