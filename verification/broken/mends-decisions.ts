/** What people decide, each decision carried out wrongly: about logs that have changed, the brake, the watermark, dead letters. See {@link BrokenBuild}. */
import type { BrokenBuild } from './builds.ts';

export const MENDS_OF_DECISIONS: readonly BrokenBuild[] = [
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
    name: 'a-decision-ends-at-a-partition-without-leader',
    breaks:
      'a person who accepts a log is not told what was accepted of it, and the partitions after one without a leader go on waiting',
    edits: [
      {
        file: 'src/engine/bridge/each-partition.ts',
        find: 'if (!(error instanceof CodedError)) {',
        replace: 'if (error !== undefined) {',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/log-changed.test.ts' },
  },
  {
    name: 'added-partitions-accepted-in-silence',
    breaks: 'a person who accepts added partitions is told that there was nothing to accept',
    edits: [
      {
        file: 'src/engine/bridge/accept-logs.ts',
        find: 'if (isNew[index] || (grown && topics.includes(topic) && offset !== null)) {',
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
];
