/**
 * Sees what the SDK gives to a workflow, before it does: requests to cancel, and signals and updates with names that the SDK keeps
 * to itself, for which it would fail the task for ever. Tells the worker of replays (src/engine/worker/replay-slots.ts), fails a task that the
 * workflow in memory must not go on with (lost-tasks.ts), and holds queries that must not be answered yet (held-queries.ts).
 */
import { condition, proxySinks, workflowInfo, type WorkflowInterceptors } from '@temporalio/workflow';
import { HeldQueries } from './held-queries.ts';
import { LostTasks } from './lost-tasks.ts';
import type { ReplaySinks } from '../sinks.ts';

type OnForeign = (kind: 'signal' | 'update' | 'cancellation', name: string) => void;

const RESERVED = '__temporal_';

/** Keeps what comes before somebody listens. The SDK gives each workflow a module state of its own. */
class Notices {
  #foreign: OnForeign | undefined;
  readonly #early: (() => void)[] = [];

  onForeign(handler: OnForeign): void {
    this.#foreign = handler;
    this.#flush();
  }

  tellForeign(kind: 'signal' | 'update' | 'cancellation', name: string): void {
    this.#early.push(() => this.#foreign?.(kind, name));
    this.#flush();
  }

  #flush(): void {
    if (this.#foreign === undefined) return;
    for (const tell of this.#early.splice(0)) tell();
  }
}

export const notices = new Notices();

const { replays } = proxySinks<ReplaySinks>();
let step: 'none' | 'replays' | 'caught up' = 'none';

/** What only asks comes where the history ends, and counts for the SDK as a replay. */
function tellOfReplay(isReplay: boolean, asksOnly: boolean): void {
  if (step === 'none') replays.began(isReplay && !asksOnly);
  else if (step === 'replays' && (!isReplay || asksOnly)) replays.caughtUp();
  if (step !== 'caught up') step = isReplay && !asksOnly ? 'replays' : 'caught up';
}

export const lostTasks = new LostTasks();
const held = new HeldQueries();

/** Answers what was held, once no local activity runs. Never ends; called by the workflow when it begins. */
export async function answerHeldQueries(): Promise<never> {
  for (;;) {
    await condition(() => held.some && !lostTasks.waits);
    held.answer();
  }
}

type Activate = NonNullable<NonNullable<WorkflowInterceptors['internals']>[number]['activate']>;
type Activation = Parameters<Activate>[0]['activation'];

function lookForLostTasks({ isReplaying, timestamp, historyLength, historySizeBytes, jobs }: Activation): void {
  const at = Number(timestamp?.seconds ?? 0) * 1_000 + Math.floor((timestamp?.nanos ?? 0) / 1_000_000);
  const signals = jobs?.filter((job) => job.signalWorkflow).length ?? 0;
  lostTasks.activated(
    {
      isReplaying: isReplaying === true,
      at,
      historyLength: historyLength ?? 0,
      historyBytes: Number(historySizeBytes ?? 0),
      signals,
    },
    workflowInfo().taskTimeoutMs,
  );
}

function ask(input: Parameters<Activate>[0], next: Parameters<Activate>[1]): void {
  for (const job of input.activation.jobs ?? []) {
    const id = job.queryWorkflow?.queryId ?? '';
    const activation = Object.assign(
      Object.create(Object.getPrototypeOf(input.activation) as object),
      input.activation,
      { jobs: [job] },
    ) as Activation;
    const answer = (): void => next({ ...input, activation });
    if (lostTasks.waits && HeldQueries.mayWait(id)) held.hold(id, answer);
    else answer();
  }
}

export const interceptors = (): WorkflowInterceptors => ({
  internals: [
    {
      activate(input, next) {
        const { activation } = input;
        const asksOnly = (activation.jobs ?? []).length > 0 && activation.jobs!.every((job) => job.queryWorkflow);
        tellOfReplay(activation.isReplaying === true, asksOnly);
        if (asksOnly) return ask(input, next);
        lookForLostTasks(activation);
        activation.jobs =
          activation.jobs?.filter((job) => {
            if (job.cancelWorkflow) notices.tellForeign('cancellation', '');
            const signal = job.signalWorkflow?.signalName;
            const update = job.doUpdate?.name;
            if (signal?.startsWith(RESERVED)) notices.tellForeign('signal', signal);
            if (update?.startsWith(RESERVED)) notices.tellForeign('update', update);
            return !signal?.startsWith(RESERVED) && !update?.startsWith(RESERVED);
          }) ?? null;
        next(input);
      },
    },
  ],
});
