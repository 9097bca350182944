/**
 * Mends of what once stopped a user, a partition or every bridge, each undone: what was wrong has to be noticed again. See
 * {@link BrokenBuild}.
 */
import type { BrokenBuild } from './builds.ts';

export const MENDS_OF_THE_BRIDGE: readonly BrokenBuild[] = [
  {
    name: 'a-log-that-was-cut-and-has-grown-is-read-on',
    breaks: 'what a log got in place of what it lost, while its leader was away, is never read',
    edits: [
      {
        file: 'src/engine/bridge/log-ends.ts',
        find: '      runner.doubt();\n',
        replace: '',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/log-changed.test.ts' },
  },
  {
    name: 'an-accepted-log-skips-what-was-not-applied',
    breaks: 'money that was read and not yet applied is lost when a person accepts a log that was cut',
    edits: [
      {
        file: 'src/engine/bridge/accept-logs.ts',
        find: 'Math.min(first ?? stands, stands)',
        replace: '(first ?? stands)',
      },
    ],
    caughtBy: { test: 'test/engine/ordering/log-identity.test.ts' },
  },
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
    name: 'letters-are-put-back-twice',
    breaks: 'a reader of dead letters that joins its group once more puts some back twice',
    edits: [
      {
        file: 'src/tools/dead-letters/read.ts',
        find: '      if (offset < from) continue;\n',
        replace: '',
      },
    ],
    caughtBy: { test: 'test/tools/dead-letters/read.test.ts' },
  },
  {
    name: 'a-rebalance-touches-all',
    breaks: 'a bridge that joins ends what all others have, which is taken, fenced and read again',
    edits: [
      {
        file: 'src/engine/bridge/assignment.ts',
        find: 'if (!kept.includes(partition)) this.#letGo(',
        replace: 'if (kept.length >= 0) this.#letGo(',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/assignment.test.ts' },
  },
  {
    name: 'an-outage-outlives-its-signals',
    breaks: "a bridge whose failing signals were another bridge's by now is never ready again",
    edits: [
      {
        file: 'src/engine/bridge/signal-sender.ts',
        find: 'if (this.#underWay === 0) this.#places.idle();',
        replace: 'if (this.#underWay < 0) this.#places.idle();',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/assignment.test.ts' },
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
    name: 'dead-letter-never-cut',
    breaks: 'a dead letter that no request can carry is tried whole, for ever',
    edits: [
      {
        file: 'src/engine/bridge/committer.ts',
        find: 'if (batch.bytes <= room.most) return batch;',
        replace: 'if (batch.bytes > 0) return batch;',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/committer.test.ts' },
  },
  {
    name: 'parts-by-the-wall-clock',
    breaks: 'how long a part has failed is measured by a clock that people set',
    edits: [
      {
        file: 'src/engine/process/dependencies.ts',
        find: "readonly #clock: Pick<Clock, 'elapsed'>;",
        replace: "readonly #clock: Pick<Clock, 'now'>;",
      },
      {
        file: 'src/engine/process/dependencies.ts',
        find: "constructor(clock: Pick<Clock, 'elapsed'>) {",
        replace: "constructor(clock: Pick<Clock, 'now'>) {",
      },
      {
        file: 'src/engine/process/dependencies.ts',
        find: '    const now = this.#clock.elapsed();\n    const known',
        replace: '    const now = this.#clock.now();\n    const known',
      },
      {
        file: 'src/engine/process/dependencies.ts',
        find: '    const now = this.#clock.elapsed();\n    if',
        replace: '    const now = this.#clock.now();\n    if',
      },
    ],
    caughtBy: { test: 'test/engine/clock-steps.test.ts' },
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
    name: 'one-log-for-ever',
    breaks: 'records of a topic that was made anew are dropped as known',
    edits: [
      {
        file: 'src/engine/workflow/redelivery.ts',
        find: "const name = logs?.[input] ?? '';",
        replace: "const name = logs === undefined ? '' : '';",
      },
    ],
    caughtBy: { test: 'test/engine/workflow/redelivery.test.ts' },
  },
  {
    name: 'any-log-is-the-one-that-was-read',
    breaks: 'a log that was cut or made anew is read on without a word',
    edits: [
      {
        file: 'src/engine/bridge/committed-place.ts',
        find: "if (problem !== undefined) throw new CodedError('LOG_CHANGED', problem);",
        replace: "if (problem === '') throw new CodedError('LOG_CHANGED', problem);",
      },
    ],
    caughtBy: { test: 'test/engine/ordering/log-identity.test.ts' },
  },
  {
    name: 'restored-log-unnoticed',
    breaks: 'a log that was cut or restored, and has grown beyond the committed place again, is read on without a word',
    edits: [
      {
        file: 'src/engine/ordering/log-identity.ts',
        find: 'return now === null || (now !== undefined && now.print !== last.print);',
        replace: 'return now === null && last.offset < 0;',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/restored-log.test.ts' },
  },
  {
    name: 'nothing-there-is-another-record',
    breaks: 'a log whose last record that was read has expired, or was compacted away, waits for a person',
    edits: [
      {
        file: 'src/engine/ordering/log-identity.ts',
        find: 'return now === null || (now !== undefined && now.print !== last.print);',
        replace: 'return now?.print !== last.print;',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/restored-log.test.ts' },
  },
  {
    name: 'cut-in-what-was-read',
    breaks: 'a log that was cut between the committed offset and what was read of it is read on without a word',
    edits: [
      {
        file: 'src/engine/ordering/log-identity.ts',
        find: 'const upTo = Math.max(committed ?? 0, last === undefined ? 0 : last.offset + 1);',
        replace: 'const upTo = committed ?? 0;',
      },
    ],
    caughtBy: { test: 'test/engine/ordering/log-identity.test.ts' },
  },
  {
    name: 'mark-goes-back',
    breaks: 'a bridge that reads again forgets how far the one before it had read',
    edits: [
      {
        file: 'src/engine/ordering/partition-triple.ts',
        find: 'offset > (this.#last[input]?.offset ?? -1)',
        replace: 'offset > -1',
      },
    ],
    caughtBy: { test: 'test/engine/ordering/partition-triple.test.ts' },
  },
  {
    name: 'mark-of-what-is-acknowledged-only',
    breaks: 'what was read and is not acknowledged has no mark, though the workflows may have it',
    edits: [
      {
        file: 'src/engine/bridge/committer.ts',
        find: 'sameMarks(last.marks, marks);',
        replace: 'sameMarks(marks, marks);',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/restored-log.test.ts' },
  },
  {
    name: 'late-second-look',
    breaks: 'a partition whose new leader tells its end a moment late waits for seconds',
    edits: [
      {
        file: 'src/engine/bridge/triple-runner.ts',
        find: 'decision === undefined ? backoff : Math.min(backoff, LOOK_AGAIN)',
        replace: 'decision === undefined ? backoff : LOOK_AGAIN',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/restored-log.test.ts' },
  },
  {
    name: 'brake-of-one-bridge',
    breaks: 'a bridge that starts after the brake has stopped a partition reads on, until it has counted as many again',
    edits: [{ file: 'src/engine/bridge/triple-runner.ts', find: 'await committer.noteStop(stopped);', replace: '' }],
    caughtBy: { test: 'test/engine/bridge/brake.test.ts' },
  },
  {
    name: 'brake-after-release',
    breaks: 'a partition that was released is stopped again by the records that were released',
    edits: [
      {
        file: 'src/engine/ordering/brake.ts',
        find: 'if (offset < (this.#releasedBelow[input] ?? 0)) return undefined;',
        replace: '',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/brake.test.ts' },
  },
  {
    name: 'accepting-one-accepts-all',
    breaks: 'a person who accepts one log accepts the others that have changed too, at their old offsets',
    edits: [
      {
        file: 'src/engine/bridge/accept-logs.ts',
        find: "changed[index] ? (input.known ?? '') : nameOf(input)",
        replace: 'nameOf(input)',
      },
    ],
    caughtBy: { test: 'test/engine/ordering/log-identity.test.ts' },
  },
  {
    name: 'added-partitions-accepted-in-silence',
    breaks: 'a person who accepts added partitions is told that there was nothing to accept',
    edits: [
      {
        file: 'src/engine/bridge/accept-logs.ts',
        find: 'if (isNew[index] || (grown && topics.includes(topic))) {',
        replace: 'if (isNew[index] || (grown && topics.length < 0)) {',
      },
    ],
    caughtBy: { test: 'test/engine/ordering/log-identity.test.ts' },
  },
  {
    name: 'reset-watermark-takes-a-decision-back',
    breaks: "an offset that was set with Kafka's own tools becomes one of the bridge's, of a log that has changed",
    edits: [
      {
        file: 'src/engine/bridge/accept-logs.ts',
        find: "if (metadata === undefined) return [{ topic, partition, offset: committed, metadata: '' }];",
        replace:
          'if (metadata === undefined) return [{ topic, partition, offset: committed, metadata: encodeMetadata({ maxTs: -Infinity, watermark: -Infinity, deadLettersBelow: committed }) }];',
      },
    ],
    caughtBy: { test: 'test/engine/ordering/log-identity.test.ts' },
  },
  {
    name: 'paused-is-closed',
    breaks: 'the signals of a paused workflow go on until Temporal terminates it for the length of its history',
    edits: [
      {
        file: 'src/engine/temporal/workflow-history.ts',
        find: "status.name === 'RUNNING' || status.name === 'PAUSED'",
        replace: "status.name === 'RUNNING'",
      },
    ],
    caughtBy: { test: 'test/money/bridge/temporal-signaller.test.ts' },
  },
  {
    name: 'deleted-tail-unnoticed',
    breaks: 'a command waits for ever for records that were deleted while it read',
    edits: [
      {
        file: 'src/engine/kafka/gone.ts',
        find: 'if (still !== undefined && start > still.next) onGone(still, start);',
        replace: 'if (still !== undefined && start < 0) onGone(still, start);',
      },
    ],
    caughtBy: { test: 'test/engine/kafka/gone.test.ts' },
  },
  {
    name: 'one-triple-ends-the-generation',
    breaks: 'a commit that fails, or a triple that cannot be taken, ends the generation with all of its partitions',
    edits: [
      {
        file: 'src/engine/bridge/triple-runner.ts',
        find: 'if (isFatal(error)) throw error;',
        replace: 'if (!ended.aborted) throw error;',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/broken-partition.test.ts' },
  },
  {
    name: 'ends-of-all-or-none',
    breaks: 'one partition without a leader ends the generation with all of its partitions',
    edits: [
      { file: 'src/engine/bridge/log-ends.ts', find: '{ partial: true },', replace: '{ partial: false },' },
      {
        file: 'src/engine/bridge/log-ends.ts',
        find: 'if (isFatal(error)) onFailure(error);',
        replace: 'if (!isFatal(1)) onFailure(error);',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/broken-partition.test.ts' },
  },
  {
    name: 'deleted-records-are-waited-for',
    breaks: 'a partition stands still when unread records of one input are deleted up to its end',
    edits: [{ file: 'src/engine/bridge/triple-runner.ts', find: 'triple.skipTo(input, start);', replace: '' }],
    caughtBy: { test: 'test/engine/bridge/broken-partition.test.ts' },
  },
  {
    name: 'refused-output-is-not-held',
    breaks: 'an output that the broker refuses is in the transactions of its shard again and again',
    edits: [
      {
        file: 'src/engine/publish/shard-publisher.ts',
        find: 'return hold !== undefined && this.#held.isBarred(hold) ? Math.max(0, hold.seq - request.first) : undefined;',
        replace: 'return hold !== undefined && hold.seq < 0 ? 0 : undefined;',
      },
    ],
    caughtBy: { test: 'test/engine/publish/refused-outputs.test.ts' },
  },
  {
    name: 'partitions-that-were-added-unnoticed',
    breaks: 'inputs that have grown are read on, with most users in another partition',
    edits: [
      {
        file: 'src/engine/ordering/log-identity.ts',
        find: '  if (other.length === 0) return undefined;',
        replace: '  if (other.length >= 0) return undefined;',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/added-partitions.test.ts' },
  },
  {
    name: 'ahead-of-who-waits',
    breaks: 'a bridge that goes on forgets whose records were not sent',
    edits: [
      {
        file: 'src/engine/ordering/partition-triple.ts',
        find: 'offset >= ahead.next[input]! || ahead.except.includes(this.#nameOf(key));',
        replace: 'offset >= ahead.next[input]!;',
      },
    ],
    caughtBy: { test: 'test/engine/ordering/partition-triple.test.ts' },
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
    name: 'shards-taken-back-out-of-the-group',
    breaks: 'a process that is out of the group without knowing it fences who has its shards by now',
    edits: [
      {
        file: 'src/engine/publish/ownership.ts',
        find: 'orAborted(this.#member.confirmed?.() ?? Promise.resolve(), signal)',
        replace: 'orAborted(Promise.resolve(), signal)',
      },
    ],
    caughtBy: { test: 'test/engine/publish/exactly-once.test.ts' },
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
