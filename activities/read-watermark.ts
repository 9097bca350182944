import { readWatermarkActivity, type WatermarkDeps } from '../src/engine/worker/read-watermark.ts';
import type { Activities } from './contract.ts';

export type { WatermarkDeps };

/** The engine's, with the key called as in the releases before 0.3.0. */
export function createReadWatermark(deps: WatermarkDeps): Activities['readWatermark'] {
  const readWatermark = readWatermarkActivity(deps);
  return ({ userId, ...request }) => readWatermark({ ...request, ...(userId !== undefined && { key: userId }) });
}
