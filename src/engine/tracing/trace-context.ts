/** The context of a trace as it travels between processes: `traceparent` of W3C Trace Context, level 1. */
import { randomBytes } from 'node:crypto';

export interface TraceContext {
  /** 32 hex digits, lower case, not all zero. */
  readonly traceId: string;
  /** 16 hex digits, likewise. */
  readonly spanId: string;
  readonly sampled: boolean;
}

export const TRACEPARENT = 'traceparent';

/** Of a version that is not known yet the first four fields are read. Undefined for what is none. */
export function readTraceparent(text: string): TraceContext | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = match;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function writeTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

export function newTraceId(): string {
  return hexOf(16);
}

export function newSpanId(): string {
  return hexOf(8);
}

function hexOf(bytes: number): string {
  const hex = randomBytes(bytes).toString('hex');
  return /^0+$/.test(hex) ? hexOf(bytes) : hex;
}
