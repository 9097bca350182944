import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';

/** One durable timer at the earliest of many deadlines. It may ring early; whoever hears it looks what is due. */
export class Alarm {
  private at: number | undefined;
  private scope: CancellationScope | undefined;
  private readonly ring: () => void;

  constructor(ring: () => void) {
    this.ring = ring;
  }

  /** `at`: epoch ms; undefined for none. A timer that rings earlier is kept: moving it costs more than a look. */
  set(at: number | undefined): void {
    if (at === undefined) return this.cancel();
    if (this.at !== undefined && this.at <= at) return;
    this.cancel();
    const scope = new CancellationScope();
    this.at = at;
    this.scope = scope;
    scope.run(() => sleep(Math.max(1, at - Date.now()))).then(
      () => {
        if (this.scope === scope) this.at = this.scope = undefined;
        this.ring();
      },
      (error: unknown) => {
        if (!isCancellation(error)) throw error;
      },
    );
  }

  private cancel(): void {
    this.scope?.cancel();
    this.at = this.scope = undefined;
  }
}
