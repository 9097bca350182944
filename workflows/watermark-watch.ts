import { CancellationScope, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/contract.ts';

/**
 * Waits for the watermark without history growing: an activity that the server retries until the watermark has passed.
 * A single look is the same activity without a bound.
 */
const waiting = proxyActivities<Activities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '2s', backoffCoefficient: 1.5, maximumInterval: '15s' },
});
const looking = proxyActivities<Activities>({ startToCloseTimeout: '10s', retry: { maximumAttempts: 3 } });

export class WatermarkWatch {
  private scope: CancellationScope | undefined;
  private passes: number | undefined;
  private readonly report: (watermark: number | null) => void;

  /** `report` is called once for each start, unless it was cancelled. */
  constructor(report: (watermark: number | null) => void) {
    this.report = report;
  }

  /** Still to report: neither reported nor cancelled. */
  get running(): boolean {
    return this.scope !== undefined;
  }

  /** `passes`: epoch ms of event time to wait for; undefined for a single look. */
  start(partition: number, passes?: number): void {
    const scope = new CancellationScope();
    this.scope = scope;
    this.passes = passes;
    const ask = () => (passes === undefined ? looking.readWatermark({ partition }) : waiting.readWatermark({ partition, passes }));
    scope.run(ask).then(
      (watermark) => this.done(scope, watermark),
      // A look that fails is taken again when the alarm rings next.
      (error: unknown) => isCancellation(error) || this.done(scope, null),
    );
  }

  /** Stops waiting for a watermark; a single look goes on. */
  cancelWait(): void {
    if (this.passes === undefined) return;
    const scope = this.scope;
    this.scope = undefined;
    scope?.cancel();
  }

  private done(scope: CancellationScope, watermark: number | null): void {
    if (this.scope !== scope) return;
    this.scope = undefined;
    this.report(watermark);
  }
}
