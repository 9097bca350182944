/**
 * The state of all users out of the input topics: their workflows are started with it, and the consumer group is left where
 * the live bridge goes on. Partition by partition: the marks (mark.ts) fix the ends of all before anything is started, a
 * partition's offsets are committed when all its workflows run, and that is when it is done. Whatever was interrupted is
 * computed again, to the same ends; workflows that were started stay as they are.
 */
import type { WorkflowClient } from '@temporalio/client';
import { Committer } from '../../engine/bridge/committer.ts';
import { TopicRooms } from '../../engine/kafka/topic-rooms.ts';
import type { MoneyBridgeSettings } from '../../money/bridge/settings.ts';
import { idsOf, othersThan } from '../../engine/ordering/log-identity.ts';
import type { Config } from '../../money/config.ts';
import type { Offsets } from '../../money/domain/events.ts';
import { CodedError } from '../../engine/errors.ts';
import { decodeMark, encodeMark, MARKED, type BootstrapPlan } from './plan-mark.ts';
import { bootstrapGroupOf } from '../../engine/naming.ts';
import { readTriple, type ReadDeps } from './read-triple.ts';
import { startWorkflows, type Started } from './start-workflows.ts';
import { TripleHistory, type HistoryCounts } from './partition-states.ts';

export interface BootstrapSettings {
  readonly bridge: MoneyBridgeSettings;
  readonly config: Pick<Config, 'appId' | 'userIdHashKey'>;
  /** Of the inputs. */
  readonly partitions: number;
  /** Partitions of the output topic. */
  readonly shards: number;
  /** Workflows started a second at most. */
  readonly rate: number;
  readonly publish: boolean;
  /** What decides the state, as text. */
  readonly identity: string;
}

export interface BootstrapDeps extends ReadDeps {
  readonly client: WorkflowClient;
  readonly onRetry?: (reason: string) => void;
}

export interface BootstrapProgress {
  /** Offsets to be read, and read so far. */
  readonly total: number;
  read: number;
}

export interface Summary extends HistoryCounts, Started {
  partitions: number;
  /** Partitions that an earlier run had finished. */
  done: number;
  read: number;
}

interface Triple extends BootstrapPlan {
  readonly partition: number;
  readonly state: 'new' | 'begun' | 'done';
}

/** Reads and computes, and writes nothing. Errors: as {@link bootstrap}. */
export async function dryRun(
  settings: BootstrapSettings,
  deps: ReadDeps,
  stopping: AbortSignal,
  onProgress: (progress: BootstrapProgress) => void,
): Promise<Summary> {
  return forEachTriple(await planned(settings, deps), settings, deps, stopping, onProgress, async () => undefined);
}

/**
 * Errors: CodedError CHECK_FAILED (the live system has begun by itself), CONFIG (an unfinished bootstrap had other
 * settings), TOPIC, KAFKA, UNREACHABLE; the reason of `stopping`. After any of them, run it again to go on.
 */
export async function bootstrap(
  settings: BootstrapSettings,
  deps: BootstrapDeps,
  stopping: AbortSignal,
  onProgress: (progress: BootstrapProgress) => void,
): Promise<Summary> {
  const triples = await begin(settings, deps);
  return forEachTriple(triples, settings, deps, stopping, onProgress, async (history, { begunAt }, summary) => {
    const { config, shards, rate } = settings;
    await startWorkflows(
      history.snapshots(),
      { config, shards, rate, name: new Date(begunAt).toISOString() },
      deps,
      stopping,
      summary,
    );
    await commit(history, settings, deps);
  });
}

async function forEachTriple(
  triples: readonly Triple[],
  settings: BootstrapSettings,
  deps: ReadDeps,
  stopping: AbortSignal,
  onProgress: (progress: BootstrapProgress) => void,
  finish: (history: TripleHistory, triple: Triple, summary: Summary) => Promise<void>,
): Promise<Summary> {
  const { rules, outOfOrderness, idleTimeout } = settings.bridge;
  const todo = triples.filter(({ state }) => state !== 'done');
  const progress: BootstrapProgress = {
    total: todo.reduce(
      (sum, { starts, ends }) => sum + ends.reduce((offsets, end, input) => offsets + end - starts[input]!, 0),
      0,
    ),
    read: 0,
  };
  const summary: Summary = {
    partitions: triples.length,
    done: triples.length - todo.length,
    read: 0,
    users: 0,
    money: 0,
    pending: 0,
    lookups: 0,
    outputs: 0,
    deadLetters: 0,
    started: 0,
    there: 0,
  };
  for (const triple of todo) {
    const { partition, starts, ends, begunAt } = triple;
    const history = new TripleHistory({
      partition,
      starts,
      ends,
      rules,
      outOfOrderness,
      idleTimeout,
      now: begunAt,
      publish: settings.publish,
    });
    await readTriple(history, settings.bridge, deps, stopping, (records) => {
      progress.read += records;
      onProgress(progress);
    });
    for (const [name, number] of Object.entries(history.counts) as [keyof HistoryCounts, number][]) {
      summary[name] += number;
    }
    await finish(history, triple, summary);
  }
  return { ...summary, read: progress.read };
}

