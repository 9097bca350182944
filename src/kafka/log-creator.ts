/**
 * kafkajs logs every retriable protocol answer at error level, thousands of lines in a broker restart. What really
 * failed reaches the caller as an error; here all is debug, and trouble with connections is one warning per interval.
 */
import type { Logger } from '../log.ts';
import type { KafkaJS } from './kafkajs.ts';

/** ms between two warnings */
const QUIET = 30_000;
const ERROR = 1;
const WARN = 2;
const CONNECTION_NAMESPACES: ReadonlySet<string> = new Set(['Connection', 'BrokerPool', 'Cluster']);

export function logCreatorFor(logger: Logger, now: () => number = Date.now): KafkaJS.logCreator {
  let warned = -Infinity;
  return () => (entry: KafkaJS.LogEntry) => {
    const { message, broker, groupId, error } = entry.log as Record<string, unknown>;
    const fields = { component: 'kafkajs', namespace: entry.namespace, broker, groupId, error };
    if (entry.level === ERROR && CONNECTION_NAMESPACES.has(entry.namespace) && now() - warned >= QUIET) {
      warned = now();
      logger.warn(fields, `Kafka connection trouble: ${String(message)} (retrying; more of these only at debug level)`);
      return;
    }
    if (entry.level <= WARN) logger.debug(fields, String(message));
    else logger.trace(fields, String(message));
  };
}
