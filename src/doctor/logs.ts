/** Whether the inputs are the logs that the bridge has read, and how far. Reads only. */
import { bridgeGroupOf } from '../bridge/group.ts';
import { placeOf, problemOf } from '../bridge/committed-place.ts';
import type { Config } from '../config.ts';
import { messageOf } from '../errors.ts';
import type { KafkaPort } from '../kafka/port.ts';
import { failed, ok } from './finding.ts';
import type { Finding } from './finding.ts';

/** Partitions asked for at a time, and problems that are shown one by one. */
const AT_A_TIME = 20;
const SHOWN = 5;

export async function checkLogs(kafka: KafkaPort, { appId, topics }: Pick<Config, 'appId' | 'topics'>, partitions: number): Promise<Finding[]> {
  const subject = 'logs of the inputs';
  const inputTopics = [topics.user, topics.session, topics.money] as const;
  const problems: string[] = [];
  try {
    for (let from = 0; from < partitions; from += AT_A_TIME) {
      const some = Array.from({ length: Math.min(AT_A_TIME, partitions - from) }, (_, index) => from + index);
      const places = await Promise.all(some.map((partition) => placeOf(kafka, { groupId: bridgeGroupOf(appId), inputTopics, partition })));
      problems.push(...places.flatMap((place) => problemOf(place) ?? []));
    }
  } catch (error) {
    return [failed(subject, messageOf(error))];
  }
  if (problems.length === 0) return [ok(subject, 'they are the ones that were read, as far as any was')];
  const more = problems.length > SHOWN ? [failed(subject, `${problems.length - SHOWN} more partitions wait for the same reasons`)] : [];
  return [...problems.slice(0, SHOWN).map((problem) => failed(subject, problem)), ...more];
}
