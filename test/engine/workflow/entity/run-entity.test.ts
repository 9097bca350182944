/** The life of one key's workflow, on a Temporal that the test plays: what it asks for, in which order, and what it carries on. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entity, EntityBatch, EntityLife } from '../../../../src/engine/workflow/entity/entity.ts';
import { plainEntity } from '../../../../src/engine/workflow/entity/plain.ts';
import type { CallOptions, Foreign, Noticed, TemporalPort } from '../../../../src/engine/workflow/entity/port.ts';
import { runEntity } from '../../../../src/engine/workflow/entity/run-entity.ts';
import { emitted, type Emitted } from '../../../../src/engine/workflow/emitted.ts';
import type { PublishAnswer, PublishRequest } from '../../../../src/engine/workflow/publish-request.ts';

const AT = 1_769_853_600_000;
const HOUR = 3_600_000;
/** A run of which nobody has said more is continued as new at this many events. */
const LONG = 400;

interface Said {
  readonly says: string;
  /** Needs no waiting. */
  readonly atOnce?: boolean;
}
interface State {
  texts: string[];
  wall?: number | undefined;
  event?: number | undefined;
}

/** By the first word of a record: `now x` and `later x` say x, `ask x` asks it, `wall n` and `event n` wait n ms, all else is remembered. */
function applied(state: State, event: string, { emit, ask }: { emit(said: Said): void; ask(question: string): void }) {
  const [word, text = ''] = event.split(' ');
  if (word === 'now') emit({ says: text, atOnce: true });
  else if (word === 'later') emit({ says: text });
  else if (word === 'ask') ask(text);
  else if (word === 'wall') state.wall = AT + Number(text);
  else if (word === 'event') state.event = AT + Number(text);
  else state.texts.push(event);
}

const plain = plainEntity<State, string, Said, string, string>({
  initial: () => ({ texts: [] }),
  apply: (state, { event }, step) => applied(state, event, step),
  advance(state, { eventTime, emit }) {
    if (state.event === undefined || eventTime! <= state.event) return;
    state.event = undefined;
    emit({ says: 'passed' });
  },
  wallClock(state, { now, emit }) {
    if (state.wall === undefined || now < state.wall) return;
    state.wall = undefined;
    emit({ says: 'rang' });
  },
  answered: (_, question, answer, { emit }) => emit({ says: `${question}=${answer ?? 'nothing'}` }),
  wakeAt: ({ wall, event }) => ({ wallClock: wall, eventTime: event }),
  questions: { activity: 'answer', giveUpAfter: HOUR },
  describe: ({ texts }) => texts.join(),
});
type Plain = typeof plain;
type Output = Emitted<Said>;

/** As the plain one, but that some of what is emitted needs no waiting. */
const ENTITY: Plain = {
  ...plain,
  rules: {
    ...plain.rules,
    apply(life, batch, context) {
      const { resolved } = plain.rules.apply(life, batch, context);
      const isAtOnce = ({ record }: Output): boolean => record.atOnce === true;
      return { applied: resolved.filter(isAtOnce), resolved: resolved.filter((output) => !isAtOnce(output)) };
    },
  },
};

interface Asked {
  readonly name: string;
  readonly request: object;
  readonly options: CallOptions;
  cancelled: boolean;
  answer(value?: unknown): void;
  fail(error: Error): void;
}
interface Timer {
  readonly ms: number;
  readonly summary: string | undefined;
  cancelled: boolean;
  ring(): void;
}

/** One run of a workflow, whose Temporal does what the test says. */
class Run {
  readonly calls: Asked[] = [];
  readonly timers: Timer[] = [];
  readonly counted: Noticed[] = [];
  readonly warned: string[] = [];
  readonly continuedWith: unknown[] = [];
  readonly queries = new Map<string, { readonly answer: (...args: never[]) => unknown; readonly says?: string }>();
  described = '';
  now = AT;
  history = { events: 0, bytes: 0, continueAsNewSuggested: false, newVersion: false };
  /** Changes that are not in force. */
  unpatched: string[] = [];
  failure: unknown;
  #batch!: (batch: unknown) => void;
  #foreign!: (kind: Foreign, name: string) => void;
  #nudge!: () => void;
  #offset = 0;
  readonly #conditions = new Map<() => boolean, () => void>();

