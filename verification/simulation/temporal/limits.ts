/** What Temporal's server takes, and how large things are as it sees them: stored as the product's payload codec stores them. */
import { gzipSync } from 'node:zlib';
import { stateFormat } from '../../../src/engine/stored/format.ts';

export interface TemporalLimits {
  /** Bytes of one payload: limit.blobSize.error. */
  readonly payload: number;
  /** Of one run; beyond them the server terminates it. */
  readonly historyEvents: number;
  readonly historyBytes: number;
  /** Of one run; beyond them the server refuses signals. */
  readonly signals: number;
}

export const TEMPORAL_LIMITS: TemporalLimits = {
  payload: 2_097_152,
  historyEvents: 51_200,
  historyBytes: 52_428_800,
  signals: 10_000,
};

/** bytes of an event besides its payload, about. */
export const EVENT_BYTES = 120;
/** bytes from which on the product compresses a payload, see src/engine/temporal/payload-codec.ts */
const COMPRESSED_FROM = 200_000;

/** Bytes of a value that is stored by its schema. `text`: its JSON. */
export function storedBytes(name: 'Start' | 'EventBatch', text: string): number {
  return compressed(stateFormat().encode(name, JSON.parse(text)));
}

/** Bytes of a value that is stored as JSON. */
export function plainBytes(text: string): number {
  return text.length < COMPRESSED_FROM ? text.length : compressed(Buffer.from(text));
}

function compressed(bytes: Buffer): number {
  return bytes.length < COMPRESSED_FROM ? bytes.length : gzipSync(bytes, { level: 1 }).length;
}

/** What the server says to a caller whose request it refuses: gRPC's INVALID_ARGUMENT. */
export class InvalidArgument extends Error {
  readonly code = 3;
}
