/** Payloads as JSON of protobuf: bytes are base64. */
import type { Payload } from '@temporalio/common';

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** A text says what is wrong. */
export function payloadsIn(body: string): Payload[] | string {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return 'expected JSON: {"payloads": [...]}';
  }
  const { payloads } = (isObject(json) ? json : {}) as { payloads?: unknown };
  if (!Array.isArray(payloads)) return 'expected {"payloads": [...]}';
  const read: Payload[] = [];
  for (const [index, payload] of payloads.entries()) {
    const one = payloadOf(payload);
    if (one === undefined) {
      return `payloads[${index}]: expected {"metadata": {"encoding": "<base64>"}, "data": "<base64>"}`;
    }
    read.push(one);
  }
  return read;
}

export function payloadsText(payloads: readonly Payload[]): string {
  return JSON.stringify({
    payloads: payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)])),
      ...(data ? { data: base64(data) } : {}),
    })),
  });
}

function payloadOf(payload: unknown): Payload | undefined {
  if (!isObject(payload)) return undefined;
  const { metadata = {}, data } = payload;
  if (!isObject(metadata) || !Object.values(metadata).every(isBase64)) return undefined;
  if (data !== undefined && data !== null && !isBase64(data)) return undefined;
  return {
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, bytes(value as string)])),
    ...(typeof data === 'string' ? { data: bytes(data) } : {}),
  };
}

function isBase64(value: unknown): value is string {
  return typeof value === 'string' && BASE64.test(value);
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

function base64(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
