/**
 * Sends the signals of all triples of a bridge: what is ready, from each triple in turn, as far as there are places;
 * each until it is acknowledged or its triple is given up. A workflow whose signals wait, for its history or because they fail,
 * gives its place back meanwhile, and what it has in the outbox counts by itself.
 */
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { HistoryGuard } from './history-guard.ts';
import type { Flight } from '../ordering/signal-outbox.ts';
import type { PartitionTriple } from '../ordering/partition-triple.ts';
import { signalFailureOf, signalProblem, type SignalFailure } from './signal-failure.ts';
import { SignalPlaces, type PlaceKind } from './signal-places.ts';
import type { Batch, Signaller } from './signaller.ts';
import { WorkflowsWaiting } from './workflows-waiting.ts';
import { PATIENCE } from './waits.ts';

interface SignalObserver {
  /** A late record was signalled. */
  late(): void;
  signalled(events: number, timestamps: readonly number[]): void;
  signalFailed(why: SignalFailure): void;
}

export interface SignalSenderDeps {
  readonly signaller: Signaller;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: SignalObserver;
  readonly guard: HistoryGuard;
  readonly rules: unknown;
  /** For people, in the place of a key. */
  readonly workflowIdOf: (key: string) => string;
  /** Something was acknowledged, or may be sent now. */
  readonly onProgress: () => void;
}

/** A triple as long as it is taken: `given` up is aborted. */
export interface Sending {
  readonly triple: PartitionTriple;
  readonly givenUp: AbortSignal;
}

/** ms; a signal that is refused for its own sake may wait longer. */
const FIRST_BACKOFF = 100;
const MAX_BACKOFF: Record<SignalFailure, number> = { outage: 5_000, overload: 5_000, workflow: 30_000 };
/** ms after which a line that still holds is said again. */
const SAID_AGAIN = 60_000;
/** Failures in a row after which a workflow is known to wait. */
const WAITS_AFTER = 3;

export class SignalSender {
  readonly #deps: SignalSenderDeps;
  readonly #places: SignalPlaces;
  readonly #waiting: WorkflowsWaiting;
  /** Where the next round begins, so that each triple has its turn. */
  #turn = 0;
  /** Signals under way, those that wait to be repeated included. */
  #underWay = 0;
  #lastError = '';
  #saidOutage = false;
  #saidOverload = -Infinity;

  constructor(deps: SignalSenderDeps) {
    this.#deps = deps;
    this.#places = new SignalPlaces(deps.clock, deps.onProgress);
    this.#waiting = new WorkflowsWaiting(deps.logger, deps.workflowIdOf);
  }

  get workflowsWaiting(): number {
    return this.#waiting.size;
  }

  problem(now: number): string | undefined {
    const { failingSince } = this.#places;
    if (failingSince !== undefined && now - failingSince >= PATIENCE) {
      return `signals do not go through, for ${Math.floor((now - failingSince) / 1_000)} s: ${this.#lastError}`;
    }
    return this.#waiting.problem(now);
  }

