/** Metadata of committed offsets, which Kafka keeps as text: JSON with a version. */
import type { InputOffsets } from './decoded.ts';

export function metadataText(fields: object): string {
  return JSON.stringify({ v: 1, ...fields });
}

/** Undefined for metadata that is none of ours, or of another version. */
export function metadataFields(text: string): Readonly<Record<string, unknown>> | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { v, ...fields } = parsed as Record<string, unknown>;
  return v === 1 ? fields : undefined;
}

/** One for each of so many inputs. */
export function isOffsets(value: unknown, inputs: number): value is InputOffsets {
  return Array.isArray(value) && value.length === inputs && value.every(Number.isSafeInteger);
}
