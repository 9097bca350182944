/**
 * Prometheus metrics of the two production processes. The registry is created, never global, so that several parts (and
 * tests) live in one process. Labels are topics, reasons and outcomes only: no ids, their number must stay bounded. Every
 * counter is there from the start, at 0 for each of its labels: one that appears with its first event cannot be alerted on,
 * for `increase` does not see a first value.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { LookupOutcome } from '../../activities/contract.ts';
import type { Noticed } from '../engine/workflow/entity/port.ts';
import type { Notice } from '../engine/publish/notices.ts';
import { DEAD_LETTER_REASONS } from '../engine/ordering/rejection.ts';
import type { WaitReason } from '../engine/bridge/waits.ts';
import { SIGNAL_FAILURES } from '../engine/bridge/signal-failure.ts';
import { makersOf } from './metrics/names.ts';
import { createPublishingMetrics, type PublishingMetrics } from './metrics/publishing.ts';
import { createReadingMetrics, type ReadingMetrics } from './metrics/reading.ts';

const PREFIX = 'money_enrichment_';

export interface BridgeMetrics extends ReadingMetrics {
  /** Records read from the input topics. */
  readonly recordsRead: Counter<'topic'>;
  readonly deadLetters: Counter<'reason'>;
  /** Of these, those that lack something of their records. */
  readonly deadLettersCut: Counter;
  /** Headers of money that its output lacks, because they are too large. */
  readonly headersDropped: Counter;
  /** Records that were late when they were read. */
  readonly late: Counter;
  /** Signals that Temporal acknowledged. */
  readonly signals: Counter;
  /** Events in acknowledged signals. */
  readonly signalledEvents: Counter;
  /** Attempts to signal that failed and are repeated. */
  readonly signalFailures: Counter<'kind'>;
  /** Signals for users that this process had met in another partition. */
  readonly splitUsers: Counter;
  readonly partitionsAssigned: Gauge;
  /** Of each input, whoever reads them. */
  readonly partitions: Gauge;
  /** 1 while a partition waits for this reason. */
  readonly partitionWaiting: Gauge<'partition' | 'reason'>;
  /** Users whose signals wait. */
  readonly usersWaiting: Gauge;
  /** Offsets that went from an input before they were read. */
  readonly recordsLost: Counter<'topic'>;
  /** Transactions that committed offsets (and dead letters). */
  readonly commits: Counter;
}

export interface WorkerMetrics extends PublishingMetrics {
  /** Output records whose transaction was committed. */
  readonly published: Counter;
  /** Kafka transactions by outcome. */
  readonly transactions: Counter<'outcome'>;
  /** Requests for what the ledger already had: repeats of a publish that changed nothing. */
  readonly duplicatesAbsorbed: Counter;
  readonly lookups: Counter<'outcome'>;
  /** Times that the broker did not take an output. */
  readonly outputRefusals: Counter;
  /** Outputs that wait because the broker does not take them. */
  readonly outputsRefused: Gauge;
  readonly shardsOwned: Gauge;
  /** All that there are. */
  readonly shards: Gauge;
  /** Shards whose Temporal worker failed and does not run again yet. */
  readonly shardsFailing: Gauge;
  /** What made room in the states of users. */
  readonly forgotten: Counter<'kind'>;
  /** What came to workflows, was none of the product's and was dropped. */
  readonly notOurs: Counter<'kind'>;
  /** Resets, users in two partitions, workflows that wait for room. */
  readonly workflowEvents: Counter<'kind'>;
  /** Workflows that are being replayed. */
  readonly replays: Gauge;
  /** Seconds from the task that needed it to the end of a replay. */
  readonly replaySeconds: Histogram;
  /** Workflow tasks that Temporal had given up when they were complete. */
  readonly tasksLost: Counter;
}

/** The values of `kind`, see src/engine/workflow/entity/port.ts, and workflows/user-entity.ts for what is forgotten. */
type KindOf<What extends Noticed['what']> = Extract<Noticed, { what: What }>['kind'];
const FORGOTTEN: readonly KindOf<'forgotten'>[] = ['dedup', 'session', 'pending', 'change', 'money-type'];
const NOT_OURS: readonly KindOf<'not-ours'>[] = ['signal', 'update', 'cancellation', 'start'];
const WORKFLOW_EVENTS: readonly (KindOf<'happened'> | Notice)[] = [
  'reset',
  'began-anew',
  'second-partition',
  'waits-for-room',
];

/** A registry with the metrics of the process itself (memory, event loop, garbage collection). */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Why a partition waits, as dashboards and alerts know it: a workflow is a user's here. */
export function waitLabelOf(reason: WaitReason): string {
  return reason === 'workflows' ? 'users' : reason;
}

