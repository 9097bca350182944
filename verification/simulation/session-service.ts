/** The session service, as a worker asks it: well, away, slow, hanging, or answering what nobody can use. */
import type { SessionService } from '../../activities/session-service.ts';
import { SimServer } from './kernel/network.ts';
import type { SimProcess } from './kernel/process.ts';
import type { Scheduler } from './kernel/scheduler.ts';

export type SessionsMood = 'well' | 'down' | 'slow' | 'hangs' | 'nonsense';

/** ms, as ENRICHMENT_LOOKUP_TIMEOUT is by default. */
const LOOKUP_TIMEOUT = 1_000;
/** ms of an answer that is slow and in time. */
const SLOW = 900;

export class SimSessions {
  readonly server: SimServer;
  mood: SessionsMood = 'well';
  /** Requests under way, most of them at a time, and all. */
  readonly counts = { asked: 0, mostAtATime: 0 };
  readonly #countryOf: (sessionId: string) => string | null | undefined;
  #underWay = 0;

  /** `countryOf`: null for not found, undefined for one that is never answered for. */
  constructor(scheduler: Scheduler, countryOf: (sessionId: string) => string | null | undefined) {
    this.server = new SimServer(scheduler, 'sessions');
    this.#countryOf = countryOf;
  }

  of(process: SimProcess): SessionService {
    return {
      get: async (sessionId) => {
        this.#underWay += 1;
        this.counts.asked += 1;
        this.counts.mostAtATime = Math.max(this.counts.mostAtATime, this.#underWay);
        try {
          return await this.#get(process, sessionId);
        } finally {
          this.#underWay -= 1;
        }
      },
    };
  }

  async #get(process: SimProcess, sessionId: string): ReturnType<SessionService['get']> {
    const { mood } = this;
    if (mood === 'hangs') {
      await process.clock.sleep(LOOKUP_TIMEOUT);
      throw new Error('The operation was aborted due to timeout');
    }
    if (mood === 'slow') await process.clock.sleep(SLOW);
    return this.server.request(
      process,
      'a lookup',
      () => {
        if (mood === 'down') throw new Error('connection refused');
        if (mood === 'nonsense') throw new Error('status 200 without a clientCountryCode');
        const country = this.#countryOf(sessionId);
        if (country === undefined) throw new Error('status 500');
        return country === null
          ? ({ sessionId, status: 'not-found' } as const)
          : ({ sessionId, status: 'found', clientCountryCode: country } as const);
      },
      (why) => new Error(why),
    );
  }
}
