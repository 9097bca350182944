import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';

export interface GroupConfig {
  /** Of a bridge that is a static member of its group: for how long it may be away, ms. */
  readonly groupInstance?: { readonly id: string; readonly timeout: number };
}

const ID = 'ENRICHMENT_GROUP_INSTANCE_ID';
const TIMEOUT = 'ENRICHMENT_GROUP_SESSION_TIMEOUT';

/** A broker takes 6 s to 30 minutes, unless it is told otherwise. */
export function readGroup(read: EnvironmentReader): GroupConfig {
  const id = read.text(ID, '', /^[A-Za-z0-9._-]{0,200}$/, 'up to 200 letters, digits, "-", "_" and "."');
  const timeout = read.duration(TIMEOUT, '30s', { min: 6_000, max: 1_800_000 });
  if (id === '' && read.isSet(TIMEOUT)) read.missing(ID, `an id of each bridge, as ${TIMEOUT} is set`);
  return id === '' ? {} : { groupInstance: { id, timeout } };
}
