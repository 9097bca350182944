/** What a backfill is, out of the configuration and the command line; the same in all of its processes. */
import { createHash } from 'node:crypto';
import { inputTopicsOf, type Config } from '../../money/config.ts';
import { DEFAULT_FORWARD_HEADERS } from '../../money/config/headers.ts';
import { BOUNDS } from '../../money/domain/bounds.ts';
import { INPUTS } from '../../money/domain/events.ts';
import { formatDuration } from '../../engine/process/environment-reader.ts';
import { commonPartitionCount } from '../../engine/kafka/kafkajs/assigner.ts';
import type { KafkaPort } from '../../engine/kafka/port.ts';
import type { MemberSettings } from './member.ts';
import { backfillGroupOf } from '../../engine/naming.ts';

export interface Window {
  /** Event times, epoch ms; -Infinity and Infinity where there is no bound. */
  readonly from: number;
  readonly to: number;
}

/** Errors: CodedError TOPIC (the inputs are missing, or not alike), KAFKA. */
export async function planBackfill(
  kafka: KafkaPort,
  config: Config,
  target: { readonly topic: string; readonly partitions: number },
  window: Window,
): Promise<MemberSettings> {
  const {
    topics,
    sessionTtl,
    dedupTtl,
    pendingTimeout,
    lookupGiveUpAfter,
    outOfOrderness,
    maxRecordBytes,
    maxFutureSkew,
    readerSchemas,
    forwardHeaders,
  } = config;
  const inputTopics = inputTopicsOf(topics);
  const counts = await kafka.partitionCounts(inputTopics);
  return {
    appId: config.appId,
    groupId: backfillGroupOf(config.appId, target.topic),
    inputTopics,
    partitions: commonPartitionCount(inputTopics.map((topic, index) => ({ topic, partitions: counts[index] ?? 0 }))),
    outputTopic: target.topic,
    outputPartitions: target.partitions,
    window,
    rules: { sessionTtl, dedupTtl, pendingTimeout, lookupGiveUpAfter, bounds: BOUNDS },
    outOfOrderness,
    limits: { maxRecordBytes, maxFutureSkew, readerSchemas, forwardHeaders },
    identity: identityOf(config, window),
  };
}

/** A name for what decides how values are read, where something does. */
function readerSchemasIn({ readerSchemas }: Config): { 'reader-schemas'?: string } {
  const texts = INPUTS.flatMap((input) => readerSchemas[input]?.text ?? []);
  if (texts.length === 0) return {};
  return { 'reader-schemas': createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 16) };
}

/** Everything of the configuration that decides what is written. */
export function identityOf(config: Config, { from, to }: Window): string {
  const { topics, outOfOrderness, sessionTtl, dedupTtl, pendingTimeout, maxFutureSkew, maxRecordBytes, valueFormat } =
    config;
  const names = config.forwardHeaders.join(',');
  const parts = {
    inputs: `${topics.user}+${topics.session}+${topics.money}`,
    ...(Number.isFinite(from) ? { from: new Date(from).toISOString() } : {}),
    ...(Number.isFinite(to) ? { to: new Date(to).toISOString() } : {}),
    'out-of-orderness': formatDuration(outOfOrderness),
    'session-ttl': formatDuration(sessionTtl),
    'dedup-ttl': formatDuration(dedupTtl),
    'pending-timeout': formatDuration(pendingTimeout),
    'max-future-skew': formatDuration(maxFutureSkew),
    'max-record-bytes': maxRecordBytes,
    format: valueFormat,
    ...readerSchemasIn(config),
    // What began before there was a choice goes on.
    ...(names === DEFAULT_FORWARD_HEADERS ? {} : { 'forward-headers': names.replaceAll(',', '+') }),
  };
  return Object.entries(parts)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
