/** What is known of topics that exist, and what of it creating and judging them go by. */
import type { Topics } from '../config.ts';

export interface TopicState {
  readonly partitions: number;
  readonly replicas: number;
  readonly settings: Readonly<Record<string, string>>;
}

/** bytes: key, headers and framing around a record's value */
export const ENVELOPE = 64 * 1024;
/** How far timestamps may be ahead of the broker's clock, ms. One producer with a wrong clock would make all others of its partition late. */
export const AHEAD = 'message.timestamp.after.max.ms';
/** ms */
export const HOUR = 3_600_000;

/** As people are shown them, the wallet first; nothing is found by its place here. */
export function shownInputs(topics: Topics): string[] {
  return [topics.money, topics.user, topics.session];
}

/** bytes of the largest record that one of these topics takes; 0 when none of them exists */
export function largestOf(inputs: readonly string[], states: ReadonlyMap<string, TopicState>): number {
  return Math.max(0, ...inputs.map((topic) => Number(states.get(topic)?.settings['max.message.bytes'] ?? 0)));
}
