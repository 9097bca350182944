/** The live figures: from the metrics of bridge, stand-in and output topics, and from asking the users' workflows in turn. */
import type { UserStateView } from '../../../workflows/views.ts';
import { QUERIES } from '../../../workflows/messages.ts';
import type { WorkflowIds } from '../../money/workflow-ids.ts';
import { within, type TemporalClient } from '../../engine/temporal/connection.ts';

export interface Figures {
  /** Records written to the inputs, of `total`. */
  readonly sent: number;
  readonly total: number;
  /** Of the records written last, epoch ms; undefined before the first. */
  readonly eventTime: number | undefined;
  readonly held: number;
  readonly signals: number;
  readonly signalledEvents: number;
  readonly late: number;
  readonly enriched: number;
  /** Over the last seconds. */
  readonly enrichedPerSecond: number;
  readonly sentPerSecond: number;
  /** As the workflows said when they were asked last. */
  readonly duplicates: number;
  readonly pending: number;
  readonly lookups: number;
  readonly deadLetters: number;
}

/** Sum of all samples of `name` in a Prometheus text; 0 when there are none. */
export function metricSum(prometheus: string, name: string): number {
  let sum = 0;
  for (const line of prometheus.split('\n')) {
    const sample = /^([\w:]+)(?:\{[^}]*\})? (\S+)$/.exec(line);
    if (sample?.[1] === name) sum += Number(sample[2]);
  }
  return sum;
}

export interface BridgeFigures {
  readonly held: number;
  readonly signals: number;
  readonly signalledEvents: number;
  readonly late: number;
}

const METRICS_TIMEOUT = 1_000;

/** `known` when the bridge does not answer. */
export async function readBridge(httpUrl: string, known: BridgeFigures): Promise<BridgeFigures> {
  const of = await readMetrics(httpUrl);
  if (of === undefined) return known;
  return {
    held: of('records_held'),
    signals: of('signals_total'),
    signalledEvents: of('signalled_events_total'),
    late: of('records_late_total'),
  };
}

/** Shards for which the worker works already; 0 when it does not answer. */
export async function readShardsOwned(httpUrl: string): Promise<number> {
  const of = await readMetrics(httpUrl);
  return of?.('shards_owned') ?? 0;
}

/** Undefined when the process does not answer: it may be starting, or dead. */
async function readMetrics(httpUrl: string): Promise<((name: string) => number) | undefined> {
  try {
    const answer = await fetch(`${httpUrl}/metrics`, { signal: AbortSignal.timeout(METRICS_TIMEOUT) });
    const text = await answer.text();
    return (name) => metricSum(text, `money_enrichment_${name}`);
  } catch {
    return undefined;
  }
}

/** A rate over the last seconds of a count that only grows. */
export class Speed {
  readonly #points: { at: number; count: number }[] = [];

  /** `now` in ms; returns the rate per second over about the last five. */
  at(count: number, now: number): number {
    const points = this.#points;
    points.push({ at: now, count });
    while (points.length > 2 && now - points[0]!.at > 5_000) points.shift();
    const first = points[0]!;
    return now === first.at ? 0 : ((count - first.count) * 1_000) / (now - first.at);
  }
}

const AT_A_TIME = 8;
const QUERY_TIMEOUT = 3_000;

/** Asks the workflows of the users for their state, some at a time, so that looking costs little. */
export class StateSampler {
  readonly #views = new Map<string, UserStateView>();
  readonly #temporal: TemporalClient;
  readonly #workflowId: WorkflowIds;
  readonly #userIds: readonly string[];
  #next = 0;

  constructor(temporal: TemporalClient, workflowId: WorkflowIds, userIds: readonly string[]) {
    this.#temporal = temporal;
    this.#workflowId = workflowId;
    this.#userIds = userIds;
  }

  /** The last answer of each user that answered. */
  get views(): ReadonlyMap<string, UserStateView> {
    return this.#views;
  }

  /** The next few users; those that do not answer now keep their last answer. */
  async sample(): Promise<void> {
    const chosen = Array.from(
      { length: Math.min(AT_A_TIME, this.#userIds.length) },
      () => this.#userIds[this.#next++ % this.#userIds.length]!,
    );
    await Promise.allSettled(chosen.map((userId) => this.#ask(userId)));
  }

  /** Everybody. Errors: what Temporal says when one does not answer. */
  async all(): Promise<void> {
    for (let at = 0; at < this.#userIds.length; at += AT_A_TIME) {
      await Promise.all(this.#userIds.slice(at, at + AT_A_TIME).map((userId) => this.#ask(userId)));
    }
  }

  sum(of: (view: UserStateView) => number): number {
    return [...this.#views.values()].reduce((sum, view) => sum + of(view), 0);
  }

  /** Nothing happens when there is no workflow of this user (yet). */
  async #ask(userId: string): Promise<void> {
    const { client, connection } = this.#temporal;
    const { WorkflowNotFoundError } = await import('@temporalio/client');
    const handle = client.workflow.getHandle(this.#workflowId(userId));
    try {
      const view = await within(QUERY_TIMEOUT, connection, () => handle.query<UserStateView>(QUERIES.state));
      this.#views.set(userId, view);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
}
