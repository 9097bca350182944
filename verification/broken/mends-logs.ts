/**
 * What is promised of logs that are others than were read, of workflows that people reset or terminate, and of users in two
 * partitions, each taken away. See {@link BrokenBuild}.
 */
import type { BrokenBuild } from './builds.ts';

const REPLACED = 'input made anew,input made anew from a copy,log cut below the place';

export const MENDS_OF_LOGS: readonly BrokenBuild[] = [
  {
    name: 'logs-have-no-identity',
    breaks: 'a topic that was made anew is read on at the place of the one before',
    edits: [
      {
        file: 'src/engine/ordering/log-identity.ts',
        find: "return name !== '' && id !== '' && baseOf(name) !== id;",
        replace: "return name !== '' && id === '' && baseOf(name) !== id;",
      },
    ],
    narrow: REPLACED,
    caughtBy: 'simulate',
  },
  {
    name: 'ids-are-looked-at-once',
    breaks: 'a bridge that runs does not notice that a topic was made anew, when it holds as much as before',
    edits: [{ file: 'src/engine/bridge/assignment.ts', find: ', this.#watch.run()]', replace: ']' }],
    narrow: 'input made anew from a copy',
    caughtBy: 'simulate',
  },
  {
    name: 'a-cut-is-forgotten',
    breaks:
      'a log that was seen to be cut is read on when the triple is taken the next time, whatever a person decides',
    edits: [
      {
        file: 'src/engine/bridge/triple-runner.ts',
        find: 'if (undecided.length > 0) await committer.noteCuts(',
        replace: 'if (undecided.length < 0) await committer.noteCuts(',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/log-changed.test.ts' },
  },
  {
    name: 'accepted-logs-keep-their-names',
    breaks: 'the records of a log that a person has accepted are dropped as known',
    edits: [
      {
        file: 'src/engine/ordering/log-identity.ts',
        find: 'return `${base}~${Number(turn) + 1}`;',
        replace: "return turn === '' ? base : name;",
      },
    ],
    narrow: 'log cut below the place',
    caughtBy: 'simulate',
  },
  {
    name: 'lost-records-are-passed-in-silence',
    breaks: 'records that went before they were read are passed without a word',
    edits: [
      {
        file: 'src/engine/bridge/triple-runner.ts',
        find: '    this.#deps.logger.error(\n',
        replace: '    this.#deps.logger.debug(\n',
      },
    ],
    narrow: 'unread money deleted',
    caughtBy: 'simulate',
  },
  {
    name: 'a-reset-is-a-repetition',
    breaks: 'what a workflow publishes after a reset is taken for what had its numbers before',
    edits: [
      {
        file: 'src/engine/publish/ledger.ts',
        find: "if (wasReset && stream === 'resolved') return { type: 'reset', last };",
        replace: "if (wasReset && stream === ('' as string)) return { type: 'reset', last };",
      },
    ],
    narrow: 'workflow reset',
    caughtBy: 'simulate',
  },
  {
    name: 'less-than-is-published-is-a-repeat',
    breaks: 'money is lost when a run that came of a reset has continued as new beyond the one that published last',
    edits: [
      {
        file: 'src/engine/publish/ledger.ts',
        find: 'const endsBefore = marked === undefined && byAnother(mark?.run, request.run);',
        replace: 'const endsBefore = marked === undefined && byAnother(undefined, request.run);',
      },
    ],
    caughtBy: { test: 'test/engine/publish/ledger.test.ts' },
  },
  {
    name: 'a-reset-by-numbers-alone',
    breaks:
      'a user stands still when a run that came of a reset has continued as new beyond the one that published last',
    edits: [
      {
        file: 'src/engine/publish/ledger.ts',
        find: 'wasReset || byAnother(mark.run, request.run)',
        replace: 'wasReset || byAnother(mark.run, undefined)',
      },
    ],
    caughtBy: { test: 'test/engine/publish/ledger.test.ts' },
  },
  {
    name: 'a-new-start-in-silence',
    breaks: 'nobody is told that a workflow was terminated and began anew',
    edits: [
      {
        file: 'src/engine/publish/notices.ts',
        find: "if (order > 0) return 'began-anew';",
        replace: 'if (order > 0) return undefined;',
      },
    ],
    narrow: 'workflow terminated',
    caughtBy: 'simulate',
  },
  {
    name: 'two-partitions-in-silence',
    breaks: 'nobody is told that the records of a user come from two partitions',
    edits: [
      {
        file: 'src/engine/workflow/entity/notes.ts',
        find: 'if (partitions > 1 && partitions > this.#partitions) {',
        replace: 'if (partitions > Infinity) {',
      },
    ],
    narrow: 'other partitioner',
    caughtBy: 'simulate',
  },
  {
    name: 'late-money-overtakes-what-silence-passed',
    breaks: 'late money is applied before what an input that fell silent has let the watermark pass',
    edits: [
      {
        file: 'src/engine/ordering/partition-triple.ts',
        find: '    this.#releaseHeld(now);\n    for (; count < budget',
        replace: '    for (; count < budget',
      },
    ],
    caughtBy: { test: 'test/engine/ordering/partition-triple.test.ts' },
  },
  {
    name: 'silence-of-all-is-noted-with-the-next-record',
    breaks: 'a silence of all inputs is forgotten when the next records come before anything was read',
    edits: [
      {
        file: 'src/engine/ordering/partition-triple.ts',
        find: '    if (!this.#watermark.allIdle) return;\n    // At once: one of them may be active again when the next records are read.\n    const largest = this.#held.largestTs();\n    if (largest !== undefined) this.#watermark.passHeld(largest);\n  }\n',
        replace: '  }\n',
      },
      {
        file: 'src/engine/ordering/partition-triple.ts',
        find: '  #releaseHeld(now: number): void {\n',
        replace:
          '  #releaseHeld(now: number): void {\n    const largest = this.#watermark.allIdle ? this.#held.largestTs() : undefined;\n    if (largest !== undefined) this.#watermark.passHeld(largest);\n',
      },
    ],
    caughtBy: { test: 'test/engine/ordering/silence.properties.test.ts' },
  },
  {
    name: 'what-is-not-read-yet-is-silence',
    breaks: 'an input counts as silent while a record of it waits to be read, which is late then',
    edits: [
      {
        file: 'src/engine/ordering/partition-triple.ts',
        find: '      // It is not read to its end.\n      this.#watermark.setActive(input);\n',
        replace: '',
      },
    ],
    caughtBy: { test: 'test/engine/ordering/partition-triple.test.ts' },
  },
  {
    name: 'no-silence-of-all-in-a-history',
    breaks: 'bootstrap takes money for on time that a bridge took for late, after a silence of all inputs',
    edits: [
      {
        file: 'src/tools/bootstrap/partition-states.ts',
        find: 'heads[input] !== undefined || this.fetched(input)',
        replace: 'heads[input] === undefined && this.fetched(input)',
      },
    ],
    caughtBy: { test: 'test/tools/bootstrap/partition-states.test.ts' },
  },
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
];
