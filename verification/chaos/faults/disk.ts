/** A broker's disk is full; then there is room again, and the broker, which gives up at a failed write, is restarted. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FENCED_AFTER } from '../../../src/dev/kafka-settings.ts';
import { dependingOn } from './brokers.ts';
import { endOf, holdsWithin } from './fault.ts';
import type { Fault } from './fault.ts';

const diskFull: Fault = async (world, { lasts, form }) => {
  const { brokers } = world;
  const index = form % brokers.length;
  const [broker, volume] = [brokers[index]!, world.volumes[index]!];
  if (volume.unfillable !== undefined) return { ...endOf(world), hit: false, note: `SKIPPED: ${volume.unfillable}` };
  const own = await dependingOn(world, index);
  await volume.fill();
  const gaveUp = await holdsWithin(lasts, () => !broker.running, 50);
  await volume.empty();
  const log = await readFile(join(volume.path, 'broker.log'), 'utf8');
  const noted = log.includes('No space left on device');
  await broker.kill();
  await broker.start();
  return {
    ...endOf(world),
    hit: gaveUp || noted,
    own,
    heldUp: brokers.length > 1 ? FENCED_AFTER : 0,
    note: `disk full for up to ${lasts} ms: broker ${index + 1} ${gaveUp ? 'gave up' : 'held out'}`,
  };
};

export const disk = { 'disk-full': diskFull } satisfies Record<string, Fault>;
