/** Mends of workflows and of what they ask for, each undone. See {@link BrokenBuild}. */
import type { BrokenBuild } from './builds.ts';

export const MENDS_OF_THE_WORKFLOW: readonly BrokenBuild[] = [
  {
    name: 'lookups-in-the-slots-of-publishing',
    breaks: 'lookups wait on the task queue of their shard, and publishing behind them',
    edits: [
      {
        file: 'src/engine/workflow/entity/questions.ts',
        find: '...(taskQueue === undefined ? {} : { taskQueue }),',
        replace: "...(taskQueue === '' ? { taskQueue } : {}),",
      },
    ],
    caughtBy: { test: 'test/engine/worker/lookups-under-load.test.ts' },
  },
  {
    name: 'give-up-when-there-is-a-slot',
    breaks: 'a lookup ends when an attempt gets a slot after its time, however late that is',
    edits: [
      {
        file: 'src/engine/workflow/entity/questions.ts',
        find: '    scheduleToCloseTimeout,\n    startToCloseTimeout',
        replace: '    ...(scheduleToCloseTimeout < 0 ? { scheduleToCloseTimeout } : {}),\n    startToCloseTimeout',
      },
    ],
    caughtBy: { test: 'test/engine/worker/lookups-under-load.test.ts' },
  },
  {
    name: 'an-attempt-returns-all-or-nothing',
    breaks: 'an attempt whose time is over forgets the answers that it has',
    edits: [
      {
        file: 'activities/lookup-sessions.ts',
        find: "    if (noAnswer === 'retry' && answers.size === 0) {",
        replace: "    if (noAnswer === 'retry' && answers.size < sessionIds.length) {",
      },
    ],
    caughtBy: { test: 'test/activities/lookup-sessions.test.ts' },
  },
  {
    name: 'state-of-any-size',
    breaks: 'the bytes of a state have no bound',
    edits: [
      {
        file: 'src/money/domain/bounds.ts',
        find: 'while (bytesOf(kept) > bounds.bytes) {',
        replace: 'while (bytesOf(kept) > Infinity * bounds.bytes) {',
      },
    ],
    caughtBy: { test: 'test/workflows/carried.test.ts' },
  },
  {
    name: 'pending-money-of-any-number',
    breaks: 'money that waits for sessions has no bound',
    edits: [
      {
        file: 'src/money/domain/bounds.ts',
        find: 'while (kept.pending.count > bounds.pending ||',
        replace: 'while (kept.pending.count > Infinity * bounds.pending ||',
      },
    ],
    caughtBy: { test: 'test/money/domain/agrees-with-model.test.ts' },
  },
  {
    name: 'what-is-owed-counts-for-nothing',
    breaks: 'signals are applied whatever outputs and lookups wait, until nothing can be carried',
    edits: [
      {
        file: 'src/engine/workflow/entity/room.ts',
        find: 'return sizes.carried(life) + bytes <= MAX_BYTES;',
        replace: 'return bytes <= MAX_BYTES;',
      },
    ],
    caughtBy: { test: 'test/workflows/carried.test.ts' },
  },
  {
    name: 'publishing-locally-for-ever',
    breaks: 'histories grow while Kafka takes no output',
    edits: [
      { file: 'src/engine/workflow/entity/publishing.ts', find: 'scheduleToCloseTimeout: 7_000,', replace: '' },
      { file: 'src/engine/workflow/entity/publishing.ts', find: ' maximumAttempts: 6,', replace: '' },
    ],
    caughtBy: { test: 'verification/simulation/outages.test.ts' },
  },
  {
    name: 'any-signal-is-a-batch',
    breaks: 'a signal of a stranger is applied, and fails the task for ever',
    edits: [
      {
        file: 'src/engine/workflow/entity/run-entity.ts',
        find: "    if (wrong !== undefined) return drop('signal', wrong);",
        replace: "    if (wrong === '') return drop('signal', wrong);",
      },
    ],
    caughtBy: 'simulate',
  },
  {
    name: 'strangers-fill-a-history',
    breaks: 'a silent user whom a stranger signals without end never continues as new, and its money waits for ever',
    edits: [
      {
        file: 'src/engine/workflow/entity/run-entity.ts',
        find: "if (crowded || !length.isOverfilled(port.history()) || !port.patched('foreign-continues')) return;",
        replace: 'if (crowded || !crowded) return;',
      },
    ],
    narrow: 'flood of unknown signals',
    caughtBy: 'simulate',
  },
  {
    name: 'a-hash-is-a-user',
    breaks: 'with hashed workflow ids the hash goes out as the user id',
    edits: [
      {
        file: 'workflows/starts.ts',
        find: 'return HASHED.test(name) ? undefined : name;',
        replace: 'return name;',
      },
    ],
    caughtBy: { test: 'test/workflows/batches.test.ts' },
  },
  {
    name: 'reset-unnoticed',
    breaks: 'outputs of a workflow that was reset are taken for those that had their numbers before, and are lost',
    edits: [
      {
        file: 'src/engine/publish/ledger.ts',
        find: 'return asks.number < published.number || (asks.number === published.number && asks.id !== published.id);',
        replace: "return asks.id === '' && published.id === '';",
      },
    ],
    caughtBy: { test: 'test/engine/publish/ledger.test.ts' },
  },
  {
    name: 'a-look-for-each-user-that-waits',
    breaks: 'each user that waits for the watermark asks Kafka for it',
    edits: [
      {
        file: 'src/engine/worker/committed-watermark.ts',
        find: 'if (known !== undefined && clock.elapsed() < known.until) return known;',
        replace: 'if (known !== undefined && clock.elapsed() < 0) return known;',
      },
    ],
    caughtBy: { test: 'test/engine/worker/committed-watermark.test.ts' },
  },
  {
    name: 'a-user-that-waits-keeps-its-place',
    breaks: 'users whose signals fail hold the places of all others',
    edits: [
      {
        file: 'src/engine/bridge/signal-sender.ts',
        find: '        if (place !== undefined) this.#places.free(place);\n        await clock.sleep',
        replace: '        await clock.sleep',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/waiting-workflows.test.ts' },
  },
  {
    name: 'a-history-that-is-long-holds-a-place',
    breaks: 'users whose workflow does not keep up hold the places of all others',
    edits: [
      {
        file: 'src/engine/bridge/signal-sender.ts',
        find: '          this.#places.free(place);\n          place = undefined;',
        replace: '',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/waiting-workflows.test.ts' },
  },
  {
    name: 'signals-that-come-together-go-together',
    breaks: 'after a task that timed out while it published, a replay takes for published what never was',
    edits: [
      {
        file: 'src/engine/workflow/entity/run-entity.ts',
        find: 'answer.signals < group.signals',
        replace: 'answer.signals < 0',
      },
    ],
    caughtBy: { test: 'test/workflows/signal-group.int.test.ts' },
  },
  {
    name: 'repeats-wait-for-transactions',
    breaks: 'what was published long ago is answered after the transaction under way',
    edits: [
      {
        file: 'src/engine/publish/shard-publisher.ts',
        find: "if (judge(entry, request).type !== 'published') return false;",
        replace:
          "if (judge(entry, request).type !== 'published' || this.#waiting.length + this.#inFlight.length > 0) return false;",
      },
    ],
    caughtBy: { test: 'test/engine/publish/exactly-once.test.ts' },
  },
  {
    name: 'all-replays-at-once',
    breaks:
      'whoever takes a shard over replays all its users at a time, and on a full machine none of them ends in the time of its task',
    edits: [
      {
        file: 'src/engine/worker/replay-slots.ts',
        find: 'this.#limit = Math.max(1, Math.floor(this.#limit / 2));',
        replace: 'this.#limit = Math.max(1, this.#limit);',
      },
    ],
    caughtBy: { test: 'test/engine/worker/replay-slots.test.ts' },
  },
  {
    name: 'publishing-counts-as-replaying',
    breaks: 'the first task of a new run keeps a place of the replays until it has published',
    edits: [
      {
        file: 'src/engine/worker/replay-slots.ts',
        find: 'if (permit !== undefined) permit.unheard = false;',
        replace: 'if (permit !== undefined && isReplay) permit.unheard = false;',
      },
    ],
    caughtBy: { test: 'test/engine/worker/replay-slots.test.ts' },
  },
  {
    name: 'memory-goes-on-after-a-lost-task',
    breaks:
      'a workflow that waits for a local activity goes on with the next task when the one before it was given up: what it does then cannot be replayed',
    edits: [
      {
        file: 'src/engine/workflow/entity/lost-tasks.ts',
        find: 'if (!isHeartbeat) {',
        replace: 'if (!isHeartbeat && passed < 0) {',
      },
    ],
    caughtBy: { test: 'test/engine/workflow/entity/lost-tasks.test.ts' },
  },
  {
    name: 'answers-while-it-publishes',
    breaks: 'a query is answered while a local activity runs: what is recorded then cannot be replayed',
    edits: [
      {
        file: 'src/engine/workflow/entity/interceptors.ts',
        find: 'if (lostTasks.waits && HeldQueries.mayWait(id))',
        replace: "if (lostTasks.waits && id === '' && HeldQueries.mayWait(id))",
      },
    ],
    caughtBy: { test: 'test/workflows/held-queries.int.test.ts' },
  },
  {
    name: 'who-was-asked-is-asked-again-at-the-end',
    breaks: 'what the last attempt said is lost when a time-out ends a call: each give-up costs a call more',
    edits: [
      {
        file: 'src/engine/workflow/entity/sdk-port.ts',
        find: 'reject(withLastAttempt(error))',
        replace: 'reject(error)',
      },
    ],
    caughtBy: { test: 'test/workflows/given-up.int.test.ts' },
  },
  {
    name: 'each-give-up-asks-once-more',
    breaks:
      'a lookup that waited for a slot until its give-up time is asked for once more: thousands that end together end late',
    edits: [
      {
        file: 'src/engine/workflow/entity/questions.ts',
        find: 'return late >= 0 && late <= ',
        replace: 'return late > Infinity && late <= ',
      },
    ],
    caughtBy: { test: 'test/engine/worker/lookups-under-load.test.ts' },
  },
  {
    name: 'nobody-asks-after-an-outage-of-the-workers',
    breaks: 'lookups whose time passed while no worker was there are given up without having been asked for',
    edits: [
      {
        file: 'src/engine/workflow/entity/questions.ts',
        find: 'return late >= 0 && late <= ',
        replace: 'return late >= 0 || late <= ',
      },
    ],
    caughtBy: { test: 'test/engine/worker/lookups-under-load.test.ts' },
  },
  {
    name: 'heartbeats-that-record-nothing',
    breaks: 'a replay takes a heartbeat for a part of the next task, and has the time of that',
    edits: [
      {
        file: 'src/engine/workflow/entity/publishing.ts',
        find: 'marked ? port.timer(MARK, () => undefined)',
        replace: 'marked && asked.request.first < 0 ? port.timer(MARK, () => undefined)',
      },
    ],
    caughtBy: 'simulate',
  },
  {
    name: 'any-number-of-records-ahead',
    breaks: 'a user that does not keep up is sent as many records as its history has bytes for',
    edits: [
      {
        file: 'src/engine/bridge/history-guard.ts',
        find: 'isShort(history) && !(applied && history.busy)',
        replace: 'isShort(history) && !(applied && history.busy && history.events < 0)',
      },
    ],
    caughtBy: { test: 'test/engine/bridge/history-guard.test.ts' },
  },
];
