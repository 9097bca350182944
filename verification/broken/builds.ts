/**
 * Deliberately broken builds: each takes one guarantee's mechanism away, by changing the text of the product. Whatever
 * claims to check the guarantee must catch it. The texts must occur once: when the code moves, this says so.
 */
import { MENDS_OF_THE_BRIDGE } from './mends-bridge.ts';
import { MENDS_OF_DECISIONS } from './mends-decisions.ts';
import { MENDS_OF_KAFKA } from './mends-kafka.ts';
import { MENDS_OF_LOGS } from './mends-logs.ts';
import { MENDS_OF_THE_WORKFLOW } from './mends-workflow.ts';

export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface BrokenBuild {
  readonly name: string;
  /** What it breaks. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  /** For the simulation: the only kinds of faults that touch something of their own; of all of them one seed has few. */
  readonly narrow?: string;
  /** What the simulation runs: money when absent. */
  readonly app?: 'orders';
  /** What must fail: the simulation, or a test file. */
  readonly caughtBy: 'simulate' | { readonly test: string };
}

const GUARANTEES: readonly BrokenBuild[] = [
  {
    name: 'no-ledger',
    breaks: 'a repeated request is published again, whatever the ledger says',
    edits: [
      {
        file: 'src/engine/publish/group-commit.ts',
        find: 'const verdict = judge(known, request);',
        replace: "const verdict = { type: 'publish', from: 0 } as Verdict;",
      },
    ],
    caughtBy: 'simulate',
  },
  {
    name: 'no-fence',
    breaks: 'every owner of a shard has a transactional id of its own, so that taking a shard stops nobody',
    edits: [
      {
        file: 'src/engine/publish/shard-opener.ts',
        find: 'await kafka.fence(transactionalId);',
        replace: 'await kafka.fence(`${transactionalId}-${me}`);',
      },
    ],
    caughtBy: 'simulate',
  },
  {
    name: 'acknowledge-before-commit',
    breaks: 'a request is answered before its transaction is committed',
    edits: [
      {
        file: 'src/engine/publish/shard-publisher.ts',
        find: 'at = await this.#sender.commit(producer',
        replace:
          'for (const { resolve } of batch.complete) resolve();\n        at = await this.#sender.commit(producer',
      },
    ],
    caughtBy: 'simulate',
  },
  {
    name: 'dedup-off',
    breaks: 'money that was sent twice comes out twice',
    edits: [
      {
        file: 'src/money/domain/dedup.ts',
        find: 'return ts !== undefined && tau <= ts + dedupTtl;',
        replace: 'return false;',
      },
    ],
    caughtBy: 'simulate',
  },
  {
    name: 'redelivery-set-off',
    breaks: 'a record that the bridge signals again is applied again',
    edits: [
      {
        file: 'src/engine/workflow/redelivery.ts',
        find: 'if (offset < known.lowWater[index]! || hasOffset(known.above[index]!, offset)) return false;',
        replace: 'if (hasOffset([], offset)) return false;',
      },
    ],
    caughtBy: 'simulate',
  },
  {
    name: 'ordering-buffer-off',
    breaks: 'records are applied in the order in which they are read',
    edits: [
      {
        file: 'src/engine/ordering/partition-triple.ts',
        find: 'this.#held.hold(record);\n      this.#releaseHeld(now);',
        replace: 'this.#release(record, now);',
      },
    ],
    caughtBy: 'simulate',
  },
  {
    name: 'continue-as-new-drops-a-signal',
    breaks: 'a run is continued as new while a signal waits in its inbox',
    edits: [
      {
        file: 'src/engine/workflow/entity/run-entity.ts',
        find: 'if (inbox.empty && prepareContinueAsNew()) {',
        replace: 'if (prepareContinueAsNew()) {',
      },
    ],
    caughtBy: 'simulate',
  },
  {
    name: 'offsets-before-acknowledgement',
    breaks: 'offsets are committed for records that no workflow has yet',
    edits: [
      { file: 'src/engine/ordering/partition-triple.ts', find: 'return first?.before ?? {', replace: 'return {' },
    ],
    caughtBy: 'simulate',
  },
  {
    name: 'send-over-two-partitions',
    breaks: 'the records of one send go to two partitions, and an answer for one of them is taken for both',
    edits: [
      {
        file: 'src/engine/kafka/kafkajs/transactional-producer.ts',
        find: 'return records.map((record) => ({\n    partition,',
        replace: 'return records.map((record, index) => ({\n    partition: (partition + index) % 2,',
      },
      {
        file: 'src/engine/kafka/kafkajs/transactional-producer.ts',
        find: 'answer.length === 1 && only?.topicName === topic && only.partition === partition && only.errorCode === 0;',
        replace: 'only !== undefined;',
      },
    ],
    caughtBy: { test: 'test/engine/kafka/kafkajs/leader-moves.test.ts' },
  },
  {
    name: 'early-answer-to-a-repeated-request',
    breaks: 'a request is answered because the same outputs are in a transaction that is not committed yet',
    edits: [
      {
        file: 'src/engine/publish/group-commit.ts',
        find: "if (pending !== undefined && judge(committed.get(request.key), request).type !== 'published') complete.push(item);\n      else published.push(item);",
        replace: 'published.push(item);',
      },
    ],
    caughtBy: { test: 'test/engine/publish/group-commit.test.ts' },
  },
];

/** What the engine guarantees, it guarantees to others: the simulation of `examples/orders` must catch these as well. */
const OF_ORDERS: ReadonlySet<string> = new Set([
  'no-ledger',
  'acknowledge-before-commit',
  'redelivery-set-off',
  'ordering-buffer-off',
  'offsets-before-acknowledgement',
]);

export const BROKEN_BUILDS: readonly BrokenBuild[] = [
  ...GUARANTEES,
  ...GUARANTEES.filter(({ name }) => OF_ORDERS.has(name)).map((build): BrokenBuild => ({
    ...build,
    name: `${build.name}-of-orders`,
    app: 'orders',
  })),
  ...MENDS_OF_THE_BRIDGE,
  ...MENDS_OF_THE_WORKFLOW,
  ...MENDS_OF_LOGS,
  ...MENDS_OF_DECISIONS,
  ...MENDS_OF_KAFKA,
];
