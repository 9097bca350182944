/** What processes say of themselves at /metrics, in Prometheus' text format. */
import { messageOf } from '../../engine/errors.ts';

const PREFIX = 'money_enrichment_';
/** ms */
const TIMEOUT = 1_500;

export interface Sample {
  /** Without the prefix of this product. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Scrape {
  readonly url: string;
  /** Why there are none, for people. */
  readonly problem?: string;
  readonly samples: readonly Sample[];
}

/** Of this product's metrics only. */
export function samplesOf(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith(PREFIX)) continue;
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (name === undefined) continue;
    samples.push({
      name: name.slice(PREFIX.length),
      labels: Object.fromEntries(
        [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]),
      ),
      value: Number(value),
    });
  }
  return samples;
}

/** One that does not answer says so; never rejects. */
export async function scrape(url: string): Promise<Scrape> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT) });
    const samples = samplesOf(await response.text());
    return samples.length > 0 ? { url, samples } : { url, samples, problem: 'no metrics of this product' };
  } catch (error) {
    const { cause } = error as { readonly cause?: unknown };
    return { url, samples: [], problem: messageOf(cause instanceof Error ? cause : error) };
  }
}
