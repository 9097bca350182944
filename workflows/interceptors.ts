/**
 * Sees what the SDK gives to a workflow, before it does. Two things are not to be had otherwise: that a run was reset to an earlier
 * event (it gets another seed then), and signals and updates with names that the SDK keeps to itself, for which it would fail the
 * task for ever.
 */
import type { WorkflowInterceptors } from '@temporalio/workflow';

type OnForeign = (kind: 'signal' | 'update' | 'cancellation', name: string) => void;

const RESERVED = '__temporal_';

/** Keeps what comes before somebody listens. The SDK gives each workflow a module state of its own. */
class Notices {
  private foreign: OnForeign | undefined;
  private reset: (() => void) | undefined;
  private readonly early: (() => void)[] = [];

  onForeign(handler: OnForeign): void {
    this.foreign = handler;
    this.flush();
  }

  onReset(handler: () => void): void {
    this.reset = handler;
    this.flush();
  }

  tellForeign(kind: 'signal' | 'update' | 'cancellation', name: string): void {
    this.early.push(() => this.foreign?.(kind, name));
    this.flush();
  }

  tellReset(): void {
    this.early.push(() => this.reset?.());
    this.flush();
  }

  private flush(): void {
    if (this.foreign === undefined || this.reset === undefined) return;
    for (const tell of this.early.splice(0)) tell();
  }
}

export const notices = new Notices();

export const interceptors = (): WorkflowInterceptors => ({
  internals: [
    {
      activate(input, next) {
        const { activation } = input;
        activation.jobs = activation.jobs?.filter((job) => {
          if (job.updateRandomSeed) notices.tellReset();
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
