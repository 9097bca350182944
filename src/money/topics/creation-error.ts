/** What brokers say where some of several topics cannot be created: kafkajs throws an aggregate of one error a topic. */
import { CodedError, messageOf } from '../../engine/errors.ts';
import { typesOf } from '../../engine/kafka/kafkajs/errors.ts';

const EXISTS = 'TOPIC_ALREADY_EXISTS';

interface TopicError {
  readonly topic?: unknown;
  readonly type?: unknown;
}

/** Kafka's names of the errors of all topics. */
export function creationErrors(error: unknown): string[] {
  return byTopic(error)?.flatMap(typesOf) ?? typesOf(error);
}

/** With each topic that was not created, why, and those that were. What is no error of topics stays what it is. */
export function creationError(error: unknown, wanted: readonly string[]): unknown {
  const failed = byTopic(error)?.filter(({ type }) => type !== EXISTS);
  if (failed === undefined || failed.length === 0) return error;
  const names = failed.map(({ topic }) => String(topic));
  const created = wanted.filter((name) => !names.includes(name));
  return new CodedError(
    'KAFKA',
    `the brokers do not create ${failed.map((one) => `${String(one.topic)} (${String(one.type ?? 'no type')}: ${messageOf(one)})`).join(', ')}; ${created.length === 0 ? 'no topic was created' : `created, or there by now: ${created.join(', ')}`}`,
    { cause: error },
  );
}

function byTopic(error: unknown): TopicError[] | undefined {
  const errors: unknown = typeof error === 'object' && error !== null && 'errors' in error ? error.errors : undefined;
  return Array.isArray(errors) ? (errors as TopicError[]) : undefined;
}
