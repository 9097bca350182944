/** Whether the inputs are the logs that the bridge has read, and how far. Reads only. */
import { bridgeGroupOf } from '../../engine/naming.ts';
import { acceptCommand, releaseCommand } from '../../money/bridge/settings.ts';
import { placeOf, problemOf, stopOf } from '../../engine/bridge/committed-place.ts';
import { partitionsBelow, tryEachPartition } from '../../engine/bridge/each-partition.ts';
import { inputTopicsOf, type Config } from '../../money/config.ts';
import { messageOf } from '../../engine/errors.ts';
import type { KafkaPort } from '../../engine/kafka/port.ts';
import { userOfKey } from '../../money/codec/user-of-key.ts';
import { describeSplit, findSplitKeys } from '../../engine/co-partitioning/split-keys.ts';
import { workflowIdsOf } from '../../money/workflow-ids.ts';
import { failed, ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';

/** Offsets of each topic that are looked at for users, and ms for it. */
const SAMPLED = 10_000;
const SAMPLING_TIMEOUT = 15_000;
/** Problems that are shown one by one. */
const SHOWN = 5;

/** Whether the ledger may be what it has to be. Errors are findings. */
export async function checkLedger(
  kafka: KafkaPort,
  { topics }: Pick<Config, 'topics'>,
  shards: number,
): Promise<Finding[]> {
  const subject = `ledger ${topics.ledger}`;
  const places = (topic: string) => Array.from({ length: shards }, (_, partition) => ({ topic, partition }));
  try {
    const [outputs, ledgers] = await Promise.all([
      kafka.endOffsets(places(topics.output), { partial: true }),
      kafka.endOffsets(places(topics.ledger), { partial: true }),
    ]);
    const away = places('').filter(({ partition }) =>
      [outputs, ledgers].some((ends) => ends.every((one) => one.partition !== partition)),
    );
    const unseen = shown(
      subject,
      away.map(
        ({ partition }) =>
          `partition ${partition} could not be looked at: it has no leader here or in ${topics.output}, or that does not answer`,
      ),
      'could not be looked at either',
    );
    const lost = ledgers.filter(
      ({ partition, end }) => end === 0 && (outputs.find((one) => one.partition === partition)?.end ?? 0) > 0,
    );
    if (lost.length === 0) return unseen;
    const which = lost
      .map(({ partition }) => partition)
      .slice(0, 10)
      .join(', ');
    return [
      failed(
        subject,
        `it is empty in partitions ${which}, while ${topics.output} has records there: it was deleted or made anew, and every user's next output is refused (SEQUENCE_GAP). Restore it; without it only a new ENRICHMENT_APP_ID and a new output topic go on, see docs/operations.md`,
      ),
      ...unseen,
    ];
  } catch (error) {
    return [failed(subject, messageOf(error))];
  }
}

/** Whether the newest records of the inputs have users in two partitions. */
export async function checkUsers(
  kafka: KafkaPort,
  config: Pick<Config, 'appId' | 'topics' | 'userIdHashKey'>,
  partitions: number,
): Promise<Finding[]> {
  const subject = 'co-partitioning of users';
  const { appId, topics } = config;
  const newest = Math.max(10, Math.floor(SAMPLED / partitions));
  if (partitions < 2) return [];
  try {
    const found = await findSplitKeys(kafka, {
      keyOf: userOfKey,
      inputTopics: inputTopicsOf(topics),
      groupPrefix: `${appId}-doctor`,
      newest,
      stopping: AbortSignal.timeout(SAMPLING_TIMEOUT),
    });
    if (found.example !== undefined) return [failed(subject, describeSplit(found, workflowIdsOf(config)))];
    return [ok(subject, `among the newest ${newest} offsets of each partition no user is in two partitions`)];
  } catch (error) {
    return [warning(subject, `not looked at: ${messageOf(error)}`)];
  }
}

/** Subjects of what the brake has stopped, and of logs that could not be looked at. */
export const STOPPED = 'brake';
export const NOT_SEEN = 'partitions of the inputs';

export async function checkLogs(
  kafka: KafkaPort,
  { appId, topics }: Pick<Config, 'appId' | 'topics'>,
  partitions: number,
): Promise<Finding[]> {
  const subject = 'logs of the inputs';
  const inputTopics = inputTopicsOf(topics);
  const groupId = bridgeGroupOf(appId);
  const problems = new Map<number, string>();
  const stops = new Map<number, string>();
  try {
    const { failed: away, untried } = await tryEachPartition(partitionsBelow(partitions), async (partition) => {
      const place = await placeOf(kafka, { groupId, inputTopics, partition });
      const problem = problemOf(place, acceptCommand);
      if (problem !== undefined) problems.set(partition, problem);
      const stop = stopOf(place, releaseCommand);
      if (stop !== undefined) stops.set(partition, stop);
    });
    const notSeen = [
      ...[...away].map(([partition, error]) => `partition ${partition} could not be looked at: ${error.message}`),
      ...untried.map((partition) => `partition ${partition} was not looked at, as Kafka is away`),
    ];
    const isSeen = problems.size === 0 && notSeen.length === 0;
    return [
      ...(isSeen ? [ok(subject, 'they are the ones that were read, as far as any was')] : []),
      ...shown(subject, inOrder(problems)),
      ...shown(NOT_SEEN, notSeen, 'could not be looked at either'),
      ...shown(STOPPED, inOrder(stops)),
    ];
  } catch (error) {
    return [failed(NOT_SEEN, messageOf(error))];
  }
}

function inOrder(byPartition: ReadonlyMap<number, string>): string[] {
  return [...byPartition].sort(([a], [b]) => a - b).map(([, text]) => text);
}

function shown(subject: string, problems: readonly string[], rest = 'wait for the same reasons'): Finding[] {
  const first = problems.slice(0, SHOWN).map((problem) => failed(subject, problem));
  const more = problems.length - SHOWN;
  return more > 0 ? [...first, failed(subject, `${more} more partitions ${rest}`)] : first;
}
