/**
 * Whose failure it is when a signal does not go through. gRPC's codes are somewhere down the causes of what the client
 * throws. `workflow`: this signal is refused, others are not concerned; `overload`: Temporal asks all to slow down; `outage`:
 * anything else.
 */
import { messageOf } from '../errors.ts';

export const SIGNAL_FAILURES = ['workflow', 'overload', 'outage'] as const;
export type SignalFailure = (typeof SIGNAL_FAILURES)[number];

const INVALID_ARGUMENT = 3;
const RESOURCE_EXHAUSTED = 8;
const OUT_OF_RANGE = 11;
/** A request above gRPC's limit of a message, and a single workflow that is busy, come under this code as well. */
const OF_ONE_WORKFLOW = /larger than max|message (size|too large)|workflow is busy|busy workflow/i;

export function signalFailureOf(error: unknown): SignalFailure {
  for (const { code, message } of causesOf(error)) {
    if (code === INVALID_ARGUMENT || code === OUT_OF_RANGE) return 'workflow';
    if (code === RESOURCE_EXHAUSTED) return OF_ONE_WORKFLOW.test(String(message)) ? 'workflow' : 'overload';
  }
  return 'outage';
}

/** What the client says, and what it says it for: by itself it names only the request. */
export function signalProblem(error: unknown): string {
  const messages = [error, ...causesOf(error)].map(messageOf);
  const [first, last] = [messages[0]!, messages.at(-1)!];
  return last.includes(first) ? last : `${first}: ${last}`;
}

function causesOf(error: unknown): { readonly code?: unknown; readonly message?: unknown }[] {
  const seen = new Set<object>();
  for (let at = error; typeof at === 'object' && at !== null && !seen.has(at); at = (at as { cause?: unknown }).cause) {
    seen.add(at);
  }
  return [...seen];
}
