/**
 * Workflows whose signals wait: for their history to become shorter, or because they fail. They hold up nobody, and it is said
 * who they are, by workflow id. Told the time, in ms of the monotonic clock.
 */
import type { Logger } from '../log.ts';

interface WorkflowWait {
  readonly workflowId: string;
  readonly since: number;
  text: string;
  logged: boolean;
}

/** ms that one waits before it is said. */
const PATIENCE = 10_000;
/** Workflow ids in one line of the log. */
const NAMED = 5;

export class WorkflowsWaiting {
  readonly #logger: Logger;
  readonly #workflowIdOf: (key: string) => string;
  readonly #waits = new Map<string, WorkflowWait>();

  constructor(logger: Logger, workflowIdOf: (key: string) => string) {
    this.#logger = logger;
    this.#workflowIdOf = workflowIdOf;
  }

  get size(): number {
    return this.#waits.size;
  }

  begin(key: string, text: string, now: number): void {
    const known = this.#waits.get(key);
    if (known !== undefined) known.text = text;
    else this.#waits.set(key, { workflowId: this.#workflowIdOf(key), since: now, text, logged: false });
  }

  end(key: string, now: number): void {
    const known = this.#waits.get(key);
    if (known === undefined) return;
    this.#waits.delete(key);
    if (known.logged) {
      this.#logger.info(
        { workflowId: known.workflowId, afterMs: Math.round(now - known.since) },
        'the signals of a workflow that waited go on',
      );
    }
  }

  /** To be called now and then: who has waited for long is logged, once. */
  tick(now: number): void {
    const fresh = [...this.#waits.values()].filter(({ logged, since }) => !logged && now - since >= PATIENCE);
    if (fresh.length === 0) return;
    for (const wait of fresh) wait.logged = true;
    const workflowIds = fresh.slice(0, NAMED).map(({ workflowId }) => workflowId);
    this.#logger.warn(
      { workflows: fresh.length, workflowIds, reason: fresh[0]!.text },
      `the signals of ${fresh.length} ${fresh.length === 1 ? 'workflow wait' : 'workflows wait'}, those of the others go on: ${fresh[0]!.text}`,
    );
  }

  problem(now: number): string | undefined {
    const long = [...this.#waits.values()].filter(({ since }) => now - since >= PATIENCE);
    const [first] = long;
    if (first === undefined) return undefined;
    return `the signals of ${long.length} ${long.length === 1 ? 'workflow wait' : 'workflows wait'}, first those of ${first.workflowId}, for ${Math.floor((now - first.since) / 1_000)} s: ${first.text}`;
  }
}
