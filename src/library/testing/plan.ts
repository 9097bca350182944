/** What comes to a workflow in one run, and when: drawn from the seed of the run, within what the bridge and Temporal may do. */
import type { Random } from '../../engine/random.ts';
import type { ReceivedBatch, ReceivedRecord } from '../../engine/workflow/received.ts';
import { effective } from './records.ts';

/** In what one run may differ from another, while the records are the same. */
export type Variation =
  /** How many records a signal has, and how many signals a workflow task. */
  | 'cuts'
  /** Records that are signalled again, cut in another way. */
  | 'redelivery'
  /** When signals come, and when the first one does: the wall clock, `step.now`. */
  | 'arrival'
  /** What event time is said to be between two records, and so when `advance` is called. */
  | 'watermark'
  /** The workflow continues as new between two signals. */
  | 'continue-as-new'
  /** The worker loses the workflow, or the task that it has done, and replays. */
  | 'crashes'
  /** How long answers take, and so their order among each other and with the records. */
  | 'answers';

export const VARIATIONS: readonly Variation[] = [
  'cuts',
  'redelivery',
  'arrival',
  'watermark',
  'continue-as-new',
  'crashes',
  'answers',
];

export type Varies = (what: Variation) => boolean;

/** `at`: ms after the first one. */
export type Arrival = { readonly at: number } & (
  | { readonly type: 'batch'; readonly batch: ReceivedBatch<unknown> & { readonly rules?: unknown } }
  | { readonly type: 'watermark'; readonly to: number }
  | { readonly type: 'nudge' }
);

export interface Given {
  readonly key: string;
  readonly rules: unknown;
  /** In the order of application. */
  readonly records: readonly ReceivedRecord<unknown>[];
  /** Event time after the last record, epoch ms. */
  readonly until: number;
}

/** ms between two arrivals. The last one is longer than any workflow task, and than most questions are waited for. */
const GAPS = [0, 1, 100, 5_000, 600_000];
/** ms: half of it is longer than a workflow waits before it looks at the watermark. */
const STEP = 20_000;
const PARTITION = 0;

/** Everything in one signal, at once. */
export function plainArrivals(given: Given): Arrival[] {
  return [
    ...(given.records.length === 0 ? [] : [batchOf(given, 0, given.records.length, 0)]),
    { type: 'watermark', at: 0, to: given.until },
  ];
}

/** A signal for each record, and after each continue-as-new, and all the event time that there is until the next. */
export function singleArrivals(given: Given, varies: Varies): Arrival[] {
  const { records, until } = given;
  const step = varies('arrival') ? STEP : 0;
  const each = records.flatMap((_, index): Arrival[] => {
    const at = index * step;
    const to = index + 1 < records.length ? effective(records[index + 1]!) - 1 : until;
    return [
      { ...batchOf(given, index, index + 1, index), at },
      ...(varies('continue-as-new') ? [{ type: 'nudge', at } as const] : []),
      ...(varies('watermark') ? [{ type: 'watermark', at: at + step / 2, to } as const] : []),
    ];
  });
  return [...each, { type: 'watermark', at: records.length * step, to: until }];
}

export function variedArrivals(given: Given, random: Random, varies: Varies): Arrival[] {
  const { records, until } = given;
  const largest = random.pick([1, 3, records.length]);
  const nudges = varies('continue-as-new') ? random.pick([0, 0.3, 1]) : 0;
  const again = varies('redelivery') ? random.pick([0, 0.4]) : 0;
  const arrivals: Arrival[] = [];
  let at = 0;
  let watermark = -Infinity;
  /** Of the records: acknowledged in Kafka, the next to be signalled, never signalled yet. */
  let [committed, next, fresh] = [0, 0, 0];
  const pass = (): void => void (at += varies('arrival') ? random.pick(GAPS) : 0);
  while (next < records.length) {
    const size = varies('cuts') ? 1 + random.below(largest) : records.length;
    const to = Math.min(records.length, next + size);
    arrivals.push({ ...batchOf(given, next, to, committed), at });
    next = to;
    fresh = Math.max(fresh, next);
    pass();
    if (random.chance(nudges)) arrivals.push({ type: 'nudge', at });
    if (varies('watermark') && random.chance(0.5)) {
      const from = Math.max(watermark, effective(records[fresh - 1]!));
      const before = fresh < records.length ? effective(records[fresh]!) - 1 : until;
      if (from <= before) {
        watermark = random.pick([from, before, from + random.below(before - from + 1)]);
        arrivals.push({ type: 'watermark', at, to: watermark });
        pass();
      }
    }
    if (random.chance(again)) {
      committed += random.below(next - committed + 1);
      // Another bridge takes over: it begins at what is committed.
      if (random.chance(0.5)) next = committed;
    }
  }
  return [...arrivals, { type: 'watermark', at, to: until }];
}

/** `committed`: so many of the records had been acknowledged when it was sent. */
function batchOf({ key, rules, records }: Given, from: number, to: number, committed: number): Arrival {
  const inputs = Math.max(...records.map(({ input }) => input)) + 1;
  const lowWater = Array.from({ length: inputs }, (_, input) => {
    const offsets = (some: readonly ReceivedRecord<unknown>[]): number[] =>
      some.filter((record) => record.input === input).map(({ offset }) => offset);
    const open = offsets(records.slice(committed));
    return open.length > 0 ? Math.min(...open) : offsets(records).length;
  });
  const batch = { key, partition: PARTITION, lowWater, rules, records: records.slice(from, to) };
  return { type: 'batch', at: 0, batch };
}
