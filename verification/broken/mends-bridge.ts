/**
 * Mends of what once stopped a user, a partition or every bridge, each undone: what was wrong has to be noticed again. See
 * {@link BrokenBuild}.
 */
import type { BrokenBuild } from './builds.ts';

export const MENDS_OF_THE_BRIDGE: readonly BrokenBuild[] = [
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
    name: 'shards-taken-back-out-of-the-group',
    breaks: 'a process that is out of the group without knowing it fences who has its shards by now',
    edits: [
      {
        file: 'src/engine/publish/ownership.ts',
        find: 'orAborted(this.#member.confirmed?.() ?? Promise.resolve(), signal)',
        replace: 'orAborted(Promise.resolve(), signal)',
      },
    ],
    caughtBy: { test: 'test/engine/publish/ownership.test.ts' },
  },
];
