/** What a worker publishes, and how long that takes; what it asks, and what waits in the workflows of its shards. */
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { LONG_SECONDS, makersOf, SECONDS, SIZES } from './names.ts';

export interface PublishingMetrics {
  /** Seconds from begin to commit. Under its old name as well, for dashboards that know it. */
  readonly transactionSeconds: Histogram;
  readonly transactionDuration: Histogram;
  readonly transactionOutputs: Histogram;
  /** Of outputs by stream, a sample. */
  readonly endToEnd: Histogram<'stream'>;
  readonly refusedPublishes: Counter<'reason'>;
  readonly unpublishedOutputs: Gauge;
  readonly ledgerUsers: Gauge;
  readonly shardOwned: Gauge<'shard'>;
  readonly pendingMoney: Gauge;
  readonly moneyAwaitingLookup: Gauge;
  readonly lookupDuration: Histogram;
  readonly lookupsInFlight: Gauge;
}

/** Of `refused_publishes_total`, by the code of the error. */
const REFUSALS = { SEQUENCE_GAP: 'gap', STALE_INCARNATION: 'stale', DIVERGENCE: 'divergence' } as const;
const OTHER = 'other';

export function refusalLabelOf(error: Error): string {
  const { code } = error as { readonly code?: string };
  return (REFUSALS as Readonly<Record<string, string>>)[code ?? ''] ?? OTHER;
}

export function createPublishingMetrics(registry: Registry): PublishingMetrics {
  const { counterBy, gauge, gaugeBy, histogram, histogramBy } = makersOf(registry);
  const fromBegin = 'Time of a publish transaction from begin to commit';
  return {
    transactionSeconds: histogram('transaction_seconds', fromBegin, SECONDS),
    transactionDuration: histogram('transaction_duration_seconds', fromBegin, SECONDS),
    transactionOutputs: histogram('transaction_outputs', 'Output records in a committed transaction', SIZES),
    endToEnd: histogramBy(
      'end_to_end_seconds',
      'From the Kafka timestamp of a money record to its committed output; of one output a second',
      LONG_SECONDS,
      'stream',
      ['applied', 'resolved'],
    ),
    refusedPublishes: counterBy(
      'refused_publishes_total',
      'Requests to publish that the ledger refuses: a person has to look',
      'reason',
      [...Object.values(REFUSALS), OTHER],
    ),
    unpublishedOutputs: gauge('unpublished_outputs', 'Outputs that wait for their transaction'),
    ledgerUsers: gauge('ledger_users', 'Users in the ledgers of the shards of this process'),
    shardOwned: gaugeBy('shard_owned', '1 for each shard that this process publishes for', 'shard'),
    pendingMoney: gauge('pending_money', 'Money that waits for its session, in the workflows that this process ran'),
    moneyAwaitingLookup: gauge(
      'money_awaiting_lookup',
      'Money whose session is being asked for, in the workflows that this process ran',
    ),
    lookupDuration: histogram('lookup_duration_seconds', 'Time of a request to the session service', SECONDS),
    lookupsInFlight: gauge('lookups_in_flight', 'Requests to the session service under way'),
  };
}
