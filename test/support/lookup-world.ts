/**
 * Lookups and publishes of one worker process under load, in virtual time: the product's bookkeeping of the workflow, its activity
 * and its limiter, on a model of Temporal's task queues, slots, retries and time-outs.
 */
import { Limiter } from '../../activities/limiter.ts';
import { createLookupSessions, type LookupAttempt } from '../../activities/lookup-sessions.ts';
import type { LookupOutcome, LookupRequest } from '../../activities/contract.ts';
import type { Lookup } from '../../src/money/domain/state.ts';
import type { CallOptions, TemporalPort } from '../../src/engine/workflow/entity/port.ts';
import { Questions } from '../../src/engine/workflow/entity/questions.ts';
import { newLife } from '../../workflows/life.ts';
import { sessionLookups } from '../../workflows/lookups.ts';
import { questionsQueueOf, taskQueueOf } from '../../src/engine/naming.ts';
import { backoffOf, errorOf, failed, timeout, type Failed } from '../../verification/simulation/temporal/history.ts';
import { output } from './publishing.ts';

export interface LookupLoad {
  readonly shards: number;
  readonly usersPerShard: number;
  readonly sessionsPerUser: number;
  /** What a request to the session service made at this time (ms) does. */
  readonly service: (now: number) => { readonly after: number; readonly answers: boolean };
  /** ms of the run. */
  readonly until: number;
  readonly giveUpAfter?: number;
  readonly maxLookups?: number;
  /** ms in which there is no worker: none takes lookups, and no workflow hears how one ended. */
  readonly workersAway?: readonly [from: number, to: number];
}

export interface LookupReport {
  readonly open: number;
  readonly requests: number;
  /** Of the activity. */
  readonly calls: number;
  /** Of each lookup: how it ended, and ms after its give-up time. */
  readonly ends: readonly {
    readonly status: 'found' | 'not-found' | 'given-up';
    readonly at: number;
    readonly afterGiveUp: number;
  }[];
  /** ms that publishes waited for a slot, each with when it was asked for. */
  readonly publishes: readonly { readonly at: number; readonly waited: number }[];
}

const SLOTS = 100;
const RULES = { sessionTtl: 1, dedupTtl: 1, pendingTimeout: 1 };

class Queue {
  free: number;
  readonly #waiting: (() => Promise<unknown>)[] = [];

  constructor(slots: number) {
    this.free = slots;
  }

  add(task: () => Promise<unknown>): void {
    this.#waiting.push(task);
    this.dispatch();
  }

  dispatch(): void {
    while (this.free > 0 && this.#waiting.length > 0) {
      this.free -= 1;
      void this.#waiting.shift()!().finally(() => {
        this.free += 1;
        this.dispatch();
      });
    }
  }
}

