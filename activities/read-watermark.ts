import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { FAILURES, type Activities } from './contract.ts';

export interface WatermarkDeps {
  /** Epoch ms up to which everything of a partition triple, but for what is of other users that wait, was acknowledged by Temporal; null before there is one. */
  readonly committedWatermark: (partition: number, userId?: string) => Promise<number | null>;
}

/**
 * ms between looks at a watermark that is far. It moves with the time of day, and faster where the bridge catches up: money
 * comes out at most so long after its deadline was passed.
 */
const FAR_PACE = 30_000;
/** ms of event time; nearer than that the pace is the call's own, which becomes 15 s. */
const NEAR = 15_000;

/** Waiting is a failure that the server retries: no history grows, no slot is held, any worker goes on with it. */
export function createReadWatermark({ committedWatermark }: WatermarkDeps): Activities['readWatermark'] {
  return async ({ partition, passes, userId }) => {
    const watermark = await committedWatermark(partition, userId);
    if (passes === undefined || (watermark !== null && watermark > passes)) return watermark;
    const nextRetryDelay = retryDelay(watermark, passes);
    throw ApplicationFailure.create({
      type: FAILURES.watermarkNotReached,
      category: ApplicationFailureCategory.BENIGN,
      message: `Waiting: the watermark of partition ${partition} is ${iso(watermark)}, money is pending until ${iso(passes)}`,
      ...(nextRetryDelay !== undefined && { nextRetryDelay }),
    });
  };
}

/** ms; undefined: as the call says. */
function retryDelay(watermark: number | null, passes: number): number | undefined {
  const distance = watermark === null ? Infinity : passes - watermark;
  return distance > NEAR ? Math.min(distance, FAR_PACE) : undefined;
}

function iso(ms: number | null): string {
  return ms === null ? 'not known yet' : new Date(ms).toISOString();
}
