/**
 * Looks now and then whether the inputs are still the topics that are read, with as many partitions, and at once when a log seems to have
 * been cut. A topic that was made anew may hold more than the place by the time that its end is looked at: then only its id tells
 * it from the one before.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { KafkaPort } from '../kafka/port.ts';
import type { Logger } from '../log.ts';
import { idsOf } from '../ordering/log-identity.ts';
import type { TripleRunner } from './triple-runner.ts';

export interface LogWatchDeps {
  readonly kafka: Pick<KafkaPort, 'topicIdentities'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly inputTopics: readonly string[];
  readonly ended: AbortSignal;
  /** Those that this member has now. */
  readonly runners: () => readonly TripleRunner[];
}

/** ms */
const INTERVAL = 5_000;

export class LogWatch {
  readonly #deps: LogWatchDeps;
  #looking = false;

  constructor(deps: LogWatchDeps) {
    this.#deps = deps;
  }

  /** Until the membership ends. */
  async run(): Promise<void> {
    const { clock, ended } = this.#deps;
    while (!ended.aborted) {
      await clock.sleep(INTERVAL, ended);
      if (!ended.aborted) await this.look();
    }
  }

  /** Never throws: what cannot be known now is looked at again. */
  async look(): Promise<void> {
    const { kafka, clock, logger, inputTopics, ended, runners } = this.#deps;
    if (this.#looking) return;
    this.#looking = true;
    const at = clock.elapsed();
    try {
      const identities = (await kafka.topicIdentities?.(inputTopics)) ?? [];
      const names = idsOf(inputTopics, identities);
      const partitions = Math.max(0, ...identities.map((identity) => identity.partitions ?? 0));
      if (!ended.aborted) for (const runner of runners()) runner.sawLogs({ names, partitions }, at);
    } catch (error) {
      logger.debug({ error: messageOf(error) }, 'the ids of the inputs could not be read');
    } finally {
      this.#looking = false;
    }
  }
}
