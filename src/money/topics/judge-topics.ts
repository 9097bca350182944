/** What does not fit among topics that exist: whether exactly-once holds with them, and what is held up, cut or lost. Pure. */
import type { Config, Topics } from '../config.ts';
import { AHEAD, ENVELOPE, HOUR, largestOf, shownInputs, type TopicState } from './topic-state.ts';

export interface TopicFinding {
  readonly topic: string;
  /** `wrong`: exactly-once or co-partitioning does not hold with it. `weak`: it holds, but something is held up, cut or lost with a broker. */
  readonly level: 'wrong' | 'weak';
  /** Of one that is wrong: all works with it until a producer's clock is. A stack for development goes on. */
  readonly latent?: true;
  /** What is found and what to do. */
  readonly message: string;
}

type States = ReadonlyMap<string, TopicState>;

export function judgeTopics(
  { topics, maxRecordBytes }: Pick<Config, 'topics'> & Partial<Pick<Config, 'maxRecordBytes'>>,
  states: States,
): TopicFinding[] {
  const inputs = shownInputs(topics).filter((topic) => states.has(topic));
  return [
    ...judgePartitions(inputs, states),
    ...inputs.flatMap((topic) => judgeInput(topic, states.get(topic)!)),
    ...judgeOutput(topics.output, states.get(topics.output), maxRecordBytes),
    ...judgeLedger(topics, states),
    ...judgeDeadLetters(topics, states),
    ...[...states].flatMap(([topic, state]) => judgeReplicas(topic, state)),
  ];
}

function judgePartitions(inputs: readonly string[], states: States): TopicFinding[] {
  const [first] = inputs;
  const countOf = (topic: string): number => states.get(topic)!.partitions;
  if (first === undefined || inputs.every((topic) => countOf(topic) === countOf(first))) return [];
  const counts = inputs.map((topic) => `${topic} has ${countOf(topic)}`).join(', ');
  return [
    wrong(
      first,
      `the input topics must have the same number of partitions, but ${counts}: copy the data into topics that do`,
    ),
  ];
}

function judgeInput(topic: string, { settings }: TopicState): TopicFinding[] {
  const found: TopicFinding[] = [];
  if (isCompacted(settings)) {
    found.push(wrong(topic, 'cleanup.policy contains "compact", which removes events: set it to "delete"'));
  }
  if (settings['message.timestamp.type'] === 'LogAppendTime') {
    found.push(
      weak(
        topic,
        'message.timestamp.type is LogAppendTime: a backfill merges records by the time at which they were written',
      ),
    );
  } else if (settings[AHEAD] === undefined) {
    found.push(
      weak(
        topic,
        `the broker has no ${AHEAD} (it came with Kafka 3.6): one producer whose clock is ahead makes all other records of its partition late`,
      ),
    );
  } else if (Number(settings[AHEAD]) > HOUR) {
    const message = `${AHEAD} is ${settings[AHEAD]}: one producer whose clock is ahead makes all other records of its partition late; set it to ${HOUR}`;
    found.push({ ...wrong(topic, message), latent: true });
  }
  return found;
}

function judgeOutput(topic: string, state: TopicState | undefined, maxRecordBytes: number | undefined): TopicFinding[] {
  if (state === undefined) return [];
  const found: TopicFinding[] = [];
  if (isCompacted(state.settings)) {
    found.push(wrong(topic, 'cleanup.policy contains "compact", which keeps one output a user: set it to "delete"'));
  }
  const room = Number(state.settings['max.message.bytes'] ?? Infinity);
  if (maxRecordBytes !== undefined && room < maxRecordBytes) {
    const bytes = maxRecordBytes + ENVELOPE;
    found.push(
      weak(
        topic,
        `max.message.bytes is ${room}, but one output may have ${bytes} with ENRICHMENT_MAX_RECORD_BYTES=${maxRecordBytes}: one that is larger waits, and its user with it; set it to ${bytes}`,
      ),
    );
  }
  return found;
}

function judgeLedger({ output, ledger }: Topics, states: States): TopicFinding[] {
  const state = states.get(ledger);
  if (state === undefined) return [];
  const found: TopicFinding[] = [];
  const policy = state.settings['cleanup.policy'];
  if (policy !== 'compact') {
    found.push(
      wrong(
        ledger,
        `cleanup.policy is "${policy}": with anything but "compact" the ledger forgets users, and their next output is refused as a gap`,
      ),
    );
  }
  const shards = states.get(output)?.partitions ?? state.partitions;
  if (shards !== state.partitions) {
    found.push(
      wrong(
        ledger,
        `it has ${state.partitions} partitions and ${output} has ${shards}: they must be equal, one ledger partition for each shard`,
      ),
    );
  }
  return found;
}

function judgeDeadLetters(topics: Topics, states: States): TopicFinding[] {
  const topic = topics.deadLetter;
  const state = states.get(topic);
  if (state === undefined) return [];
  const found: TopicFinding[] = [];
  if (isCompacted(state.settings)) {
    found.push(
      wrong(
        topic,
        'cleanup.policy contains "compact", which takes no record without a key and keeps one a key: set it to "delete"',
      ),
    );
  }
  const largest = largestOf(shownInputs(topics), states);
  const room = Number(state.settings['max.message.bytes'] ?? 0);
  if (largest > 0 && room <= largest) {
    found.push(
      weak(
        topic,
        `max.message.bytes is ${room}, but an input record may have ${largest}, and headers are added: a dead letter that is larger, compressed too, is written with its value cut; set it to ${largest + ENVELOPE}`,
      ),
    );
  }
  return found;
}

function judgeReplicas(topic: string, { replicas, settings }: TopicState): TopicFinding[] {
  const found: TopicFinding[] = [];
  if (settings['unclean.leader.election.enable'] === 'true') {
    found.push(wrong(topic, 'unclean.leader.election.enable is true: committed records can vanish; set it to false'));
  }
  if (replicas >= 3 && Number(settings['min.insync.replicas'] ?? 1) < 2) {
    found.push(
      weak(
        topic,
        `min.insync.replicas is ${settings['min.insync.replicas']} with ${replicas} replicas: records can be lost with one broker; set it to 2`,
      ),
    );
  }
  return found;
}

function isCompacted(settings: TopicState['settings']): boolean {
  return (settings['cleanup.policy'] ?? '').includes('compact');
}

function wrong(topic: string, message: string): TopicFinding {
  return { topic, level: 'wrong', message };
}

function weak(topic: string, message: string): TopicFinding {
  return { topic, level: 'weak', message };
}
