/**
 * What an application says of the workflow of one of its keys. All else is in run-entity.ts: the order of what came in, publishing,
 * timers, questions to the outside, continue-as-new. Everything here is pure and runs in the workflow sandbox; times are epoch ms.
 *
 * What a workflow does follows from these functions, so a change of one of them is a change of the workflow's code: where a history was
 * recorded without it, it must lead to the same commands.
 */
import type { Identified, PublishRequest, Stream } from '../publish-request.ts';
import type { Incarnation } from '../ledger-types.ts';

/**
 * What the workflow is between two steps, and carries through continue-as-new: plain JSON, changed in place. An application's own has its
 * state beside these.
 */
export interface EntityLife<O extends Identified = Identified> {
  incarnation: Incarnation;
  /** The rules of the last batch; null before the first. */
  rules: unknown;
  /** That the records come from. */
  partition: number;
  /** Sequence number of the last output published, by stream. */
  published: { applied: number; resolved: number };
  /** Outputs of the resolved stream from `published.resolved + 1` on, not acknowledged yet. */
  unpublished: O[];
  /** Times that this life was continued as new. */
  runs?: number;
}

/** One signal of the bridge, as far as the workflow looks into it. */
export interface EntityBatch {
  readonly partition: number;
  /** Settings that decide what comes out; they travel with the records, so that a workflow has none of its own. */
  readonly rules?: unknown;
  readonly records: readonly unknown[];
}

/** The key and the time of one step. */
export interface EntityContext {
  readonly key: string;
  /** The wall clock, as the workflow's history has it. */
  readonly now: number;
}

/** Whose batches a workflow takes; undefined: one that does not say it. */
export interface KeyHolder {
  mayBe(key: string | undefined): boolean;
}

/** The shapes of what is stored and on the wire. */
interface EntityWire<L extends EntityLife<O>, B extends EntityBatch, O extends Identified> {
  /** Undefined for what a workflow may be started with; otherwise why it is none, in words without values. */
  whyNotAStart(argument: unknown): string | undefined;
  /** Only of what is one. `life`: absent in a new workflow. */
  readStart(argument: unknown): { readonly key: string; readonly life?: L };
  startOf(key: string, life: L): object;
  /** The key that a workflow's id says; undefined where something else stands for it. */
  keyIn(workflowId: string): string | undefined;
  /** Undefined for a batch of this key; otherwise why it is none, in words without values. Cheap: it runs for each record. */
  whyNotABatch(value: unknown, whose: KeyHolder): string | undefined;
  /** Undefined where the batch does not say it. */
  keyOf(batch: B): string | undefined;
  /** The input of the activity `publish`. */
  publishRequest(request: PublishRequest<O>): object;
  /** The input of the activity `readWatermark`. */
  watermarkRequest(place: { readonly partition: number; readonly key: string; readonly passes?: number }): object;
}

/** What follows from a batch. */
interface EntityEffects<O> {
  /** Outputs that are a function of the records alone, whatever the clock or an answer was. */
  readonly applied: readonly O[];
  /** All others. */
  readonly resolved: readonly O[];
}

/** The rules: how records and time change a life. What is owed by a step (resolved outputs) is what it returns. */
interface EntityRules<L extends EntityLife<O>, B extends EntityBatch, O extends Identified> {
  newLife(incarnation: Incarnation): L;
  /** `life.rules` and `life.partition` are the batch's by now. Drops records that were applied before. */
  apply(life: L, batch: B, context: EntityContext): EntityEffects<O>;
  /** Event time has reached this. */
  advance(life: L, watermark: number, context: EntityContext): readonly O[];
  /** The wall clock has reached `context.now`. */
  passWallClock(life: L, context: EntityContext): readonly O[];
  /** When something waits for event time: once the watermark is greater, {@link advance} is called. */
  eventTimeDue(life: L): number | undefined;
  /** When something waits for the wall clock; Infinity: something waits for event time alone. */
  wallClockDue(life: L): number | undefined;
  /** ms until it is worth a look at the watermark, because something may be forgotten then; undefined: nothing. */
  forgetsIn(life: L): number | undefined;
}

/** Questions of one call of the activity. */
interface QuestionGroup<Q> {
  /** The input of the activity. */
  readonly request: object;
  /** Given up then; {@link NO_TIME}: some time after it was first asked. */
  readonly giveUpAt: number;
  readonly questions: readonly Q[];
}

/** The give-up time of a question that has none: it comes from a history that was read without a wall clock. */
export const NO_TIME = Number.MAX_SAFE_INTEGER;

/** Types of the retryable ApplicationFailures by which the activity says how an attempt ended. */
export interface QuestionFailures {
  /** Who is asked gave no usable answer. */
  readonly noAnswer: string;
  /** Nobody was asked in the time of the attempt, as when no place for a request became free. */
  readonly notAsked: string;
}

