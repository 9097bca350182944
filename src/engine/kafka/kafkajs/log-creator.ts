/**
 * kafkajs logs every retriable protocol answer at error level, thousands of lines in a broker restart. What really
 * failed reaches the caller as an error; here all is debug, and trouble with connections is one warning per interval.
 */
import type { Logger } from '../../log.ts';
import type { KafkaJS } from './library.ts';

/** ms between two warnings */
const QUIET = 30_000;
const ERROR = 1;
const WARN = 2;
/** What kafkajs says when a broker is not there; its `Response ...` errors are answers of one that is. */
const TROUBLE = /^Connection (error(?!: this Kafka client was closed)|timeout)|^Failed to connect|^Closed connection/;

/** When a logger has last warned: clients come and go, and all of them share the interval. */
const warned = new WeakMap<Logger, number>();

export function logCreatorFor(logger: Logger, now: () => number = Date.now): KafkaJS.logCreator {
  return () => (entry: KafkaJS.LogEntry) => {
    const { message, broker, groupId, error } = entry.log as Record<string, unknown>;
    const fields = { component: 'kafkajs', namespace: entry.namespace, broker, groupId, error };
    const text = String(message);
    if (entry.level === ERROR && TROUBLE.test(text) && now() - (warned.get(logger) ?? -Infinity) >= QUIET) {
      warned.set(logger, now());
      logger.warn(fields, `Kafka connection trouble: ${text} (retrying; more of these only at debug level)`);
      return;
    }
    if (entry.level <= WARN) logger.debug(fields, text);
    else logger.trace(fields, text);
  };
}