async function planned(
  { bridge, identity, partitions }: BootstrapSettings,
  { kafka, clock, logger }: ReadDeps,
): Promise<Triple[]> {
  const { appId, groupId, inputTopics } = bridge;
  const places = Array.from({ length: partitions }, (_, partition) =>
    inputTopics.map((topic) => ({ topic, partition })),
  ).flat();
  const [live, marks, bounds, identities] = await Promise.all([
    kafka.committedOffsets(groupId, places),
    kafka.committedOffsets(bootstrapGroupOf(appId), places),
    kafka.endOffsets(places),
    kafka.topicIdentities?.(inputTopics) ?? [],
  ]);
  const logs = idsOf(inputTopics, identities);
  const begunAt = clock.now();
  return Array.from({ length: partitions }, (_, partition): Triple => {
    const own = bounds.filter((bound) => bound.partition === partition);
    const of = (value: 'start' | 'end'): Offsets =>
      inputTopics.map((topic) => own.find((bound) => bound.topic === topic)![value]);
    const found = decodeMark(
      marks.find((one) => one.partition === partition && one.topic === inputTopics[MARKED])?.metadata ?? '',
    );
    const hasLive = live.some((one) => one.partition === partition && one.offset !== null);
    if (found === undefined) {
      if (hasLive) {
        throw new CodedError(
          'CHECK_FAILED',
          `the bridge has read partition ${partition} already: its group "${groupId}" has committed offsets. Use another ENRICHMENT_APP_ID, or stop the bridges, terminate their workflows and delete that group`,
        );
      }
      return { partition, state: 'new', identity, logs, starts: of('start'), ends: of('end'), begunAt };
    }
    if (found.identity !== identity && !hasLive) {
      throw new CodedError(
        'CONFIG',
        `an unfinished bootstrap had other settings; go on with those.\n  it has   ${found.identity}\n  not      ${identity}`,
      );
    }
    const others = othersThan(found.logs, logs, inputTopics);
    if (others.length > 0 && !hasLive) {
      throw new CodedError(
        'TOPIC',
        `${others.join(', ')} was deleted and made anew since this bootstrap began: terminate the workflows that it has started, delete the group "${bootstrapGroupOf(appId)}", and begin again`,
      );
    }
    const starts = found.starts.map((start, input) => Math.max(start, of('start')[input]!));
    if (!hasLive && starts.some((start, input) => start > found.starts[input]!)) {
      logger.warn(
        { partition },
        'records of the history are gone since this bootstrap began: users whose workflows are still to be started are without them',
      );
    }
    return { ...found, starts, partition, state: hasLive ? 'done' : 'begun' };
  });
}

/** Fenced, so that the marks of another process are all seen; in one transaction, so that all partitions have ends of the same moment. */
async function begin(settings: BootstrapSettings, deps: ReadDeps): Promise<Triple[]> {
  const { appId, inputTopics } = settings.bridge;
  const group = bootstrapGroupOf(appId);
  const producer = await deps.kafka.fence(group);
  try {
    const triples = await planned(settings, deps);
    const begun = triples.filter(({ state }) => state === 'new');
    if (begun.length === 0) return triples;
    const transaction = await producer.begin();
    await transaction.sendOffsets(
      group,
      begun.map(({ partition, identity, logs, starts, ends, begunAt }) => ({
        topic: inputTopics[MARKED]!,
        partition,
        offset: ends[MARKED]!,
        metadata: encodeMark({ identity, ...(logs === undefined ? {} : { logs }), starts, ends, begunAt }),
      })),
    );
    await transaction.commit();
    return triples;
  } finally {
    await producer.close();
  }
}

/** Where the bridge goes on, as the bridge would have committed it; with it, the dead letters that are to be published. */
async function commit(
  { triple }: TripleHistory,
  { bridge }: BootstrapSettings,
  { kafka, clock }: ReadDeps,
): Promise<void> {
  const { partition } = triple;
  const { committer, committed } = await Committer.take(kafka, {
    ...bridge,
    partition,
    rooms: new TopicRooms(kafka, clock),
  });
  try {
    const found = await kafka.committedOffsets(
      bridge.groupId,
      bridge.inputTopics.map((topic) => ({ topic, partition })),
    );
    if (found.some(({ offset }) => offset !== null)) {
      throw new CodedError(
        'CHECK_FAILED',
        `a bridge has begun to read partition ${partition}, from offset ${committed.start.next.join('/')}: it must not run before the bootstrap is done`,
      );
    }
    await committer.commit(triple);
  } finally {
    await committer.close();
  }
}