/** Questions to the outside: an activity answers them, and nothing else waits for that. */
export interface EntityQuestions<L extends EntityLife<O>, O extends Identified, Q extends object, A> {
  /** The name of the activity. */
  readonly activity: string;
  readonly failures: QuestionFailures;
  /** Those without an answer, in the order in which they came up. Each is the same object until it is answered. */
  open(life: L): readonly Q[];
  groups(questions: readonly Q[]): readonly QuestionGroup<Q>[];
  /** What a call asks, in words, for Temporal's UI; one line. */
  summary(questions: readonly Q[], life: L): string;
  /** ms. */
  giveUpAfter(life: L): number;
  /** The answer to each question in what the activity returned; undefined for one that is to be asked again. */
  answersIn(result: unknown): (question: Q) => A | undefined;
  /** The answer to a question that is given up. */
  readonly givenUp: A;
  /** Removes the question; what it leads to is owed. */
  answered(life: L, question: Q, answer: A, context: EntityContext): readonly O[];
}

/** How large things are as they are stored, in bytes. */
interface EntitySizes<L, B> {
  /** bytes of the whole life; never less than what continue-as-new takes to carry it. */
  carried(life: L): number;
  /** bytes of the state without what is owed: what it takes to remember it, see {@link EntityMemory}. */
  kept(life: L): number;
  /** bytes that are owed after a batch and were not before, at most. */
  growth(life: L, batch: B): number;
}

/** To go back to where a life was some signals ago. Questions keep their identity, and signals only add some. */
interface EntityMemory<L> {
  remember(life: L): string;
  /** `questions`: how many were open. */
  goBack(life: L, memory: string, questions: number): void;
}

/** An output that was published. */
export interface Recent<O> {
  readonly output: O;
  readonly stream: Stream;
  /** Its offset in the output partition; undefined where the publisher did not know it. */
  readonly at: number | undefined;
}

/** What operators and people are told. */
export interface EntityNotes<L, O extends Identified = Identified> {
  /** With its article: "an order". */
  readonly noun: string;
  /** What to do where a carried state cannot be read: "rebuild it with ...". */
  readonly rebuild: string;
  /** Where to read about bounds. */
  readonly aboutBounds: string;
  /** What has to be there for what is owed to be published: "Kafka and ...". */
  readonly owesTo: string;
  foreign(life: L): void;
  reset(life: L): void;
  /** How often something was forgotten to make room, by kind: counted from the beginning of the life. */
  forgotten(life: L): Readonly<Record<string, number>>;
  /** How many partitions its records came from. */
  partitions(life: L): number;
  /** How much waits for something, by kind; nobody counts it when absent. */
  standing?(life: L): Readonly<Record<string, number>>;
  /** Markdown, for Temporal's UI. `recent`: what was published last, in this run. Cheap: it runs for each step. */
  details(life: L, recent: readonly Recent<O>[]): string;
  /** What a query answers, by its name. */
  readonly queries?: Readonly<Record<string, string>>;
  /** What an alarm is for, in words, for Temporal's UI; one line each. */
  readonly alarms: {
    /** A question is given up. */
    readonly givesUp: string;
    /** See {@link EntityRules.wallClockDue}. */
    readonly waits: string;
    /** See {@link EntityRules.forgetsIn}. */
    readonly forgets: string;
  };
}

/** What a query sees. */
interface EntitySight<L> {
  /** Undefined until it is known. */
  readonly key: string | undefined;
  readonly life: L;
  /** Signals are not applied until some of what is owed is published. */
  readonly waitsForRoom: boolean;
  /** Nothing is being applied and published: `life` is what would be carried. */
  readonly settled: boolean;
}

type EntityQuery<L> = (sight: EntitySight<L>, ...args: never[]) => unknown;

/** What differs for lives and batches of earlier releases, whose histories have to replay. */
export interface EarlierReleases<L> {
  /** By the rules of the last batch. */
  isOf(rules: unknown): boolean;
  /** In place of a look at the size: whether to continue as new; what is carried fits, or is made to. `patched`: as of Temporal. */
  prepareContinueAsNew(life: L, context: EntityContext, patched: (change: string) => boolean): boolean;
}

/**
 * A workflow for each key that never ends: what it remembers (`L`, its life), the batches that it is signalled with (`B`), the outputs that it
 * publishes (`O`), what it asks the outside (`Q`), and the answers (`A`). `runEntity` performs it; nothing here has effects.
 */
export interface Entity<
  L extends EntityLife<O>,
  B extends EntityBatch,
  O extends Identified = Identified,
  Q extends object = object,
  A = unknown,
> {
  readonly wire: EntityWire<L, B, O>;
  readonly rules: EntityRules<L, B, O>;
  readonly questions: EntityQuestions<L, O, Q, A>;
  readonly sizes: EntitySizes<L, B>;
  readonly memory: EntityMemory<L>;
  readonly notes: EntityNotes<L, O>;
  /** By name; frozen once people use them. */
  readonly queries: Readonly<Record<string, EntityQuery<L>>>;
  readonly earlier?: EarlierReleases<L>;
}
