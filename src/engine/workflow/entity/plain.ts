/**
 * An entity of somebody's own, from what they say about it in a handful of functions. What is carried
 * is plain JSON, and a batch is as the bridge of the library sends it.
 */
import { emitted, type Emitted } from '../emitted.ts';
import { Received, type ReceivedBatch, type ReceivedRecord } from '../received.ts';
import { partitionsOf, type Redelivery } from '../redelivery.ts';
import type { Entity, EntityContext, EntityLife } from './entity.ts';
import { beginning } from './life.ts';

/** What a function of a {@link PlainEntity} may do beside changing the state. */
export interface Step<R, Q = never> {
  readonly key: string;
  /** Event time reached, epoch ms: it never goes back. Null before the first record. */
  readonly eventTime: number | null;
  /** The wall clock, epoch ms. */
  readonly now: number;
  /** What the bridge was told that workflows are to go by; undefined when it was told nothing, or before the first record. */
  readonly rules: unknown;
  /** The record comes out once, after all that this workflow emitted before. JSON. */
  emit(record: R): void;
  /** Asks the outside; {@link PlainEntity.answered} is told once. JSON. */
  ask(question: Q): void;
}

/** What is known of one key, and what follows from its records. All functions are pure but for their state and step. */
export interface PlainEntity<S extends object, E, R extends object, Q = never, A = never> {
  /** JSON, and bounded: Temporal carries at most 2 MB. */
  initial(key: string): S;
  /** A record, in the order of event time. Each once. Event time has reached the record's, or the watermark for one that is late. */
  apply(state: S, record: ReceivedRecord<E>, step: Step<R, Q>): void;
  /** Event time has reached `step.eventTime`: before each record, and once the watermark has passed {@link wakeAt}. */
  advance?(state: S, step: Step<R, Q>): void;
  /** The wall clock has reached `step.now`: at {@link wakeAt}, or any time before. */
  wallClock?(state: S, step: Step<R, Q>): void;
  /** `answer` is undefined when the question was given up. */
  answered?(state: S, question: Q, answer: A | undefined, step: Step<R, Q>): void;
  /** What is waited for, epoch ms: event time greater than that, or the wall clock. No more of what has been done, or it is done again and again. */
  wakeAt?(state: S): { readonly eventTime?: number | undefined; readonly wallClock?: number | undefined };
  /** The activity that answers questions: one at a time, retried until the question is given up. */
  readonly questions?: { readonly activity: string; /** ms */ readonly giveUpAfter: number };
  /** By name. `state` is there in any case. */
  readonly queries?: Readonly<Record<string, (state: S, ...args: never[]) => unknown>>;
  /** Markdown, for Temporal's UI. */
  describe?(state: S): string;
}

interface OpenQuestion<Q> {
  readonly question: Q;
  /** Epoch ms. */
  readonly giveUpAt: number;
}

/** What is carried. */
interface PlainLife<S, R, Q> extends EntityLife<Emitted<R>> {
  state: S;
  eventTime: number | null;
  received: Redelivery;
  questions: OpenQuestion<Q>[];
  /** How much came that was none of the bridge's, and how many resets there were. */
  counters: { foreign: number; resets: number };
}

type PlainBatch<E> = ReceivedBatch<E> & { readonly rules?: unknown };
/** Undefined: given up. */
type Answer<A> = { readonly answer: A | undefined };

/** Types of the failures of the activity that answers questions. Retryable. */
export const QUESTION_FAILURES = { noAnswer: 'NoAnswer', notAsked: 'NotAsked' } as const;

/** bytes: of what may be owed after a batch, beside twice what the batch has. */
const GROWTH = 10_000;

