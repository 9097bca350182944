/** How a consumer fetches: what one partition's answer is must not become the matter of all. On a stand-in for kafkajs' ConsumerGroup. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  consumerGroupOf,
  fetchParser,
  positionKeepers,
  type ConsumerGroupClass,
} from '../../../../src/engine/kafka/kafkajs/fetching.ts';

interface Answered {
  readonly partition: number;
  readonly errorCode?: number;
  readonly records?: number;
  readonly from?: number;
  readonly end?: number;
}

const GROUP = 'fetching-test';
const NODE = '1';
/** Codes of the protocol. */
const [OUT_OF_RANGE, CORRUPT, UNKNOWN_TOPIC, LEADER_NOT_AVAILABLE, NOT_LEADER, STORAGE_ERROR] = [1, 2, 3, 5, 6, 56];
const NOT_AUTHORIZED = 29;

/** `answers`: what each fetch brings, in turn. `leaders`: by partition. */
function memberOf(answers: (readonly Answered[] | Error)[], leaders: readonly number[] = [1, 1, 1]) {
  const told: string[] = [];
  const group = {
    groupId: GROUP,
    cluster: {
      refreshMetadata: async () => void told.push('metadata'),
      removeBroker: () => undefined,
      findTopicPartitionMetadata: () => leaders.map((leader, partitionId) => ({ partitionId, leader })),
      fetchTopicsOffset: async (topics: readonly { topic: string; partitions: readonly { partition: number }[] }[]) =>
        topics.map(({ topic, partitions }) => ({
          topic,
          partitions: partitions.map(({ partition }) => ({ partition, offset: '0' })),
        })),
    },
  };
  class StandIn {
    readonly groupId = GROUP;
    readonly cluster = group.cluster;
    assigned() {
      return [{ topic: 't', partitions: leaders.map((_, partition) => partition) }];
    }
    async fetch() {
      const answer = answers.shift() ?? [];
      if (answer instanceof Error) throw answer;
      return answer.map(({ partition, errorCode = 0, records = 0, from = 10, end = 10 }) => ({
        topic: 't',
        partition,
        errorCode,
        fetchedOffset: String(from),
        lastStableOffset: String(end),
        rawMessages: Array.from({ length: records }, () => ({})),
      }));
    }
    filterPartitionsByNode(_node: unknown, all: readonly { topic: string; partitions: readonly number[] }[]) {
      return [...all];
    }
    async recoverFromFetch(error: Error) {
      told.push(`group: ${error.message}`);
    }
    async recoverFromOffsetOutOfRange({ partition }: { partition: number }) {
      told.push(`set anew: ${partition}`);
    }
  }
  const errorOf = (code: number) => new Error(`code ${code}`);
  const Member = consumerGroupOf(StandIn as unknown as ConsumerGroupClass, errorOf);
  const member = new Member(group as never);
  const fetched = async () => (await member.fetch(NODE)).map(({ partition }) => partition);
  const order = () => member.filterPartitionsByNode(NODE, [{ topic: 't', partitions: [0, 1, 2] }])[0]!.partitions;
  return { member, told, fetched, order };
}

describe('an error of one partition in a fetch', () => {
  it('leaves the answers of the others as they are, when the answer is parsed', async () => {
    const answer = {
      responses: [
        {
          topicName: 't',
          partitions: [
            { partition: 0, errorCode: 0 },
            { partition: 1, errorCode: NOT_LEADER },
          ],
        },
      ],
    };
    assert.deepEqual(await fetchParser(answer), answer);
  });

  for (const errorCode of [UNKNOWN_TOPIC, LEADER_NOT_AVAILABLE, NOT_LEADER]) {
    it(`${errorCode}, its leader is another: the metadata are read again, the group is not joined again, the others are handed on`, async () => {
      const { told, fetched } = memberOf([
        [
          { partition: 0, records: 1 },
          { partition: 1, errorCode: errorCode! },
          { partition: 2, records: 1 },
        ],
      ]);
      assert.deepEqual(await fetched(), [0, 2]);
      assert.deepEqual(told, ['metadata']);
    });
  }

  for (const errorCode of [CORRUPT, STORAGE_ERROR]) {
    it(`${errorCode}, what is there cannot be read: it is told to the receiver of that partition`, async () => {
      const { told, fetched } = memberOf([
        [
          { partition: 0, records: 1 },
          { partition: 1, errorCode: errorCode! },
        ],
      ]);
      assert.deepEqual(await fetched(), [0, 1]);
      assert.deepEqual(told, []);
    });
  }

  it('that concerns the member is one of the member', async () => {
    const { told, fetched } = memberOf([[{ partition: 0, errorCode: NOT_AUTHORIZED }]]);
    assert.deepEqual(await fetched(), []);
    assert.deepEqual(told, ['group: code 29']);
  });
});