/** `topics`: the inputs. */
export function createBridgeMetrics(registry: Registry, topics: readonly string[]): BridgeMetrics {
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name: `${PREFIX}${name}`, help, registers });
  const gauge = (name: string, help: string) => new Gauge({ name: `${PREFIX}${name}`, help, registers });
  const deadLetters = new Counter({
    name: `${PREFIX}dead_letters_total`,
    help: 'Records written to the dead-letter topic',
    labelNames: ['reason'] as const,
    registers,
  });
  for (const reason of DEAD_LETTER_REASONS) deadLetters.inc({ reason }, 0);
  const byTopic = (name: string, help: string) => {
    const made = new Counter({ name: `${PREFIX}${name}`, help, labelNames: ['topic'] as const, registers });
    for (const topic of topics) made.inc({ topic }, 0);
    return made;
  };
  return {
    ...createReadingMetrics(registry),
    recordsRead: byTopic('records_read_total', 'Records read from the input topics'),
    deadLetters,
    deadLettersCut: counter(
      'dead_letters_cut_total',
      'Dead letters written with a part cut off, because no request to the broker can carry the record',
    ),
    headersDropped: counter(
      'headers_dropped_total',
      'Headers of money that are too large to be handed on to its output',
    ),
    late: counter('records_late_total', 'Records that were late when they were read'),
    signals: counter('signals_total', 'Signals that Temporal acknowledged'),
    signalledEvents: counter('signalled_events_total', 'Events in acknowledged signals'),
    signalFailures: makersOf(registry).counterBy(
      'signal_failures_total',
      'Attempts to signal that failed and are repeated',
      'kind',
      SIGNAL_FAILURES,
    ),
    splitUsers: counter('split_users_total', 'Signals for users that were met in another partition before'),
    partitionWaiting: new Gauge({
      name: `${PREFIX}partition_waiting`,
      help: '1 while a partition waits for this reason, and the others go on',
      labelNames: ['partition', 'reason'] as const,
      registers,
    }),
    usersWaiting: gauge(
      'users_waiting',
      'Users whose signals wait: their workflows do not keep up, or their signals fail',
    ),
    recordsLost: byTopic('records_lost_total', 'Offsets that went from an input topic before they were read'),
    partitionsAssigned: gauge('partitions_assigned', 'Partition triples that this process reads'),
    partitions: gauge('partitions', 'Partitions of each input, whoever reads them'),
    commits: counter('offset_commits_total', 'Transactions that committed offsets and dead letters'),
  };
}

export function createWorkerMetrics(registry: Registry): WorkerMetrics {
  const registers = [registry];
  const byKind = (name: string, help: string, kinds: readonly string[]): Counter<'kind'> => {
    const counter = new Counter({ name: `${PREFIX}${name}`, help, labelNames: ['kind'] as const, registers });
    for (const kind of kinds) counter.inc({ kind }, 0);
    return counter;
  };
  const lookups = new Counter({
    name: `${PREFIX}lookups_total`,
    help: 'Sessions asked of the session service, by outcome',
    labelNames: ['outcome'] as const,
    registers,
  });
  for (const outcome of ['found', 'not-found', 'retry', 'given-up'] satisfies LookupOutcome['status'][]) {
    lookups.inc({ outcome }, 0);
  }
  const transactions = new Counter({
    name: `${PREFIX}transactions_total`,
    help: 'Kafka transactions of the publisher: committed or failed',
    labelNames: ['outcome'] as const,
    registers,
  });
  for (const outcome of ['committed', 'failed']) transactions.inc({ outcome }, 0);
  return {
    ...createPublishingMetrics(registry),
    published: new Counter({
      name: `${PREFIX}published_total`,
      help: 'Output records whose transaction was committed',
      registers,
    }),
    transactions,
    duplicatesAbsorbed: new Counter({
      name: `${PREFIX}duplicates_absorbed_total`,
      help: 'Requests for outputs that the ledger already had',
      registers,
    }),
    lookups,
    outputRefusals: new Counter({
      name: `${PREFIX}output_refusals_total`,
      help: 'Times that the broker refused an output',
      registers,
    }),
    outputsRefused: new Gauge({
      name: `${PREFIX}outputs_refused`,
      help: 'Users whose outputs wait because the broker refuses one of them',
      registers,
    }),
    forgotten: byKind('state_forgotten_total', 'What made room in the states of users that were at a bound', FORGOTTEN),
    notOurs: byKind(
      'not_ours_total',
      'Signals, updates, cancellations and starts of workflows that were none of the product and were dropped',
      NOT_OURS,
    ),
    workflowEvents: byKind(
      'workflow_events_total',
      'Workflows that were reset, began anew after another of their user, were met in a second partition, or wait for room',
      WORKFLOW_EVENTS,
    ),
    replays: new Gauge({ name: `${PREFIX}replays`, help: 'Workflows that are being replayed', registers }),
    replaySeconds: new Histogram({
      name: `${PREFIX}replay_seconds`,
      help: 'Time from the workflow task that needed it to the end of a replay; a task has 10 s',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40],
      registers,
    }),
    tasksLost: new Counter({
      name: `${PREFIX}tasks_lost_total`,
      help: 'Workflow tasks that Temporal had given up when they were complete, and that are repeated',
      registers,
    }),
    shardsOwned: new Gauge({
      name: `${PREFIX}shards_owned`,
      help: 'Shards that this process publishes for',
      registers,
    }),
    shards: new Gauge({ name: `${PREFIX}shards`, help: 'Shards, whoever publishes for them', registers }),
    shardsFailing: new Gauge({
      name: `${PREFIX}shards_failing`,
      help: 'Of these, shards whose Temporal worker failed and is being started again',
      registers,
    }),
  };
}
