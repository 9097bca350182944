import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { WATERMARK_NOT_REACHED } from '../workflow/entity/names.ts';

export interface WatermarkDeps {
  /** Epoch ms up to which everything of a partition, but for what is of other keys that wait, was acknowledged by Temporal; null before there is one. */
  readonly committedWatermark: (partition: number, key?: string) => Promise<number | null>;
}

/** What the activity `readWatermark` is asked. */
export interface ReadWatermark {
  readonly partition: number;
  /** Epoch ms to wait for; absent: a look. */
  readonly passes?: number;
  /** Of the workflow that waits. Absent: the watermark stands while any key of the partition waits. */
  readonly key?: string;
}

/**
 * ms between looks at a watermark that is far. It moves with the time of day, and faster where the bridge catches up: what
 * waits comes out at most so long after its deadline was passed.
 */
const FAR_PACE = 30_000;
/** ms of event time; nearer than that the pace is the call's own, which becomes 15 s. */
const NEAR = 15_000;

/** Waiting is a failure that the server retries: no history grows, no slot is held, any worker goes on with it. */
export function readWatermarkActivity({
  committedWatermark,
}: WatermarkDeps): (request: ReadWatermark) => Promise<number | null> {
  return async ({ partition, passes, key }) => {
    const watermark = await committedWatermark(partition, key);
    if (passes === undefined || (watermark !== null && watermark > passes)) return watermark;
    const nextRetryDelay = retryDelay(watermark, passes);
    throw ApplicationFailure.create({
      type: WATERMARK_NOT_REACHED,
      category: ApplicationFailureCategory.BENIGN,
      message: `Waiting: the watermark of partition ${partition} is ${iso(watermark)}, what waits is due after ${iso(passes)}`,
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
