/**
 * The work of a process: a bridge, or the worker of shards. It runs until it is told to stop, and says of itself whether it
 * works.
 */
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { keepRunning } from './keep-running.ts';

export interface Service {
  /**
   * Resolves when it is told to stop and has given back what it held. `onReady`: it works; called each time that it works again.
   * Throws only what no retry can mend: CodedError CONFIG, and TOPIC at the start.
   */
  run(onReady?: () => void): Promise<void>;
  /** Ends what is under way; {@link run} returns then. */
  stop(): void;
  /** Why it does not work at the moment, for people; undefined while it does. */
  readonly notReady: string | undefined;
  /** Why only a restart can help; undefined while it works, or waits for something and will go on by itself. */
  readonly notLive: string | undefined;
  /** Partitions of the inputs, or shards, that it has at the moment. */
  readonly holds: number;
}

export interface MembershipOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** For the log: what happened when the place is lost, and what follows. */
  readonly message: string;
  /**
   * Joins, and works as a member: resolves when `stopping` is aborted and all is given back, rejects when it has to join anew. It
   * calls `joined` each time that it has its place.
   */
  readonly attempt: (joined: () => void, stopping: AbortSignal) => Promise<void>;
}

/** A member of a consumer group, which joins again, with back-off, whenever it loses its place, until it is told to stop. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #stopping = new AbortController();
  #problem: string | undefined = 'not joined yet';

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Why it has no place in the group; undefined while it has. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** As {@link Service.run}. */
  run(onReady?: () => void): Promise<void> {
    const { attempt, ...options } = this.#options;
    return keepRunning({
      ...options,
      stopping: this.#stopping.signal,
      attempt: (works) =>
        attempt(() => {
          this.#problem = undefined;
          works();
          onReady?.();
        }, this.#stopping.signal),
      onProblem: (problem) => (this.#problem = problem),
    });
  }

  /** As {@link Service.stop}. */
  stop(): void {
    this.#stopping.abort();
  }
}

/** A service that can be made only when it runs, because something has to be asked or checked first. */
export function serviceOf(make: () => Promise<Service>): Service {
  let service: Service | undefined;
  let stopped = false;
  return {
    async run(onReady) {
      const made = await make();
      if (stopped) return;
      service = made;
      await service.run(onReady);
    },
    stop() {
      stopped = true;
      service?.stop();
    },
    get notReady() {
      return service === undefined ? 'not started' : service.notReady;
    },
    get notLive() {
      return service?.notLive;
    },
    get holds() {
      return service?.holds ?? 0;
    },
  };
}
