/** What the ledger tells of the lives of workflows, seen when they publish: said once for each of them. */
import type { PublishRequest } from '../workflow/publish-request.ts';
import type { LedgerEntry } from './ledger-entry.ts';
import { compareIncarnations, isReset, judge } from './ledger.ts';

export type Notice =
  /** The workflow was reset to an earlier event. */
  | 'reset'
  /** Another workflow of this key had published before this one began. */
  | 'began-anew';

/** Lives that were spoken of; after so many they may be spoken of again. */
const REMEMBERED = 10_000;

export class Notices {
  readonly #said = new Set<string>();

  /** Undefined where there is nothing new to say. */
  of(entry: LedgerEntry | undefined, request: PublishRequest): Notice | undefined {
    const notice = noticeOf(entry, request);
    if (notice === undefined) return undefined;
    const { incarnation, run } = request;
    const life = `${notice} ${incarnation.runId} ${run?.id ?? ''}`;
    if (this.#said.has(life)) return undefined;
    if (this.#said.size >= REMEMBERED) this.#said.clear();
    this.#said.add(life);
    return notice;
  }
}

function noticeOf(entry: LedgerEntry | undefined, request: PublishRequest): Notice | undefined {
  if (entry === undefined) return undefined;
  const { incarnation, stream, first, run } = request;
  const order = compareIncarnations(incarnation, entry.incarnation);
  if (order > 0) return 'began-anew';
  if (judge(entry, request).type === 'reset') return 'reset';
  const mark = entry[stream];
  return order === 0 && mark !== undefined && first <= mark.seq && isReset(mark.run, run) ? 'reset' : undefined;
}