describe('an offset that is out of range', () => {
  it('is told to a receiver that keeps its positions, instead of being set anew behind its back', async (t) => {
    positionKeepers.add(GROUP);
    t.after(() => positionKeepers.delete(GROUP));
    const { told, fetched } = memberOf([
      [
        { partition: 0, records: 1 },
        { partition: 1, errorCode: OUT_OF_RANGE! },
      ],
    ]);
    assert.deepEqual(await fetched(), [0, 1]);
    assert.deepEqual(told, []);
  });

  it('of any other is set anew, as kafkajs does', async () => {
    const { told, fetched } = memberOf([[{ partition: 1, errorCode: OUT_OF_RANGE! }]]);
    assert.deepEqual(await fetched(), []);
    assert.deepEqual(told, ['set anew: 1']);
  });
});

describe('a partition that gets nothing of an answer though it has records', () => {
  it('is asked for first, until it gets some: then a broker gives it a batch of any size', async () => {
    const { order, fetched } = memberOf([
      [
        { partition: 0, records: 5, end: 99 },
        { partition: 1, records: 0, end: 10 },
        { partition: 2, records: 0, end: 99 },
      ],
      [
        { partition: 2, records: 1, end: 99 },
        { partition: 0, records: 5, end: 99 },
      ],
    ]);
    assert.deepEqual(order(), [0, 1, 2]);
    await fetched();
    assert.deepEqual(order(), [2, 0, 1]);
    await fetched();
    assert.deepEqual(order(), [0, 1, 2]);
  });

  it('has its turn behind those that wait for longer', async () => {
    const { order, fetched } = memberOf([
      [{ partition: 1, records: 0, end: 99 }],
      [
        { partition: 1, records: 0, end: 99 },
        { partition: 0, records: 0, end: 99 },
      ],
      [
        { partition: 1, records: 1, end: 99 },
        { partition: 0, records: 0, end: 99 },
      ],
    ]);
    await fetched();
    await fetched();
    assert.deepEqual(order(), [1, 0, 2]);
    await fetched();
    assert.deepEqual(order(), [0, 1, 2]);
  });
});

describe('a partition without a leader', () => {
  it('is looked for, and where it begins is not asked of anybody', async () => {
    const { member, told, fetched } = memberOf([[{ partition: 0, records: 1 }]], [1, -1, 1]);
    assert.deepEqual(await fetched(), [0]);
    assert.deepEqual(told, ['metadata']);
    const { cluster } = member as unknown as {
      cluster: {
        fetchTopicsOffset(topics: readonly object[]): Promise<{ partitions: readonly { partition: number }[] }[]>;
      };
    };
    const [found] = await cluster.fetchTopicsOffset([
      { topic: 't', partitions: [{ partition: 0 }, { partition: 1 }, { partition: 2 }] },
    ]);
    assert.deepEqual(
      found!.partitions.map(({ partition }) => partition),
      [0, 2],
    );
  });
});

describe('a broker that cannot be reached', () => {
  it('costs a look at the metadata and a moment, and neither the group nor the fetching from others', async () => {
    const { member, told } = memberOf([]);
    await member.recoverFromFetch(Object.assign(new Error('connect ECONNREFUSED'), { name: 'KafkaJSConnectionError' }));
    assert.deepEqual(told, ['metadata']);
  });
});
