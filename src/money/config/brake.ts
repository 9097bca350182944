import type { BrakeSettings } from '../../engine/ordering/brake.ts';
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';

/** The brake of the bridge: off where the share is 0. */
export function readBrake(read: EnvironmentReader): { readonly brake?: BrakeSettings } {
  const percent = read.integer('ENRICHMENT_BRAKE_PERCENT', 0, { min: 0, max: 99 });
  const records = read.integer('ENRICHMENT_BRAKE_RECORDS', 1_000, { min: 10, max: 1_000_000 });
  return percent === 0 ? {} : { brake: { share: percent / 100, records } };
}
