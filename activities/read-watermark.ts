import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { FAILURES, type Activities } from './contract.ts';

export interface WatermarkDeps {
  /** Epoch ms up to which everything of a partition triple was acknowledged by Temporal; null before there is one. */
  readonly committedWatermark: (partition: number) => Promise<number | null>;
}

/** Waiting is a failure that the server retries: no history grows, no slot is held, any worker goes on with it. */
export function createReadWatermark({ committedWatermark }: WatermarkDeps): Activities['readWatermark'] {
  return async ({ partition, passes }) => {
    const watermark = await committedWatermark(partition);
    if (passes === undefined || (watermark !== null && watermark > passes)) return watermark;
    throw ApplicationFailure.create({
      type: FAILURES.watermarkNotReached,
      category: ApplicationFailureCategory.BENIGN,
      message: `Waiting: the watermark of partition ${partition} is ${iso(watermark)}, money is pending until ${iso(passes)}`,
    });
  };
}

function iso(ms: number | null): string {
  return ms === null ? 'not known yet' : new Date(ms).toISOString();
}
