/** The smallest record found that fails as a given one does: parts of its value are left out for as long as it still fails. */
import type { HostileRecord } from './records.ts';

/** Tries, each is one decoding, and ms for all of them. */
const BUDGET = 3_000;
const TIME = 5_000;

export function minimised(record: HostileRecord, fails: (candidate: HostileRecord) => boolean): HostileRecord {
  let best = record;
  let tries = 0;
  const until = performance.now() + TIME;
  const attempt = (candidate: HostileRecord): boolean => {
    if (tries >= BUDGET || performance.now() > until) return false;
    tries += 1;
    if (!fails(candidate)) return false;
    best = candidate;
    return true;
  };
  for (let part = Math.ceil((best.value?.length ?? 0) / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
    for (let at = 0; best.value !== null && at < best.value.length;) {
      const value: Buffer = Buffer.concat([best.value.subarray(0, at), best.value.subarray(at + part)]);
      if (!attempt({ ...best, value })) at += part;
    }
  }
  attempt({ ...best, key: null });
  return best;
}

/** On one line, so that it can be pasted into a test. */
export function shownRecord({ input, key, value, timestamp }: HostileRecord): string {
  const bytes = (data: Buffer | null): string => {
    if (data === null) return 'null';
    const text = data.toString('latin1');
    return text.length > 2_000
      ? `${JSON.stringify(text.slice(0, 2_000))}… (${data.length} bytes)`
      : JSON.stringify(text);
  };
  return `${input} at ${timestamp}, key ${bytes(key)}, value ${bytes(value)} (latin1)`;
}
