/** What is known of Kafka and of its client, each forgotten: timestamps, sizes, coordinators, clocks. See {@link BrokenBuild}. */
import type { BrokenBuild } from './builds.ts';

export const MENDS_OF_KAFKA: readonly BrokenBuild[] = [
  {
    name: 'a-clock-set-back-silences-members',
    breaks: 'a wall clock that is set back by an hour puts a bridge or worker out of its group for an hour',
    edits: [
      {
        file: 'src/engine/kafka/kafkajs/group-coordinator.ts',
        find: 'if (this.lastRequest > Date.now()) this.lastRequest = 0;',
        replace: '',
      },
    ],
    caughtBy: { test: 'test/engine/kafka/kafkajs/group-coordinator.test.ts' },
  },
  {
    name: 'dead-letters-of-any-size',
    breaks: 'dead letters go out in batches of any size, whatever their topic takes',
    edits: [
      {
        file: 'src/engine/kafka/topic-rooms.ts',
        find: 'const most = Math.min(limit, known.refused - 1);',
        replace: 'const most = limit > 0 ? Infinity : known.refused;',
      },
      {
        file: 'src/engine/kafka/topic-rooms.ts',
        find: 'together: Math.max(SMALLEST, Math.min(TOGETHER, most, known.together)),',
        replace: 'together: TOGETHER,',
      },
    ],
    caughtBy: 'simulate',
  },
  {
    name: 'no-timestamp-is-a-timestamp',
    breaks: 'a record without a Kafka timestamp is said to be of the future',
    edits: [
      {
        file: 'src/money/codec/decode.ts',
        find: 'if (!(timestamp > 0) && !(timestamp < -1)) {',
        replace: 'if (Number.isNaN(timestamp)) {',
      },
    ],
    caughtBy: { test: 'test/money/codec/decode-limits.test.ts' },
  },
  {
    name: 'timestamps-as-doubles',
    breaks: 'the header of a dead letter has a rounded timestamp',
    edits: [
      {
        file: 'src/engine/kafka/record-timestamp.ts',
        find: 'Number.isSafeInteger(timestamp) ?',
        replace: 'Number.isFinite(timestamp) ?',
      },
    ],
    caughtBy: { test: 'test/engine/kafka/record-timestamp.test.ts' },
  },
  {
    name: 'timestamps-without-a-bound',
    breaks: 'a topic whose producers may be any time ahead is found right',
    edits: [
      {
        file: 'src/money/topics/judge-topics.ts',
        find: '} else if (Number(settings[AHEAD]) > HOUR) {',
        replace: '} else if (Number.isNaN(Number(settings[AHEAD]))) {',
      },
    ],
    caughtBy: { test: 'test/money/topics/judge-topics.test.ts' },
  },
  {
    name: 'heartbeats-to-the-coordinator-of-before',
    breaks: 'a group whose coordinator moves loses its members',
    edits: [
      {
        file: 'src/engine/kafka/kafkajs/group-coordinator.ts',
        find: 'if (!isElsewhere(error)) throw error;',
        replace: 'if (!isElsewhere(error) || this.#finding === undefined) throw error;',
      },
    ],
    caughtBy: { test: 'test/engine/kafka/kafkajs/group-coordinator.test.ts' },
  },
  {
    name: 'a-worker-is-busy-for-a-moment-more',
    breaks: 'a batch of another broker that comes right after the last one was handled is never handled',
    edits: [
      {
        file: 'src/engine/kafka/kafkajs/batch-worker.ts',
        find: '// Without an await since the queue was empty.',
        replace: 'await undefined;',
      },
    ],
    caughtBy: { test: 'test/engine/kafka/kafkajs/batch-worker.test.ts' },
  },
  {
    name: 'no-coordinator-ends-the-consumer',
    breaks: 'a heartbeat while no broker is there ends the consumer, and its member joins anew',
    edits: [
      {
        file: 'src/engine/kafka/kafkajs/group-coordinator.ts',
        find: ' || (error as { name?: unknown }).name === NOBODY_KNOWS',
        replace: '',
      },
    ],
    caughtBy: { test: 'test/engine/kafka/kafkajs/group-coordinator.test.ts' },
  },
];