  /** To be called now and then. */
  tick(now: number): void {
    const { failingSince } = this.#places;
    const outage = failingSince !== undefined && now - failingSince >= PATIENCE;
    if (outage && !this.#saidOutage) {
      this.#deps.logger.warn(
        { error: this.#lastError },
        'signals do not go through and are repeated: check that Temporal answers',
      );
    }
    if (failingSince === undefined && this.#saidOutage) this.#deps.logger.info({}, 'signals go through again');
    this.#saidOutage = outage || (this.#saidOutage && failingSince !== undefined);
    // Who waits in an outage waits for its end, like all.
    if (failingSince === undefined) this.#waiting.tick(now);
  }

  /** Returns when the next signal will be ready, ms; Infinity when only an acknowledgement can bring it. */
  sendReady(all: readonly Sending[], now: number): number {
    for (let idle = 0; idle < all.length;) {
      const sending = all[this.#turn % all.length]!;
      const { outbox } = sending.triple;
      const readyAt = outbox.nextReadyAt();
      if (readyAt === undefined || readyAt > now) {
        this.#turn += 1;
        idle += 1;
        continue;
      }
      if (!this.#places.take()) return Infinity;
      this.#turn += 1;
      idle = 0;
      this.#underWay += 1;
      void this.#send(sending, outbox.take(now)!).finally(() => {
        this.#underWay -= 1;
        if (this.#underWay === 0) this.#places.idle();
      });
    }
    return Math.min(...all.map(({ triple }) => triple.outbox.nextReadyAt() ?? Infinity));
  }

  /** Until it is acknowledged or its triple is given up. */
  async #send(sending: Sending, flight: Flight): Promise<void> {
    const { guard, observer, onProgress, clock } = this.#deps;
    const { triple, givenUp } = sending;
    const batch: Batch = {
      partition: triple.partition,
      ...(triple.logs === undefined ? {} : { logs: triple.logs }),
      lowWater: flight.lowWater,
      rules: this.#deps.rules,
      records: flight.records.map((record) => record.applicable!),
      key: flight.key,
    };
    const bytes = flight.records.reduce((sum, record) => sum + record.bytes, 0);
    let place: PlaceKind | undefined = 'first';
    for (let failures = 0, backoff = FIRST_BACKOFF; ; failures += 1, backoff *= 2) {
      const before = this.#places.successes;
      try {
        const wait = guard.admit(flight.key, { bytes, records: batch.records.length }, givenUp);
        if (wait !== undefined) {
          this.#places.free(place);
          place = undefined;
          this.#waits(
            sending,
            flight.key,
            'its workflow does not keep up: check that workers run, and look at that workflow',
          );
          await wait;
          place = await this.#again(sending);
        }
        if (place === undefined || givenUp.aborted) break;
        await this.#deps.signaller.signal(flight.key, batch);
        this.#places.succeeded();
        break;
      } catch (error) {
        const failure = this.#noteFailure(error, sending, before);
        if (failure === 'workflow' || failures >= WAITS_AFTER) {
          this.#waits(sending, flight.key, `its signals fail: ${signalProblem(error)}`);
        }
        if (place !== undefined) this.#places.free(place);
        await clock.sleep(Math.min(backoff, MAX_BACKOFF[failure]), givenUp);
        place = await this.#again(sending);
        if (place === undefined) break;
      }
    }
    this.#waiting.end(flight.key, clock.elapsed());
    if (place !== undefined) this.#places.free(place);
    if (givenUp.aborted) return;
    triple.outbox.setWaiting(flight.key, false);
    triple.acknowledged(flight);
    observer.signalled(
      batch.records.length,
      flight.records.map(({ timestamp }) => timestamp),
    );
    for (const record of batch.records) if (record.late !== undefined) observer.late();
    onProgress();
  }

  async #again({ givenUp }: Sending): Promise<PlaceKind | undefined> {
    return (await this.#places.wait(givenUp)) ? 'repeated' : undefined;
  }

  /** `before`: signals that had gone through when it was sent. */
  #noteFailure(error: unknown, { triple, givenUp }: Sending, before: number): SignalFailure {
    const failure = signalFailureOf(error);
    if (givenUp.aborted) return failure;
    this.#lastError = signalProblem(error);
    this.#deps.observer.signalFailed(failure);
    if (failure === 'overload') this.#sayOverload();
    this.#deps.logger.debug(
      { error: this.#lastError, partition: triple.partition },
      'a signal did not go through and is sent again',
    );
    // While those of others go through it is not Temporal that is away.
    if (failure === 'overload' || (failure === 'outage' && this.#places.successes === before)) this.#places.failed();
    return failure;
  }

  /** Signals go through all the same, only fewer of them: nothing else would say why. */
  #sayOverload(): void {
    const now = this.#deps.clock.elapsed();
    if (now - this.#saidOverload < SAID_AGAIN) return;
    this.#saidOverload = now;
    this.#deps.logger.warn(
      { error: this.#lastError },
      "Temporal limits the rate of signals, which are repeated: raise the namespace's limit, or the flush delay for fewer signals",
    );
  }

  #waits({ triple, givenUp }: Sending, key: string, why: string): void {
    if (givenUp.aborted) return;
    triple.outbox.setWaiting(key, true);
    this.#waiting.begin(key, why, this.#deps.clock.elapsed());
    this.#deps.onProgress();
  }
}
