/**
 * What a dead letter says by the names of Kafka Connect, whose dead letters consoles and tools know to read. Text, as
 * Connect writes it. A reason stands where Connect has the class of an exception: it is what people count by.
 */
import { valuesOf } from '../kafka/port.ts';
import type { HeaderValue, RecordHeaders, TopicPartition } from '../kafka/port.ts';

const PREFIX = '__connect.errors.';

export function connectHeaders(
  { topic, partition, offset }: TopicPartition & { readonly offset: number },
  { reason, detail }: { readonly reason: string; readonly detail: string },
): Readonly<Record<string, string>> {
  return {
    [`${PREFIX}topic`]: topic,
    [`${PREFIX}partition`]: String(partition),
    [`${PREFIX}offset`]: String(offset),
    [`${PREFIX}stage`]: reason === 'key-mismatch' ? 'KEY_CONVERTER' : 'VALUE_CONVERTER',
    [`${PREFIX}exception.class.name`]: reason,
    [`${PREFIX}exception.message`]: detail,
  };
}

/** Whether the last header of each of these names is this one. */
export function endWith(headers: RecordHeaders, last: Readonly<Record<string, string>>): boolean {
  return Object.entries(last).every(
    ([name, text]) => Object.hasOwn(headers, name) && textOf(valuesOf(headers[name]).at(-1)) === text,
  );
}

/** Nothing for a header without a value. */
export function textOf(value: HeaderValue): string {
  return value === null || value === undefined ? '' : value.toString();
}
