/** A run of an entity whose rules do what the records say, on a Temporal that the test plays. */
import assert from 'node:assert/strict';
import type { EntityLife } from '../../../../src/engine/workflow/entity/entity.ts';
import { plainEntity } from '../../../../src/engine/workflow/entity/plain.ts';
import type { CallOptions, Foreign, Noticed, TemporalPort } from '../../../../src/engine/workflow/entity/port.ts';
import { runEntity } from '../../../../src/engine/workflow/entity/run-entity.ts';
import type { Emitted } from '../../../../src/engine/workflow/emitted.ts';
import type { PublishRequest } from '../../../../src/engine/workflow/publish-request.ts';

export const AT = 1_769_853_600_000;
export const HOUR = 3_600_000;

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
export type Plain = typeof plain;
export type Output = Emitted<Said>;

/** As the plain one, but that some of what is emitted needs no waiting. */
export const ENTITY: Plain = {
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
export class Run {
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

export async function after(...batches: (readonly string[])[]): Promise<Run> {
  const run = new Run();
  await run.signals(...batches);
  return run;
}

export const reset = (last: number): Error =>
  new Error('activity', { cause: Object.assign(new Error('reset'), { type: 'WorkflowReset', details: [last] }) });
export const stale = (): Error =>
  new Error('activity', { cause: Object.assign(new Error('stale'), { type: 'StaleIncarnation' }) });
export const textsOf = (length: number, word: string): string[] => Array.from({ length }, (_, n) => `${word} ${n}`);
