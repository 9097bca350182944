/**
 * The independent model: what the system must put out for given logs, written from the specification alone. It shares
 * no code with src, so that it can judge it; clarity goes before speed. It runs in two steps: read every partition
 * triple to its end, which gives the order and the effective times of all applications; then fold them user by user.
 *
 * Folding afterwards changes nothing: a deadline that a watermark passed is also passed by the `tau` of the user's next
 * application, which is never below a watermark of before, and the last watermark is given to every user at the end.
 */
import { decode } from './decode.ts';
import { readTriple } from './reading.ts';
import {
  TOPICS,
  type LogRecord,
  type ModelInput,
  type ModelOutput,
  type ModelResult,
  type Topic,
  type UnusableReason,
} from './types.ts';
import { User } from './user.ts';

export { DEFAULT_SETTINGS, TOPICS } from './types.ts';
export type { LogRecord, ModelInput, ModelOutput, ModelResult, ModelSettings, Topic } from './types.ts';

/** Partition -> the three logs, each in the order of its offsets. */
function logsOf(records: readonly LogRecord[]): Map<number, Record<Topic, LogRecord[]>> {
  const triples = new Map<number, Record<Topic, LogRecord[]>>();
  const seen = new Set<string>();
  for (const record of records) {
    const coordinate = `${record.topic}/${record.partition}/${record.offset}`;
    if (seen.has(coordinate)) continue;
    seen.add(coordinate);
    const triple = triples.get(record.partition) ?? { user: [], session: [], money: [] };
    triples.set(record.partition, triple);
    triple[record.topic].push(record);
  }
  for (const triple of triples.values()) {
    for (const topic of TOPICS) triple[topic].sort((a, b) => a.offset - b.offset);
  }
  return triples;
}

export function model(input: ModelInput): ModelResult {
  const { settings } = input;
  const outputs: ModelOutput[] = [];
  const deadLetters: { topic: Topic; partition: number; offset: number; reason: UnusableReason }[] = [];
  const duplicates: { partition: number; offset: number }[] = [];
  const stillPending: { partition: number; offset: number }[] = [];
  for (const logs of logsOf(input.records).values()) {
    const reading = readTriple(logs, settings.outOfOrderness, (record) => decode(record, settings));
    for (const { record, reason } of reading.deadLetters) {
      deadLetters.push({ topic: record.topic, partition: record.partition, offset: record.offset, reason });
    }
    const users = new Map<string, User>();
    for (const application of reading.applications) {
      const { userId } = application.record;
      const user = users.get(userId) ?? new User(userId, input);
      users.set(userId, user);
      user.apply(application);
    }
    for (const user of users.values()) {
      user.end(reading.watermark, settings.pendingAtEnd);
      outputs.push(...user.outputs);
      duplicates.push(...user.duplicates);
      stillPending.push(...user.pending.map(({ partition, offset }) => ({ partition, offset })));
    }
  }
  return { outputs, deadLetters, duplicates, stillPending };
}