  constructor(
    entity: Plain = ENTITY,
    { workflowId = 'app/k', continued = false, argument = { key: 'k' } as unknown, bytes = 0 } = {},
  ) {
    this.history.bytes = bytes;
    const port: TemporalPort = {
      workflowId,
      runId: '01234567-89ab-4cde-8f01-23456789abcd',
      continued,
      incarnation: { startedAt: AT, runId: 'first' },
      taskQueue: 'app-shard-0',
      now: () => this.now,
      history: () => this.history,
      onEvents: (handler) => void (this.#batch = handler),
      onForeign: (handler) => void (this.#foreign = handler),
      onNudge: (handler) => void (this.#nudge = handler),
      onQuery: (name, answer, says) => void this.queries.set(name, { answer, ...(says !== undefined && { says }) }),
      patched: (change) => !this.unpatched.includes(change),
      count: (noticed) => void this.counted.push(noticed),
      until: (isSo) => (isSo() ? Promise.resolve() : new Promise((resolve) => this.#conditions.set(isSo, resolve))),
      timer: (ms, ring, summary) => {
        const timer = { ms, summary, cancelled: false, ring };
        this.timers.push(timer);
        return () => void (timer.cancelled = true);
      },
      call: <T>(name: string, request: object, options: CallOptions) => {
        let asked!: Asked;
        const result = new Promise<T>((resolve, fail) => {
          const answer = (value?: unknown): void => resolve(value as T);
          asked = { name, request: structuredClone(request), options, cancelled: false, answer, fail };
        });
        this.calls.push(asked);
        return { result, cancel: () => void (asked.cancelled = true) };
      },
      continueAsNew: (start) => {
        this.continuedWith.push(structuredClone(start));
        return new Promise<never>(() => undefined);
      },
      describe: (text) => void (this.described = text),
      warn: (message, { why }) => void this.warned.push(why === undefined ? message : String(why)),
    };
    runEntity(port, entity, argument).catch((error: unknown) => (this.failure = error));
  }

  /** A signal with these records, the next of the log. */
  signal(events: readonly string[], more: object = {}): void {
    const records = events.map((event) => ({ input: 0, offset: this.#offset++, ts: AT, event }));
    this.#batch({ key: 'k', partition: 3, lowWater: [0], rules: {}, records, ...more });
  }

  /** Anything, as a signal. */
  signalled(value: unknown): void {
    this.#batch(value);
  }

  foreign(kind: Foreign): void {
    this.#foreign(kind, 'x');
  }

  nudge(): void {
    this.#nudge();
  }

  /** Lets all happen that follows. */
  async settle(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const due = [...this.#conditions].filter(([isSo]) => isSo());
      if (due.length === 0) return;
      for (const [isSo, resolve] of due) {
        this.#conditions.delete(isSo);
        resolve();
      }
    }
  }

  async signals(...batches: (readonly string[])[]): Promise<void> {
    for (const events of batches) this.signal(events);
    await this.settle();
  }

  /** What is asked to be published, the first request first. */
  get publishes(): PublishRequest<Output>[] {
    return this.calls.filter(({ name }) => name === 'publish').map(({ request }) => request as PublishRequest<Output>);
  }

  /** In words: the stream, the first number, what is said. */
  get published(): string[] {
    return this.publishes.map(({ stream, first, outputs }) =>
      [stream, first, ...outputs.map(({ record }) => record.says)].join(' '),
    );
  }

  /** Answers the last call. */
  async answer(value?: unknown): Promise<void> {
    this.calls.at(-1)!.answer(value);
    await this.settle();
  }

  async fail(error: Error): Promise<void> {
    this.calls.at(-1)!.fail(error);
    await this.settle();
  }

  /** Timers that are neither cancelled nor the mark of a local activity. */
  get waiting(): Timer[] {
    return this.timers.filter(({ cancelled, ms }) => !cancelled && ms !== 24 * HOUR);
  }

  /** The only one that waits. */
  async ring(): Promise<void> {
    const [timer, ...others] = this.waiting;
    assert.deepEqual(others, []);
    this.now += timer!.ms;
    timer!.cancelled = true;
    timer!.ring();
    await this.settle();
  }

  /** The life that is carried. */
  get carried(): EntityLife<Output> & { readonly counters: object; readonly state: State } {
    assert.equal(this.continuedWith.length, 1);
    return (this.continuedWith[0] as { readonly life: never }).life;
  }

  async carriedNow() {
    this.nudge();
    await this.settle();
    return this.carried;
  }
}

async function after(...batches: (readonly string[])[]): Promise<Run> {
  const run = new Run();
  await run.signals(...batches);
  return run;
}

const reset = (last: number): Error =>
  new Error('activity', { cause: Object.assign(new Error('reset'), { type: 'WorkflowReset', details: [last] }) });
const stale = (): Error =>
  new Error('activity', { cause: Object.assign(new Error('stale'), { type: 'StaleIncarnation' }) });
const textsOf = (length: number, word: string): string[] => Array.from({ length }, (_, n) => `${word} ${n}`);

describe('outputs that needed no waiting', () => {
  it('are published locally, with who asks and for how many signals, numbered on', async () => {
    const run = await after(['now a', 'now b']);
    assert.deepEqual(run.publishes, [
      {
        key: 'k',
        incarnation: { startedAt: AT, runId: 'first' },
        stream: 'applied',
        first: 1,
        outputs: [emitted({ says: 'a', atOnce: true }), emitted({ says: 'b', atOnce: true })],
        run: { number: 0, id: '01234567' },
        signals: 1,
      },
    ]);
    assert.equal(run.calls[0]!.options.local, true);
    await run.answer({ signals: 1 });
    await run.signals(['now c']);
    await run.answer();
    assert.deepEqual(run.published, ['applied 1 a b', 'applied 3 c']);
    assert.deepEqual((await run.carriedNow()).published, { applied: 3, resolved: 0 });
  });

  it('are marked by a timer of a day for as long as they are published', async () => {
    const run = await after(['now a']);
    assert.deepEqual(
      run.timers.map(({ ms, cancelled }) => [ms, cancelled]),
      [[24 * HOUR, false]],
    );
    await run.answer();
    assert.equal(run.timers[0]!.cancelled, true);
  });

  it('of at most ten signals go together', async () => {
    const run = await after(...textsOf(11, 'now').map((event) => [event]));
    assert.deepEqual(run.published, ['applied 1 0 1 2 3 4 5 6 7 8 9']);
    assert.equal(run.publishes[0]!.signals, 10);
    await run.answer({ signals: 10 });
    assert.deepEqual(run.published.slice(1), ['applied 11 10']);
    assert.equal(run.publishes[1]!.signals, 1);
  });

  it('of a state that is costly to remember go signal by signal', async () => {
    const run = await after(['x'.repeat(60_000)]);
    await run.signals(['now a'], ['now b']);
    assert.deepEqual(run.published, ['applied 1 a']);
    assert.equal(run.publishes[0]!.signals, 1);
    await run.answer({ signals: 1 });
    assert.deepEqual(run.published.slice(1), ['applied 2 b']);
  });

  it('go at most 500 at once', async () => {
    const run = await after(textsOf(501, 'now'));
    assert.equal(run.publishes.length, 1);
    await run.answer({ signals: 1 });
    assert.deepEqual(
      run.publishes.map(({ first, outputs }) => [first, outputs.length]),
      [
        [1, 500],
        [501, 1],
      ],
    );
    await run.answer({ signals: 1 });
    assert.deepEqual((await run.carriedNow()).published, { applied: 501, resolved: 0 });
  });

  it('that were published for fewer signals are taken back beyond them, and follow again', async () => {
    const run = await after(['now a', 'x'], ['now b', 'y'], ['now c', 'z']);
    assert.deepEqual(run.published, ['applied 1 a b c']);
    await run.answer({ signals: 1 });
    assert.deepEqual(run.published.slice(1), ['applied 2 b c']);
    await run.answer({ signals: 2 });
    const { state, published } = await run.carriedNow();
    assert.deepEqual([state.texts, published], [['x', 'y', 'z'], { applied: 3, resolved: 0 }]);
  });

  it('go on after the number of the ledger when the workflow was reset', async () => {
    const run = await after(['now a', 'now b']);
    await run.fail(reset(7));
    assert.deepEqual(run.published, ['applied 1 a b', 'applied 8 a b']);
    await run.answer();
    const { published, counters } = await run.carriedNow();
    assert.deepEqual(
      [published, counters],
      [
        { applied: 9, resolved: 0 },
        { foreign: 0, resets: 1 },
      ],
    );
  });

  it('fail the task with what no repetition mends', async () => {
    const run = await after(['now a', 'now b']);
    await run.fail(stale());
    assert.equal((run.failure as Error).message, 'Publishing 2 applied outputs from 1 on: activity');
  });

  it('come before what follows from answers and timers, and before any other signal is applied', async () => {
    const run = await after(['later r', 'now a']);
    assert.deepEqual(run.published, ['applied 1 a']);
    await run.signals(['now b']);
    assert.equal(run.published.length, 1);
    await run.answer();
    assert.deepEqual(run.published, ['applied 1 a', 'resolved 1 r', 'applied 2 b']);
  });
});

describe('outputs that waited', () => {
  it('are published durably, one request at a time, and are owed until then', async () => {
    const run = await after(['later a', 'later b']);
    assert.deepEqual(run.publishes, [
      {
        key: 'k',
        incarnation: { startedAt: AT, runId: 'first' },
        stream: 'resolved',
        first: 1,
        outputs: [emitted({ says: 'a' }), emitted({ says: 'b' })],
        run: { number: 0, id: '01234567' },
      },
    ]);
    assert.notEqual(run.calls[0]!.options.local, true);
    await run.signals(['later c']);
    assert.equal(run.published.length, 1);
    await run.answer();
    assert.deepEqual(run.published.slice(1), ['resolved 3 c']);
    await run.answer();
    assert.equal(run.calls.length, 2);
    const { published, unpublished } = await run.carriedNow();
    assert.deepEqual([published, unpublished], [{ applied: 0, resolved: 3 }, []]);
  });

  it('go on after the number of the ledger when the workflow was reset', async () => {
    const run = await after(['later a']);
    await run.fail(reset(4));
    assert.deepEqual(run.published, ['resolved 1 a', 'resolved 5 a']);
    await run.answer();
    const { published, counters } = await run.carriedNow();
    assert.deepEqual(
      [published, counters],
      [
        { applied: 0, resolved: 5 },
        { foreign: 0, resets: 1 },
      ],
    );
  });

  it('fail the task with what no repetition mends', async () => {
    const run = await after(['later a']);
    await run.fail(stale());
    assert.equal((run.failure as Error).message, 'Publishing 1 resolved outputs from 1 on: activity');
  });

  it('that are too large for a history go locally, after a timer', async () => {
    const large = 'x'.repeat(400_000);
    const run = await after([`later ${large}`]);
    assert.equal(run.calls.length, 0);
    assert.deepEqual(
      run.waiting.map(({ ms }) => ms),
      [1],
    );
    await run.ring();
    assert.equal(run.calls[0]!.options.local, true);
    assert.deepEqual(run.published, [`resolved 1 ${large}`]);
    assert.equal(run.timers.filter(({ ms }) => ms === 24 * HOUR).length, 1);
    await run.answer();
    assert.deepEqual((await run.carriedNow()).unpublished, []);
  });

  it('are carried while they are not published, and published by the next run first of all', async () => {
    const run = await after(['later a', 'later b']);
    const life = await run.carriedNow();
    assert.deepEqual([life.unpublished.length, life.published.resolved, life.runs], [2, 0, 1]);
    const next = new Run(ENTITY, { continued: true, argument: { key: 'k', life } });
    await next.settle();
    assert.deepEqual(next.published, ['resolved 1 a b']);
    assert.deepEqual(next.publishes[0]!.run, { number: 1, id: '01234567' });
    await next.answer();
    assert.deepEqual((await next.carriedNow()).runs, 2);
  });
});

describe('what waits for a time', () => {
  const waitingOf = (run: Run) => run.waiting.map(({ ms, summary }) => [ms, summary]);

  it('of the wall clock has a timer until then', async () => {
    const run = await after([`wall ${HOUR}`]);
    assert.deepEqual(waitingOf(run), [[HOUR, 'something waits until then']]);
    await run.ring();
    assert.deepEqual(run.published, ['resolved 1 rang']);
    assert.deepEqual(waitingOf(run), []);
    assert.deepEqual(
      run.calls.map(({ name }) => name),
      ['publish'],
    );
  });

  it('of event time is quiet for 3 s, and then has the watermark watched', async () => {
    const run = await after(['event 5000']);
    assert.deepEqual(waitingOf(run), [[3_000, 'something waits until then']]);
    await run.ring();
    assert.deepEqual(run.calls[0]!.request, { partition: 3, key: 'k', passes: AT + 5_000 });
    assert.equal(run.calls[0]!.name, 'readWatermark');
    assert.deepEqual(waitingOf(run), []);
    await run.answer(AT + 5_001);
    assert.deepEqual(run.published, ['resolved 1 passed']);
    assert.deepEqual(waitingOf(run), []);
  });

  it('is watched again after a look that did not help', async () => {
    const run = await after(['event 5000']);
    await run.ring();
    await run.answer(null);
    assert.deepEqual(run.published, []);
    assert.deepEqual(waitingOf(run), [[3_000, 'something waits until then']]);
  });

  it('is told of a watermark, and of none where the look gave none', async () => {
    const told: number[] = [];
    const run = new Run({
      ...ENTITY,
      rules: {
        ...ENTITY.rules,
        advance(life, watermark, context) {
          told.push(watermark);
          return ENTITY.rules.advance(life, watermark, context);
        },
      },
    });
    await run.signals(['event 5000']);
    await run.ring();
    await run.answer(null);
    assert.equal(told.length, 0);
    await run.ring();
    await run.answer(AT + 5_001);
    assert.deepEqual(told, [AT + 5_001]);
  });

  it('of both is watched after 3 s, and rings at its time though the watermark is watched', async () => {
    const run = await after(['event 5000', `wall ${HOUR}`]);
    assert.deepEqual(waitingOf(run), [[3_000, 'something waits until then']]);
    await run.ring();
    assert.deepEqual(waitingOf(run), [[HOUR - 3_000, 'something waits until then']]);
    await run.ring();
    assert.deepEqual(run.published, ['resolved 1 rang']);
    assert.equal(run.calls.filter(({ name }) => name === 'readWatermark').length, 1);
  });

  it('of the wall clock within 3 s rings then, whatever waits for event time', async () => {
    const run = await after(['event 5000', 'wall 1000']);
    assert.deepEqual(waitingOf(run), [[1_000, 'something waits until then']]);
  });

  it('is watched no more when it waits no more', async () => {
    const run = await after(['event 5000']);
    await run.ring();
    const [watch] = run.calls;
    const record = { input: 0, offset: 9, ts: AT + 5_001, event: 'x' };
    run.signal([], { records: [record] });
    await run.settle();
    assert.equal(watch!.cancelled, true);
    assert.deepEqual(run.published, ['resolved 1 passed']);

    const wall = await after(['event 5000', `wall ${HOUR}`]);
    await wall.ring();
    wall.signal([], { records: [record] });
    await wall.settle();
    assert.equal(wall.calls[0]!.cancelled, true);
    assert.deepEqual(waitingOf(wall), [[HOUR - 3_000, 'something waits until then']]);
  });

  describe('to be forgotten', () => {
    const forgetting = (forgetsIn: () => number | undefined): Plain => ({
      ...ENTITY,
      rules: { ...ENTITY.rules, forgetsIn },
    });

    it('is looked for then, once', async () => {
      let ms: number | undefined = HOUR;
      const run = new Run(forgetting(() => ms));
      assert.deepEqual(waitingOf(run), []);
      await run.signals(['x']);
      assert.deepEqual(waitingOf(run), [[HOUR, 'something may be forgotten']]);
      await run.ring();
      assert.deepEqual(run.calls[0]!.request, { partition: 3, key: 'k' });
      assert.deepEqual(waitingOf(run), []);
      ms = undefined;
      await run.answer(AT);
      assert.deepEqual(waitingOf(run), []);
      assert.equal(run.calls.length, 1);
    });

    it('is not looked for where nothing is to be by then', async () => {
      let ms: number | undefined = HOUR;
      const run = new Run(forgetting(() => ms));
      await run.signals(['x']);
      ms = undefined;
      await run.ring();
      assert.equal(run.calls.length, 0);
    });

    it('may be so a tenth of its time late', async () => {
      let ms = 1_000;
      const run = new Run(forgetting(() => ms));
      await run.signals(['x']);
      // 910 and a tenth of it are 1,001.
      ms = 910;
      await run.signals(['y']);
      assert.deepEqual(waitingOf(run), [[1_000, 'something may be forgotten']]);
      ms = 900;
      await run.signals(['z']);
      assert.deepEqual(waitingOf(run), [[900, 'something may be forgotten']]);
    });

    it('is not late in a history that was recorded without that', async () => {
      let ms = 1_000;
      const run = new Run(forgetting(() => ms));
      run.unpatched = ['forgets-late'];
      await run.signals(['x']);
      ms = 999;
      await run.signals(['y']);
      assert.deepEqual(waitingOf(run), [[999, 'something may be forgotten']]);
    });
  });
});

describe('questions', () => {
  it('are asked, and what the answer leads to is owed', async () => {
    const run = await after(['ask q']);
    assert.deepEqual([run.calls[0]!.name, run.calls[0]!.request], ['answer', { question: 'q' }]);
    await run.answer('a');
    assert.deepEqual(run.published, ['resolved 1 q=a']);
  });

  it('are given up at their time, for which there is a timer', async () => {
    const run = await after(['ask q']);
    run.now += 1_000;
    await run.fail(Object.assign(new Error('no'), { type: 'NoAnswer' }));
    assert.deepEqual(
      run.waiting.map(({ ms, summary }) => [ms, summary]),
      [[HOUR - 1_000, 'a question is given up']],
    );
    await run.ring();
    assert.deepEqual(run.published, ['resolved 1 q=nothing']);
    assert.deepEqual(run.waiting, []);
  });

  it('are given up at their time also when something waits for event time', async () => {
    const run = await after(['ask q', 'event 5000']);
    await run.fail(Object.assign(new Error('no'), { type: 'NoAnswer' }));
    await run.ring();
    // The watermark is watched, and that alone has no timer.
    assert.deepEqual(
      run.waiting.map(({ ms, summary }) => [ms, summary]),
      [[HOUR - 3_000, 'a question is given up']],
    );
  });

  it('fail the task with what is no failure of theirs', async () => {
    const run = await after(['ask q']);
    await run.fail(new Error('oh'));
    assert.equal((run.failure as Error).message, 'Calling answer: oh');
  });

  it('that are open are carried, and asked again by the next run', async () => {
    const run = await after(['ask q']);
    const life = await run.carriedNow();
    const next = new Run(ENTITY, { continued: true, argument: { key: 'k', life } });
    await next.settle();
    assert.deepEqual(
      next.calls.map(({ request }) => request),
      [{ question: 'q' }],
    );
  });
});

describe('what is not ours', () => {
  it('is dropped, counted and warned of: a signal that is no batch, or of another key', async () => {
    const run = new Run();
    run.signalled('x');
    run.signal(['now a'], { key: 'other' });
    await run.settle();
    assert.equal(run.calls.length, 0);
    assert.deepEqual(run.counted, Array(2).fill({ what: 'not-ours', kind: 'signal' }));
    assert.equal(run.warned.length, 2);
    assert.deepEqual((await run.carriedNow()).counters, { foreign: 2, resets: 0 });
  });

  it('may be of any kind', async () => {
    const run = new Run();
    for (const kind of ['signal', 'update', 'cancellation'] as const) run.foreign(kind);
    await run.settle();
    assert.deepEqual(
      run.counted.map(({ kind }) => kind),
      ['signal', 'update', 'cancellation'],
    );
    assert.deepEqual(run.warned, Array(3).fill('nothing that this workflow knows'));
  });

  it('is a start with nothing that can be used: then the id says whose it is', async () => {
    const run = new Run(ENTITY, { argument: 'x' });
    await run.signals(['now a']);
    assert.deepEqual(run.counted, [{ what: 'not-ours', kind: 'start' }]);
    assert.deepEqual(run.published, ['applied 1 a']);
  });

  it('is followed by continue-as-new where it has made the history long', async () => {
    const run = new Run();
    run.history = { ...run.history, events: LONG - 1 };
    run.foreign('signal');
    await run.settle();
    assert.equal(run.continuedWith.length, 0);
    run.history = { ...run.history, events: LONG };
    run.foreign('signal');
    run.foreign('signal');
    await run.settle();
    assert.deepEqual(run.carried.counters, { foreign: 3, resets: 0 });
  });

  it('is followed by nothing in a history that was recorded without that', async () => {
    const run = new Run();
    run.unpatched = ['foreign-continues'];
    run.history = { ...run.history, events: LONG };
    run.foreign('signal');
    await run.settle();
    assert.equal(run.continuedWith.length, 0);
  });

  it('counts as a signal for how long a run is', async () => {
    const run = new Run();
    for (let n = 0; n < 99; n += 1) run.foreign('signal');
    await run.settle();
    assert.equal(run.continuedWith.length, 0);
    run.signalled('x');
    await run.settle();
    assert.equal(run.continuedWith.length, 1);
  });
});

describe('continue-as-new', () => {
  it('comes after 100 signals', async () => {
    const run = await after(...textsOf(99, 'x').map((event) => [event]));
    assert.equal(run.continuedWith.length, 0);
    await run.signals(['x 99']);
    assert.equal(run.carried.state.texts.length, 100);
  });

  it('comes after 5,000 records', async () => {
    const run = await after(textsOf(4_999, 'x'));
    assert.equal(run.continuedWith.length, 0);
    await run.signals(['x 4999']);
    assert.equal(run.carried.state.texts.length, 5_000);
  });

  it('comes later for what begins with a long history', async () => {
    const run = new Run(ENTITY, { bytes: 100_000 });
    await run.signals(...textsOf(199, 'x').map((event) => [event]));
    assert.equal(run.continuedWith.length, 0);
    await run.signals(['x 199']);
    assert.equal(run.continuedWith.length, 1);
  });

  it('waits for all that has come and is not applied, and for what is published with it', async () => {
    const run = new Run();
    run.signal(['now a']);
    run.nudge();
    run.signal(['x']);
    await run.settle();
    assert.equal(run.continuedWith.length, 0);
    await run.answer();
    assert.deepEqual(run.carried.state.texts, ['x']);
    assert.deepEqual((run.continuedWith[0] as { key: string }).key, 'k');
  });

  it('does not come while what is carried is too large', async () => {
    const run = await after([`x${'y'.repeat(2_040_000)}`]);
    run.nudge();
    await run.settle();
    assert.equal(run.continuedWith.length, 0);
  });

  it('of what was told of nobody carries that', async () => {
    const run = new Run(ENTITY, { workflowId: 'app/%', argument: null });
    run.nudge();
    await run.settle();
    assert.deepEqual(run.continuedWith, [{ withoutKey: true }]);
  });
});

describe('batches that do not say whose they are', () => {
  const UNNAMED: Plain = {
    ...ENTITY,
    wire: {
      ...ENTITY.wire,
      whyNotABatch: (value, whose) =>
        whose.mayBe((value as { key?: string }).key) ? undefined : 'the records of another key',
    },
  };
  const unnamed = { key: undefined };

  it('wait for one that does, and come before it', async () => {
    const run = new Run(UNNAMED, { workflowId: 'app/%', argument: null });
    run.signal(['now a'], unnamed);
    run.signal(['now b'], unnamed);
    await run.settle();
    assert.equal(run.calls.length, 0);
    await run.signals(['now c']);
    assert.deepEqual(run.published, ['applied 1 a b c']);
    assert.equal(run.publishes[0]!.key, 'k');
    await run.answer();
    await run.signals(['now d']);
    assert.deepEqual(run.published.slice(1), ['applied 4 d']);
  });

  it('are waited for before a run ends', async () => {
    const run = new Run(UNNAMED, { workflowId: 'app/%', argument: null });
    run.signal(['x'], unnamed);
    run.nudge();
    await run.settle();
    assert.equal(run.continuedWith.length, 0);
    await run.signals(['y']);
    assert.deepEqual(run.carried.state.texts, ['x', 'y']);
  });

  it('are taken at once where the id says it', async () => {
    const run = new Run(UNNAMED);
    run.signal(['now a'], unnamed);
    await run.settle();
    assert.deepEqual(run.published, ['applied 1 a']);
  });
});

describe('rules of an earlier release', () => {
  it('have no mark of what is published locally, and their own way to continue as new', async () => {
    let asked = 0;
    const earlier: NonNullable<Entity<EntityLife<Output>, EntityBatch, Output>['earlier']> = {
      isOf: (rules) => rules === 'old',
      prepareContinueAsNew: (life, { key, now }, patched) => {
        asked += 1;
        assert.deepEqual([key, now, patched('x')], ['k', AT, true]);
        return life.published.applied === 2;
      },
    };
    const run = new Run({ ...ENTITY, earlier });
    run.signal(['now a'], { rules: 'old' });
    await run.settle();
    assert.deepEqual(run.timers, []);
    await run.answer();
    assert.equal(asked, 0);
    run.nudge();
    await run.settle();
    assert.deepEqual([asked, run.continuedWith], [1, []]);
    run.signal(['now b'], { rules: 'old' });
    await run.settle();
    await run.answer();
    assert.equal(run.continuedWith.length, 1);

    const today = new Run({ ...ENTITY, earlier });
    await today.signals(['now a']);
    assert.equal(today.timers.length, 1);
  });
});

describe('while signals wait for room', () => {
  /** Full as soon as something is owed. */
  const SMALL_ROOM: Plain = {
    ...ENTITY,
    sizes: {
      ...ENTITY.sizes,
      carried: (life) => (life.unpublished.length + life.questions.length > 0 ? 3_000_000 : 0),
    },
  };

  async function full(...events: string[]): Promise<Run> {
    const run = new Run(SMALL_ROOM);
    await run.signals(events, ['now b']);
    return run;
  }

  it('of signals that came together those that have room are applied', async () => {
    const run = await full('later a');
    assert.deepEqual(run.published, ['resolved 1 a']);
    await run.answer();
    assert.deepEqual(run.published.slice(1), ['applied 1 b']);
  });

  it('a reset is heard of', async () => {
    const run = await full('later a');
    await run.fail(reset(4));
    assert.deepEqual(run.published, ['resolved 1 a', 'resolved 5 a']);
    await run.answer();
    assert.deepEqual(run.published.slice(2), ['applied 1 b']);
  });

  it('what fails the task does', async () => {
    const run = await full('later a');
    await run.fail(stale());
    assert.equal((run.failure as Error).message, 'Publishing 1 resolved outputs from 1 on: activity');
  });

  it('a question is given up at its time', async () => {
    const run = await full('ask q');
    await run.fail(Object.assign(new Error('no'), { type: 'NoAnswer' }));
    await run.ring();
    assert.deepEqual(run.published, ['resolved 1 q=nothing']);
    await run.answer();
    assert.deepEqual(run.published.slice(1), ['applied 1 b']);
  });
});

describe('who looks', () => {
  it('sees a life, whether all is applied, and whether signals wait for room', async () => {
    const seen: Plain = {
      ...ENTITY,
      notes: { ...ENTITY.notes, queries: { sight: 'what is seen' } },
      queries: {
        sight: ({ key, settled, waitsForRoom, life }, ...args: never[]) => [
          key,
          settled,
          waitsForRoom,
          life.state?.texts ?? null,
          ...args,
        ],
      },
    };
    const run = new Run(seen);
    const { answer, says } = run.queries.get('sight')!;
    assert.equal(says, 'what is seen');
    const look = (): unknown => answer('with' as never, 'this' as never);
    assert.deepEqual(look(), ['k', true, false, null, 'with', 'this']);
    await run.signals(['x', 'now a']);
    assert.deepEqual(look(), ['k', false, false, ['x'], 'with', 'this']);
    await run.answer();
    assert.deepEqual(look(), ['k', true, false, ['x'], 'with', 'this']);
  });

  it('is told of what stands, and of what was published last', async () => {
    const seen: Plain = {
      ...ENTITY,
      notes: {
        ...ENTITY.notes,
        details: (life, recent) =>
          `${life.state?.texts.length ?? 0}: ${recent.map(({ output, stream, at }) => `${output.record.says} ${stream} ${at}`).join()}`,
      },
    };
    const run = new Run(seen);
    assert.equal(run.described, '0: ');
    await run.signals(['x', 'now a', 'later b']);
    const local = { at: 40 } satisfies PublishAnswer;
    await run.answer(local);
    assert.equal(run.described, '1: a applied 40');
    await run.answer({ at: 50 });
    assert.equal(run.described, '1: b resolved 50,a applied 40');
  });

  it('is warned when signals wait for room, once', async () => {
    let full = false;
    const run = new Run({ ...ENTITY, sizes: { ...ENTITY.sizes, carried: () => (full ? 3_000_000 : 0) } });
    await run.signals(['later a']);
    full = true;
    await run.signals(['now b']);
    assert.deepEqual(run.published, ['resolved 1 a']);
    run.nudge();
    await run.settle();
    assert.deepEqual(run.counted, [{ what: 'happened', kind: 'waits-for-room' }]);
    // What is owed is published, and nothing owed may wait.
    await run.answer();
    assert.deepEqual(run.published, ['resolved 1 a', 'applied 1 b']);
  });

  it('is told when records come from a second partition', async () => {
    const run = await after(['x']);
    run.signal(['y'], { partition: 4 });
    await run.settle();
    assert.deepEqual(run.counted, [{ what: 'happened', kind: 'second-partition' }]);
  });
});