/** The entity of somebody's own rules: it remembers which records it applied, numbers what is emitted, and keeps questions until they are answered or given up. */
export function plainEntity<S extends object, E, R extends object, Q, A>(
  plain: PlainEntity<S, E, R, Q, A>,
): Entity<PlainLife<S, R, Q>, PlainBatch<E>, Emitted<R>, OpenQuestion<Q>, Answer<A>> {
  type Life = PlainLife<S, R, Q>;
  const { activity = '', giveUpAfter = 0 } = plain.questions ?? {};

  /** Runs one of the functions, and returns what it emitted. */
  function step(life: Life, { key, now }: EntityContext, run: (step: Step<R, Q>) => void): Emitted<R>[] {
    const out: Emitted<R>[] = [];
    run({
      key,
      now,
      eventTime: life.eventTime,
      rules: life.rules ?? undefined,
      emit: (record) => void out.push(emitted(record)),
      ask(question) {
        if (activity === '') {
          throw new Error('an entity asked something, and says of no activity that answers questions');
        }
        life.questions.push({ question, giveUpAt: now + giveUpAfter });
      },
    });
    return out;
  }

  function pass(life: Life, to: number, context: EntityContext): Emitted<R>[] {
    life.eventTime = Math.max(to, life.eventTime ?? -Infinity);
    return step(life, context, (one) => plain.advance?.(life.state, one));
  }

  return {
    wire: {
      keyIn,
      whyNotAStart,
      readStart: (argument) => argument as { readonly key: string; readonly life?: Life },
      startOf: (key, life) => ({ key, life }),
      whyNotABatch(value, whose) {
        const wrong = whyNotABatch(value);
        if (wrong !== undefined) return wrong;
        return whose.mayBe((value as PlainBatch<E>).key) ? undefined : 'the records of another key';
      },
      keyOf: ({ key }) => key,
      publishRequest: (request) => request,
      watermarkRequest: (request) => request,
    },
    rules: {
      // The key is not known before the first batch; what it begins with is made when it is.
      newLife: (incarnation) => ({
        ...beginning<Emitted<R>>(incarnation),
        state: undefined as unknown as S,
        eventTime: null,
        received: {},
        questions: [],
        counters: { foreign: 0, resets: 0 },
      }),
      apply(life, batch, context) {
        life.state ??= plain.initial(context.key);
        const resolved: Emitted<R>[] = [];
        for (const record of new Received(life.received).admit(batch)) {
          resolved.push(...pass(life, record.late ?? record.ts, context));
          resolved.push(...step(life, context, (one) => plain.apply(life.state, record, one)));
        }
        return { applied: [], resolved };
      },
      advance: pass,
      passWallClock: (life, context) => step(life, context, (one) => plain.wallClock?.(life.state, one)),
      eventTimeDue: ({ state }) => (state === undefined ? undefined : plain.wakeAt?.(state).eventTime),
      wallClockDue({ state }) {
        const { wallClock, eventTime } = (state !== undefined && plain.wakeAt?.(state)) || {};
        return wallClock ?? (eventTime === undefined ? undefined : Infinity);
      },
      forgetsIn: () => undefined,
    },
    questions: {
      activity,
      failures: QUESTION_FAILURES,
      open: (life) => life.questions,
      groups: (open) =>
        open.map((one) => ({ request: { question: one.question }, giveUpAt: one.giveUpAt, questions: [one] })),
      summary: () => `ask ${activity}`,
      giveUpAfter: () => giveUpAfter,
      answersIn: (result) => () => ({ answer: result as A }),
      givenUp: { answer: undefined },
      answered(life, one, { answer }, context) {
        life.questions.splice(life.questions.indexOf(one), 1);
        return step(life, context, (it) => plain.answered?.(life.state, one.question, answer, it));
      },
    },
    sizes: {
      carried: utf8Length,
      kept: utf8Length,
      growth: (_, batch) => 2 * utf8Length(batch) + GROWTH,
    },
    memory: {
      remember: ({ state, eventTime, received, counters }) => JSON.stringify({ state, eventTime, received, counters }),
      goBack: (life, memory, questions) => {
        Object.assign(life, JSON.parse(memory));
        life.questions.splice(questions);
      },
    },
    notes: {
      noun: 'a key',
      rebuild: 'let it begin anew',
      aboutBounds: 'see its rules',
      owesTo: 'Kafka and who answers its questions',
      foreign: ({ counters }) => void (counters.foreign += 1),
      reset: ({ counters }) => void (counters.resets += 1),
      forgotten: () => ({}),
      partitions: ({ received }) => partitionsOf(received).length,
      details: ({ state }) => (state === undefined ? '' : (plain.describe?.(state) ?? '')),
      alarms: {
        givesUp: 'a question is given up',
        waits: 'something waits until then',
        forgets: 'something may be forgotten',
      },
    },
    queries: {
      state: ({ life }) => life.state ?? null,
      ...Object.fromEntries(
        Object.entries(plain.queries ?? {}).map(([name, query]) => [
          name,
          ({ life }: { readonly life: Life }, ...args: never[]) =>
            life.state === undefined ? null : query(life.state, ...args),
        ]),
      ),
    },
  };
}

/** Undefined in the id of a workflow that somebody else started, where it is no key as the bridge writes it. */
function keyIn(workflowId: string): string | undefined {
  const name = workflowId.slice(workflowId.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

function whyNotAStart(argument: unknown): string | undefined {
  const { key, life } = Object(argument) as { readonly key?: unknown; readonly life?: unknown };
  if (typeof key !== 'string' || key === '') return 'no key';
  if (life === undefined) return undefined;
  const { incarnation, published, unpublished, received, questions, counters } = Object(life) as Record<
    string,
    unknown
  >;
  const there =
    [incarnation, published, received, counters].every((part) => typeof part === 'object' && part !== null) &&
    [unpublished, questions].every(Array.isArray);
  return there ? undefined : 'a state that is none';
}

function whyNotABatch(value: unknown): string | undefined {
  const { key, partition, lowWater, logs, records } = Object(value) as Record<string, unknown>;
  if (typeof key !== 'string' || key === '') return 'no key';
  if (!isWhole(partition)) return 'no partition';
  if (!Array.isArray(lowWater) || !lowWater.every(isWhole)) return 'no low water';
  if (logs !== undefined && !(Array.isArray(logs) && logs.length === lowWater.length)) return 'no logs';
  if (!Array.isArray(records)) return 'no records';
  return records.every((record) => isRecord(record, lowWater.length)) ? undefined : 'a record that is none';
}

function isRecord(value: unknown, inputs: number): boolean {
  const { input, offset, ts, late } = Object(value) as Record<string, unknown>;
  return (
    isWhole(input) &&
    (input as number) < inputs &&
    isWhole(offset) &&
    isTime(ts) &&
    (late === undefined || isTime(late))
  );
}

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value);
}

/** bytes of a value as JSON. */
function utf8Length(value: unknown): number {
  const text = JSON.stringify(value) ?? '';
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    // A half of a surrogate pair has two of the four bytes.
    if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
