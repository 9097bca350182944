/**
 * The owner of one shard: the only writer of one output partition and its ledger partition.
 *
 *   opening  take the transactional id (which fences and aborts whoever held it), write a sentinel to the ledger, read
 *            the ledger up to it. Entered at the start and after every error of a transaction: the producer that met
 *            one is thrown away, and what became of the transaction is read from the ledger.
 *   ready    one transaction after the other: outputs and ledger entries of all requests that wait.
 *   lost     another process has the shard: fenced, or its sentinel stands after ours (then it is left to it, or two
 *            owners would fence each other for ever). Final.
 *   closed   by close(). Final.
 *
 * An output that the broker refuses is found and held by itself (held-outputs.ts): the requests that shared its transaction
 * go on at once, and its own is given back.
 *
 * A request is answered by a commit or by the committed ledger, by nothing else. Requests in a transaction that failed
 * are tried again after the reopening. That outputs are missing is believed only of a ledger that was read after the
 * request came: an owner that was fenced unawares knows an old ledger.
 */
import type { Identified, PublishRequest } from '../workflow/publish-request.ts';
import { CodedError, messageOf } from '../errors.ts';
import { BATCH_OVERHEAD } from '../kafka/fitting.ts';
import { bytesOf } from '../kafka/port.ts';
import type { OutRecord, RecordBatch, TransactionalProducer } from '../kafka/port.ts';
import { RefusedBatch } from '../kafka/topic-rooms.ts';
import type { TopicRooms } from '../kafka/topic-rooms.ts';
import { CommitPace } from './commit-pace.ts';
import { formBatch, LIMITS, recordsOf } from './group-commit.ts';
import type { CommitBatch, EncodeOutput, CommitLimits, WaitingRequest } from './group-commit.ts';
import { HeldOutputs } from './held-outputs.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { Notices } from './notices.ts';
import type { OnShardEvent, Publisher } from './publisher.ts';
import { describe, outputRefused, refusalOf, unpublished } from './refusals.ts';
import { KnownLedger } from './known-ledger.ts';
import { judge } from './ledger.ts';
import { ShardOpener } from './shard-opener.ts';
import type { ShardOpenerOptions } from './shard-opener.ts';
import { ShardSender, type CommittedAt } from './shard-sender.ts';

export type ShardState = 'opening' | 'ready' | 'lost' | 'closed';

export interface ShardPublisherOptions<R extends Identified> extends ShardOpenerOptions {
  readonly outputTopic: string;
  /** Shared by all shards of the process. */
  readonly rooms: TopicRooms;
  readonly encode: EncodeOutput<R>;
  readonly onEvent?: OnShardEvent;
  readonly limits?: CommitLimits;
}

/** ms after which a request is given back while the shard cannot be opened. */
const GIVE_UP_AFTER = 20_000;
/** A request that was in so many failed transactions is given back. */
const MAX_FAILURES = 6;
/** ms between two attempts to open. */
const BACK_OFF = { first: 100, last: 5_000 };

interface Pending extends WaitingRequest {
  readonly since: number;
  /** How often the shard had been opened when the request came. */
  readonly opened: number;
  /** bytes of its largest record */
  readonly largest: number;
  /** With the offset of its first output, see Publisher. */
  resolve(at: number | void): void;
  reject(error: Error): void;
}

export class ShardPublisher<R extends Identified = Identified> implements Publisher<R> {
  readonly #options: ShardPublisherOptions<R>;
  readonly #committed = new KnownLedger();
  readonly #opener: ShardOpener;
  readonly #held: HeldOutputs;
  readonly #sender: ShardSender;
  readonly #notices = new Notices();
  #state: ShardState = 'opening';
  #waiting: Pending[] = [];
  #inFlight: readonly Pending[] = [];
  #producer: TransactionalProducer | undefined;
  #opened = 0;
  readonly #pace: CommitPace;
  readonly #ending = new AbortController();
  /** Wakes the loop when it waits for requests. */
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #whenOpen: { resolve(): void; reject(error: unknown): void } | undefined;

