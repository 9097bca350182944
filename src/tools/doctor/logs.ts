/** Whether the inputs are the logs that the bridge has read, and how far. Reads only. */
import { bridgeGroupOf } from '../../engine/naming.ts';
import { acceptCommand, releaseCommand } from '../../money/bridge/settings.ts';
import { placeOf, problemOf, stopOf } from '../../engine/bridge/committed-place.ts';
import { inputTopicsOf, type Config } from '../../money/config.ts';
import { messageOf } from '../../engine/errors.ts';
import type { KafkaPort } from '../../engine/kafka/port.ts';
import { userOfKey } from '../../money/codec/user-of-key.ts';
import { describeSplit, findSplitKeys } from '../../engine/co-partitioning/split-keys.ts';
import { workflowIdsOf } from '../../money/workflow-ids.ts';
import { failed, ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';

/** Partitions asked for at a time, and problems that are shown one by one. */
const AT_A_TIME = 20;
/** Offsets of each topic that are looked at for users, and ms for it. */
const SAMPLED = 10_000;
const SAMPLING_TIMEOUT = 15_000;
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
      kafka.endOffsets(places(topics.output)),
      kafka.endOffsets(places(topics.ledger)),
    ]);
    const lost = ledgers.filter(
      ({ partition, end }) => end === 0 && (outputs.find((one) => one.partition === partition)?.end ?? 0) > 0,
    );
    if (lost.length === 0) return [];
    const which = lost
      .map(({ partition }) => partition)
      .slice(0, 10)
      .join(', ');
    return [
      failed(
        subject,
        `it is empty in partitions ${which}, while ${topics.output} has records there: it was deleted or made anew, and every user's next output is refused (SEQUENCE_GAP). Restore it; without it only a new ENRICHMENT_APP_ID and a new output topic go on, see docs/operations.md`,
      ),
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

/** Subject of what the brake has stopped. */
export const STOPPED = 'brake';

export async function checkLogs(
  kafka: KafkaPort,
  { appId, topics }: Pick<Config, 'appId' | 'topics'>,
  partitions: number,
): Promise<Finding[]> {
  const subject = 'logs of the inputs';
  const inputTopics = inputTopicsOf(topics);
  const problems: string[] = [];
  const stops: string[] = [];
  try {
    for (let from = 0; from < partitions; from += AT_A_TIME) {
      const some = Array.from({ length: Math.min(AT_A_TIME, partitions - from) }, (_, index) => from + index);
      const places = await Promise.all(
        some.map((partition) => placeOf(kafka, { groupId: bridgeGroupOf(appId), inputTopics, partition })),
      );
      problems.push(...places.flatMap((place) => problemOf(place, acceptCommand) ?? []));
      stops.push(...places.flatMap((place) => stopOf(place, releaseCommand) ?? []));
    }
  } catch (error) {
    return [failed(subject, messageOf(error))];
  }
  if (problems.length === 0) {
    return [ok(subject, 'they are the ones that were read, as far as any was'), ...shown(STOPPED, stops)];
  }
  return [...shown(subject, problems), ...shown(STOPPED, stops)];
}

function shown(subject: string, problems: readonly string[]): Finding[] {
  const first = problems.slice(0, SHOWN).map((problem) => failed(subject, problem));
  const more = problems.length - SHOWN;
  return more > 0 ? [...first, failed(subject, `${more} more partitions wait for the same reasons`)] : first;
}
