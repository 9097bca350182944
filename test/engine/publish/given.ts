/** One shard's publisher on Kafka in memory, with a feed of its ledger and a clock that a test moves. */
import type { Output } from '../../../activities/contract.ts';
import { CodedError } from '../../../src/engine/errors.ts';
import { TopicRooms } from '../../../src/engine/kafka/topic-rooms.ts';
import type { CommitLimits, EncodeOutput } from '../../../src/engine/publish/group-commit.ts';
import type { ShardEvent } from '../../../src/engine/publish/publisher.ts';
import { ShardPublisher } from '../../../src/engine/publish/shard-publisher.ts';
import { KafkaInMemory } from '../../../src/library/testing/kafka/kafka-in-memory.ts';
import { gate } from '../../support/gate.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { encode, type request } from '../../support/publishing.ts';

/** Notes how long it was asked to sleep. */
class NotingClock extends ManualClock {
  readonly sleeps: number[] = [];
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    return super.sleep(ms, signal);
  }
}

interface Given {
  readonly limits?: CommitLimits;
  readonly settings?: Record<string, string>;
  readonly settingsVisible?: boolean;
  readonly encode?: EncodeOutput<Output>;
  readonly onEvent?: ((event: ShardEvent) => void) | undefined;
}

export function given({ limits, settings = {}, settingsVisible = true, ...more }: Given = {}) {
  const kafka = new KafkaInMemory();
  kafka.settingsVisible = settingsVisible;
  kafka.createTopic('out', 1);
  kafka.createTopic('ledger', 1);
  kafka.settings.set('out', settings);
  const clock = new NotingClock();
  const port = kafka.port('p');
  const rooms = new TopicRooms(port, clock);
  const events: ShardEvent[] = [];
  const starts: (number | null)[] = [];
  /** Counts the starts; only for the last one batches are brought. */
  let start = 0;
  let reading = false;
  let ids = 0;
  const publisher = new ShardPublisher({
    shard: 0,
    transactionalId: 'shard-0',
    outputTopic: 'out',
    ledgerTopic: 'ledger',
    kafka: port,
    rooms,
    clock,
    host: 'h',
    newId: () => `p-${(ids += 1)}`,
    encode: more.encode ?? encode,
    ...('onEvent' in more
      ? more.onEvent && { onEvent: more.onEvent }
      : { onEvent: (event: ShardEvent) => void events.push(event) }),
    ...(limits && { limits }),
    feed: {
      start: async (from) => {
        starts.push(from);
        let position = from ?? 0;
        reading = true;
        const mine = (start += 1);
        const deliver = (): void => {
          if (!reading || mine !== start) return;
          const records = kafka.committed('ledger').filter(({ offset }) => offset >= position);
          const next = records.length === 0 ? position : records.at(-1)!.offset + 1;
          publisher.onLedger({ topic: 'ledger', partition: 0, fetchedFrom: position, next, end: next, records });
          position = next;
          setImmediate(deliver);
        };
        setImmediate(deliver);
        return position;
      },
      stop: () => void (reading = false),
    },
  });
  return {
    kafka,
    clock,
    rooms,
    publisher,
    events,
    /** From where the ledger was read, at each opening. */
    starts,
    ofType: <T extends ShardEvent['type']>(type: T) =>
      events.filter((event): event is Extract<ShardEvent, { type: T }> => event.type === type),
    published: () => kafka.committed('out').map(({ value }) => String(value)),
  };
}

export async function opened(options?: Given) {
  const all = given(options);
  await all.publisher.open();
  return all;
}

/** The first commit waits for the gate; of it and of those after it nothing else is changed. */
function firstCommitWaits(kafka: KafkaInMemory): ReturnType<typeof gate> {
  const commit = gate();
  let first = true;
  kafka.intercept = async ({ api }, when) => {
    if (api !== 'commit' || when !== 'before' || !first) return;
    first = false;
    await commit.pass();
  };
  return commit;
}

/** Opened, and about to commit its first transaction, which has this request alone. */
export async function committing(asked: ReturnType<typeof request>, options?: Given) {
  const all = await opened(options);
  const commit = firstCommitWaits(all.kafka);
  const first = all.publisher.publish(asked);
  await commit.reached;
  return { ...all, first, commit: () => commit.open() };
}

/** The broker's word against what is in these records. */
export function refusesContent(kafka: KafkaInMemory, value: string): string[][] {
  const sends: string[][] = [];
  kafka.intercept = ({ api, topic, records }, when) => {
    if (api !== 'send' || topic !== 'out' || when !== 'before') return;
    const values = records!.map((record) => String(record.value));
    sends.push(values);
    if (values.includes(value)) throw Object.assign(new CodedError('KAFKA', 'no'), { type: 'POLICY_VIOLATION' });
  };
  return sends;
}