/** Called with the time (ms) whenever it moves. */
export async function underLoad(
  load: LookupLoad,
  onTime: (now: number, report: LookupReport) => void = () => undefined,
): Promise<LookupReport> {
  const {
    shards,
    usersPerShard,
    sessionsPerUser,
    service,
    until,
    giveUpAfter = 600_000,
    maxLookups = 64,
    workersAway = [Infinity, Infinity],
  } = load;
  const time = new VirtualTime();
  const report = {
    open: shards * usersPerShard * sessionsPerUser,
    requests: 0,
    calls: 0,
    ends: [] as LookupReport['ends'][number][],
    publishes: [] as LookupReport['publishes'][number][],
  };
  const questionsQueue = questionsQueueOf('app');
  const queues = new Map<string, Queue>([[questionsQueue, new Queue(maxLookups)]]);
  for (let shard = 0; shard < shards; shard += 1) queues.set(taskQueueOf('app', shard), new Queue(SLOTS));

  let current: LookupAttempt | undefined;
  const lookupSessions = createLookupSessions(
    {
      sessionServiceUrl: '',
      lookupTimeout: 1_000,
      limiter: new Limiter(maxLookups),
      clock: time,
      observeLookup: () => undefined,
      attempt: () => current!,
    },
    {
      async get(sessionId) {
        report.requests += 1;
        const { after, answers } = service(time.elapsed());
        await time.sleep(after);
        if (!answers) throw new Error('timeout');
        return { sessionId, status: 'found', clientCountryCode: 'UY' };
      },
    },
  );

  const isAway = (): boolean => time.elapsed() >= workersAway[0] && time.elapsed() < workersAway[1];

  function call(taskQueue: string, request: LookupRequest, options: CallOptions): Promise<LookupOutcome[]> {
    report.calls += 1;
    return new Promise((resolve, reject) => {
      const limitAt = time.elapsed() + (options.scheduleToCloseTimeout ?? Infinity);
      const cancelled = new AbortController();
      let over = false;
      let lastFailure: Failed | undefined;
      const end = (settle: () => void): void => {
        if (over) return;
        over = true;
        cancelled.abort();
        time.after(isAway() ? workersAway[1] - time.elapsed() : 0, settle);
      };
      const queue = queues.get(options.taskQueue ?? taskQueue)!;
      const schedule = (number: number): void => {
        const scheduledAt = time.elapsed();
        if (isAway()) return time.after(workersAway[1] - time.elapsed(), () => over || schedule(number));
        queue.add(async () => {
          if (over) return;
          current = {
            number,
            scheduledAt,
            limit: limitAt - scheduledAt,
            cancelled: cancelled.signal,
            heartbeat: () => undefined,
          };
          try {
            const outcomes = await lookupSessions(request);
            end(() => resolve(outcomes));
          } catch (error) {
            const failure = failed(error);
            const wait = backoffOf(options, number);
            if (time.elapsed() + wait > limitAt) return end(() => reject(errorOf(failure)));
            lastFailure = failure;
            time.after(wait, () => over || schedule(number + 1));
          }
        });
      };
      time.after(limitAt - time.elapsed(), () => end(() => reject(errorOf(timeout('schedule-to-close', lastFailure)))));
      schedule(1);
    });
  }

  function startUser(shard: number, user: number): void {
    const life = newLife({ startedAt: 0, runId: 'r' });
    life.rules = { ...RULES, lookupGiveUpAfter: giveUpAfter };
    const giveUpAt = time.elapsed() + giveUpAfter;
    for (let n = 0; n < sessionsPerUser; n += 1) {
      const {
        enriched: { money },
      } = output('u', n);
      life.user.lookups.push({
        partition: 0,
        offset: n,
        money: { ...money, userSessionId: `${shard}-${user}-${n}` },
        firstOccurrence: false,
        giveUpAt,
      } as Lookup);
    }
    const taskQueue = taskQueueOf('app', shard);
    const lookups = new Questions({
      life,
      asks: sessionLookups,
      port: {
        taskQueue,
        patched: () => true,
        now: () => time.elapsed(),
        call: ((_, request, options) => ({
          result: call(taskQueue, request as LookupRequest, options),
          cancel: () => undefined,
        })) as TemporalPort['call'],
      },
      happened: (act) => {
        act();
        lookups.ask();
        if (lookups.nextGivenUp !== undefined) {
          time.after(Math.max(1, lookups.nextGivenUp - time.elapsed()), () => lookups.giveUpDue());
        }
      },
      settled: (lookup, { status }) => {
        life.user.lookups.splice(life.user.lookups.indexOf(lookup), 1);
        report.open -= 1;
        report.ends.push({ status, at: time.elapsed(), afterGiveUp: time.elapsed() - giveUpAt });
      },
      failed: (error) => {
        throw error;
      },
    });
    lookups.ask();
  }

  for (let shard = 0; shard < shards; shard += 1) {
    for (let user = 0; user < usersPerShard; user += 1) {
      time.after(Math.floor((user * 10_000) / usersPerShard), () => startUser(shard, user));
    }
    const queue = queues.get(taskQueueOf('app', shard))!;
    const publish = (): void => {
      const at = time.elapsed();
      queue.add(async () => {
        report.publishes.push({ at, waited: time.elapsed() - at });
        await time.sleep(20);
      });
      time.after(1_000, publish);
    };
    time.after(500, publish);
  }
  await time.run(until, () => onTime(time.elapsed(), report));
  return report;
}

/** Events in order of time; all promises settle before time moves. */
class VirtualTime {
  #now = 0;
  #order = 0;
  readonly #heap: { readonly at: number; readonly order: number; readonly run: () => unknown }[] = [];

  elapsed(): number {
    return this.#now;
  }

  after(ms: number, run: () => unknown): void {
    if (ms === Infinity) return;
    const heap = this.#heap;
    const entry = { at: this.#now + Math.max(0, ms), order: (this.#order += 1), run };
    let at = heap.push(entry) - 1;
    while (at > 0 && before(entry, heap[(at - 1) >> 1]!)) {
      heap[at] = heap[(at - 1) >> 1]!;
      at = (at - 1) >> 1;
    }
    heap[at] = entry;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.after(ms, done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  async run(until: number, onTime: () => void): Promise<void> {
    await settled();
    while (this.#heap.length > 0 && this.#heap[0]!.at <= until) {
      const { at, run } = this.#pop();
      const moves = at > this.#now;
      this.#now = at;
      if (moves) onTime();
      run();
      if (this.#heap[0] === undefined || this.#heap[0].at > this.#now) await settled();
    }
  }

  #pop() {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let least = 2 * at + 1;
      if (least >= heap.length) break;
      if (least + 1 < heap.length && before(heap[least + 1]!, heap[least]!)) least += 1;
      if (!before(heap[least]!, last)) break;
      heap[at] = heap[least]!;
      at = least;
    }
    heap[at] = last;
    return top;
  }
}

function before(a: { at: number; order: number }, b: { at: number; order: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