  constructor(options: ShardPublisherOptions<R>) {
    this.#options = options;
    this.#opener = new ShardOpener(options, this.#committed);
    this.#held = new HeldOutputs(options.clock);
    this.#sender = new ShardSender(options);
    this.#pace = new CommitPace(options.clock);
  }

  get state(): ShardState {
    return this.#state;
  }

  /** Keys in the ledger. */
  get keys(): number {
    return this.#committed.size;
  }

  /** Takes the shard. Resolves when it is ready; rejects with SHARD_NOT_OWNED when it is lost or closed before. */
  open(): Promise<void> {
    const opened = new Promise<void>((resolve, reject) => {
      this.#whenOpen = { resolve, reject };
    });
    this.#running = this.#run()
      .catch((error: unknown) => this.#lose(error))
      .finally(async () => {
        this.#event({ type: 'closed' });
        await this.#discard();
      });
    return opened;
  }

  async publish(request: PublishRequest<R>): Promise<number | void> {
    if (this.#ended()) throw this.#notOwned();
    if (!Number.isSafeInteger(request.first) || request.first < 1) {
      throw new CodedError('SEQUENCE_GAP', `${describe(request)}: sequence numbers begin at 1`);
    }
    if (this.#isRepeat(request)) return;
    const records = recordsOf(request, this.#options.encode);
    const since = this.#options.clock.elapsed();
    return new Promise<number | void>((resolve, reject) => {
      const largest = records.reduce((most, record) => Math.max(most, bytesOf(record)), 0);
      this.#pace.came();
      this.#waiting.push({ request, records, largest, failures: 0, since, opened: this.#opened, resolve, reject });
      this.#wake?.();
    });
  }

  /**
   * What the ledger has it has for ever, whatever is under way: a repeat waits for nothing. A task that timed out asks for all again
   * that it had published; waiting for a transaction each time it would time out again, for ever, and so would all of its shard.
   */
  #isRepeat(request: PublishRequest): boolean {
    const entry = this.#committed.get(request.key);
    if (judge(entry, request).type !== 'published') return false;
    this.#notice(request, entry);
    this.#wasPublished(request);
    this.#event({ type: 'repeated', requests: 1 });
    return true;
  }

  #notice(request: PublishRequest, entry: LedgerEntry | undefined): void {
    const notice = this.#notices.of(entry, request);
    if (notice !== undefined) this.#event({ type: 'noticed', key: request.key, notice });
  }

  /** What the {@link LedgerFeed} brings. */
  onLedger(batch: RecordBatch): void {
    this.#opener.onLedger(batch);
  }

  /** Lets a transaction that is under way finish. Never throws. */
  async close(): Promise<void> {
    if (!this.#ended()) this.#end('closed', this.#notOwned());
    await this.#running;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#ended()) {
      if (this.#producer === undefined) {
        this.#state = 'opening';
        try {
          await this.#open();
          failures = 0;
        } catch (error) {
          if (this.#ended()) break;
          if (isFenced(error)) {
            this.#lose(error);
            break;
          }
          this.#event({ type: 'reopening', error });
          this.#giveUp(error);
          await this.#options.clock.sleep(Math.min(BACK_OFF.last, BACK_OFF.first * 2 ** failures), this.#ending.signal);
          failures += 1;
        }
      } else if (this.#waiting.length === 0) {
        await this.#somethingToDo();
      } else {
        await this.#publishBatch(this.#producer);
      }
    }
  }

  async #open(): Promise<void> {
    const { clock } = this.#options;
    const began = clock.elapsed();
    this.#producer = await this.#opener.open((why) => this.#giveUp(why));
    if (this.#ended()) return;
    this.#opened += 1;
    this.#state = 'ready';
    this.#event({ type: 'opened', keys: this.#committed.size, ms: clock.elapsed() - began });
    this.#whenOpen?.resolve();
  }

  async #publishBatch(producer: TransactionalProducer): Promise<void> {
    const { clock, limits = LIMITS } = this.#options;
    const linger = this.#pace.linger(this.#waiting.length);
    if (linger > 0) await clock.sleep(linger, this.#ending.signal);
    await this.#holdUnfit();
    if (this.#ended()) return;

    const batch = formBatch(this.#waiting, this.#committed, limits, {
      barredFrom: (item) => this.#barredFrom(item),
      alone: (item) => this.#isTurn(item),
      // Two lives of a workflow may meet in one batch.
      onJudged: ({ request }, entry) => this.#notice(request, entry),
    });
    for (const { request, reject } of batch.barred) reject(this.#held.of(request)!.error);
    const suspects = this.#refuse(batch);
    for (const { request, resolve } of batch.published) {
      this.#wasPublished(request);
      resolve();
    }
    if (batch.published.length > 0) this.#event({ type: 'repeated', requests: batch.published.length });
    this.#waiting = [...suspects, ...batch.left];
    this.#inFlight = [...batch.complete, ...batch.unfinished];

    if (batch.outputs.length > 0) {
      const began = clock.elapsed();
      let at: CommittedAt;
      try {
        at = await this.#sender.commit(producer, batch.outputs, batch.ledger);
        if (at.ledger !== null) this.#opener.knownBelow(at.ledger);
      } catch (error) {
        await this.#failed(error);
        return;
      }
      for (const [key, entry] of batch.entries) this.#committed.set(key, entry);
      this.#event({
        type: 'committed',
        outputs: batch.outputs.length,
        keys: batch.entries.size,
        requests: batch.complete.length,
        ledgerKeys: this.#committed.size,
        last: batch.outputs.at(-1)!,
        ms: clock.elapsed() - began,
      });
      for (const item of batch.complete) {
        this.#wasPublished(item.request);
        const begins = batch.begins.get(item);
        item.resolve(at.outputs === null || begins === undefined ? undefined : at.outputs + begins);
      }
    }
    this.#inFlight = [];
    if (this.#ended()) {
      for (const { reject } of batch.unfinished) reject(this.#notOwned());
      return;
    }
    this.#waiting = [...batch.unfinished, ...this.#waiting];
    if (suspects.length > 0) await this.#discard();
  }

  /** Answers what the ledger refuses. Gaps that may be our own ignorance are returned: they are judged after a reopening. */
  #refuse({ refused }: CommitBatch<Pending>): Pending[] {
    const suspects: Pending[] = [];
    for (const { waiting, verdict } of refused) {
      if (verdict.type === 'gap' && waiting.opened === this.#opened) {
        suspects.push(waiting);
        continue;
      }
      const error = refusalOf(waiting.request, verdict);
      // Mended by the workflow itself, and noticed above.
      if (verdict.type !== 'reset') this.#event({ type: 'refused', key: waiting.request.key, error });
      waiting.reject(error);
    }
    return suspects;
  }

  /** Whether the transaction was committed is unknown: nothing is answered before the ledger was read again. */
  async #failed(error: unknown): Promise<void> {
    const retry = this.#inFlight;
    if (isFenced(error) && !this.#ended()) this.#lose(error);
    this.#inFlight = [];
    await this.#discard();
    if (this.#ended()) {
      for (const { reject } of retry) reject(this.#notOwned());
      return;
    }
    this.#event({ type: 'reopening', error });
    const refused =
      error instanceof RefusedBatch && retry.some(({ records }) => records.includes(error.batch.records[0]!))
        ? error
        : undefined;
    const blamed = refused && this.#sender.blame(refused);
    const again: Pending[] = [];
    for (const waiting of retry) {
      if (refused !== undefined) {
        const index = blamed === undefined ? -1 : waiting.records.indexOf(blamed);
        if (index === -1) again.push(waiting);
        else waiting.reject(this.#hold(waiting.request, index, { bytes: refused.batch.bytes, cause: refused }));
        continue;
      }
      waiting.failures += 1;
      if (waiting.failures < MAX_FAILURES) again.push(waiting);
      else waiting.reject(unpublished(waiting.request, error));
    }
    this.#waiting = [...again, ...this.#waiting];
  }

  /** What the topic's settings do not allow is not even sent. */
  async #holdUnfit(): Promise<void> {
    const { rooms, outputTopic } = this.#options;
    await rooms.of(outputTopic);
    const limit = rooms.limit(outputTopic);
    if (limit === undefined) return;
    for (const waiting of this.#waiting.filter(({ largest }) => largest + BATCH_OVERHEAD > limit)) {
      const hold = this.#held.of(waiting.request);
      if (hold !== undefined && this.#held.isBarred(hold)) continue;
      const unfit = await this.#sender.firstUnfit(waiting.records);
      // A request that was published meanwhile is answered by the ledger, whatever the topic takes now.
      const last = this.#committed.get(waiting.request.key)?.[waiting.request.stream]?.seq ?? 0;
      if (unfit !== undefined && waiting.request.first + unfit.index > last) {
        this.#hold(waiting.request, unfit.index, unfit);
      }
    }
  }

  #hold(
    request: PublishRequest,
    index: number,
    why: { readonly bytes: number; readonly cause?: RefusedBatch },
  ): CodedError {
    const { rooms, outputTopic } = this.#options;
    const seq = request.first + index;
    const error = outputRefused(request, seq, outputTopic, { ...why, limit: rooms.limit(outputTopic) });
    const { turns } = this.#held.refuse(request, seq, error);
    this.#event({ type: 'outputRefused', key: request.key, turns, held: this.#held.size, error });
    return error;
  }

  #barredFrom({ request }: Pending): number | undefined {
    const hold = this.#held.of(request);
    return hold !== undefined && this.#held.isBarred(hold) ? Math.max(0, hold.seq - request.first) : undefined;
  }

  /** Whether it has a refused output whose turn it is; that goes in a batch of its own. */
  #isTurn({ request, records }: Pending): boolean {
    const hold = this.#held.of(request);
    const record: OutRecord | undefined =
      hold === undefined || this.#held.isBarred(hold) ? undefined : records[hold.seq - request.first];
    if (record !== undefined) this.#sender.isolate(record);
    return record !== undefined;
  }

  #wasPublished(request: PublishRequest): void {
    const taken = this.#held.published(request, request.first + request.outputs.length - 1);
    if (taken === undefined) return;
    this.#event({
      type: 'outputTaken',
      key: request.key,
      held: this.#held.size,
      ms: this.#options.clock.elapsed() - taken.since,
    });
  }

  #giveUp(error: unknown): void {
    const { clock } = this.#options;
    const expired = (waiting: Pending): boolean => clock.elapsed() - waiting.since >= GIVE_UP_AFTER;
    const given = this.#waiting.filter(expired);
    this.#waiting = this.#waiting.filter((waiting) => !expired(waiting));
    for (const { request, reject } of given) reject(unpublished(request, error));
  }

  #lose(error: unknown): void {
    this.#end('lost', this.#notOwned(error));
    this.#event({ type: 'lost', error });
  }

  /** Requests in a transaction that is under way are answered when it is over. */
  #end(state: 'lost' | 'closed', error: CodedError): void {
    this.#state = state;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(error);
    this.#whenOpen?.reject(error);
    this.#opener.abort(error);
    this.#ending.abort();
    this.#wake?.();
  }

  #ended(): boolean {
    return this.#state === 'lost' || this.#state === 'closed';
  }

  async #discard(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.close();
  }

  async #somethingToDo(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  #event(event: DistributedOmit<Parameters<OnShardEvent>[0], 'shard'>): void {
    this.#options.onEvent?.({ ...event, shard: this.#options.shard });
  }

  #notOwned(cause?: unknown): CodedError {
    const why = cause === undefined ? '' : `: ${messageOf(cause)}`;
    return new CodedError('SHARD_NOT_OWNED', `this process does not own shard ${this.#options.shard} any more${why}`, {
      cause,
    });
  }
}

type DistributedOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function isFenced(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'FENCED';
}
