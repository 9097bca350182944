import { isoOf } from '../iso.ts';
import { READ_WATERMARK_ACTIVITY } from './names.ts';
import type { Call, CallOptions, TemporalPort } from './port.ts';

/**
 * Waits for the watermark without history growing: an activity that the server retries until the watermark has passed.
 * A single look is the same activity without a bound.
 */
const WAITING: CallOptions = {
  startToCloseTimeout: 10_000,
  retry: { initialInterval: 2_000, backoffCoefficient: 1.5, maximumInterval: 15_000 },
};
const LOOKING: CallOptions = {
  summary: 'look at event time',
  startToCloseTimeout: 10_000,
  retry: { maximumAttempts: 3 },
};

export class WatermarkWatch {
  #call: Call<number | null> | undefined;
  #waiting = false;
  readonly #port: Pick<TemporalPort, 'call'>;
  readonly #report: (watermark: number | null) => void;

  /** `report` is called once for each start, unless it was cancelled. */
  constructor(port: Pick<TemporalPort, 'call'>, report: (watermark: number | null) => void) {
    this.#port = port;
    this.#report = report;
  }

  /** Still to report: neither reported nor cancelled. */
  get running(): boolean {
    return this.#call !== undefined;
  }

  /** `request`: what the activity is asked; `passes`: the time to wait for in it, epoch ms, if there is one. */
  start(request: object, passes?: number): void {
    this.#waiting = passes !== undefined;
    const options =
      passes === undefined ? LOOKING : { ...WAITING, summary: `wait until event time passes ${isoOf(passes)}` };
    const call = this.#port.call<number | null>(READ_WATERMARK_ACTIVITY, request, options);
    // A look that fails is taken again when the alarm rings next.
    call.result.then(
      (watermark) => this.#done(call, watermark),
      () => this.#done(call, null),
    );
    this.#call = call;
  }

  /** Stops waiting for a watermark; a single look goes on. */
  cancelWait(): void {
    if (!this.#waiting) return;
    this.#call?.cancel();
    this.#call = undefined;
  }

  #done(call: Call<number | null>, watermark: number | null): void {
    if (this.#call !== call) return;
    this.#call = undefined;
    this.#report(watermark);
  }
}
