/**
 * What a load costs: a sample of its users, as busy as they are in it, goes through the bridge's own ordering in virtual time, and the
 * signals that it sends are counted. What follows from a signal is known: one task, one publish, so many events of history.
 */
import { stateFormat } from '../../engine/stored/format.ts';
import type { Flight } from '../../engine/ordering/signal-outbox.ts';
import { START, VirtualBridge } from './virtual-bridge.ts';
import { VirtualTime } from './virtual-time.ts';

export interface CostOf {
  readonly users: number;
  /** Usable records a second that say something of a user: money, sessions, changes. Of all users, who are equally busy. */
  readonly eventsPerSecond: number;
  /** ms */
  readonly flushDelay: number;
  /** ms */
  readonly outOfOrderness: number;
}

/** A second's worth. */
export interface Cost {
  /** Signals, each with the workflow task that it brings. */
  readonly touches: number;
  readonly eventsPerTouch: number;
  /** As Temporal Cloud counts them: signals, markers of tasks that published, timers, continue-as-new. */
  readonly actions: number;
  /** bytes that Temporal stores, and keeps for the retention of the namespace once a run is closed. */
  readonly historyBytes: number;
  /** Processor cores that are busy, by process. */
  readonly cores: Readonly<Record<Process, number>>;
}

export const PROCESSES = ['bridge', 'worker', 'temporal', 'kafka'] as const;
type Process = (typeof PROCESSES)[number];

/** ms of processor time: measured with `npm run bench`, see docs/performance.md. Another machine has others; their ratios hold. */
const PROCESSOR_MS: Readonly<Record<Process, { readonly touch: number; readonly event: number }>> = {
  bridge: { touch: 2.8, event: 0.065 },
  worker: { touch: 12.8, event: 0.15 },
  temporal: { touch: 16.5, event: 0 },
  kafka: { touch: 5, event: 0.03 },
};

/** bytes of history of a touch besides its events: signal, three events of a task, the marker of the publish. */
const TOUCH_BYTES = 67 + 115 + 104 + 64;
const MARKER_BYTES = 333;
/** A run of 400 events of history is 80 touches; then its state goes through one event and into another. */
const TOUCHES_OF_A_RUN = 80;
const RUN_BYTES = 2_500;
/** Of 1,000 touches, in steady traffic (`npm run counts`). */
const TIMERS = 10;

/** Share of generated records that are signalled; the rest moves only time. */
const SIGNALLED = 0.8;
/** Events a second of a sample: with fewer, the watermark goes in larger steps, and more events share a touch. */
const SAMPLE_RATE = 500;
const MOST_USERS = 20_000;
/** Events of a sample that are counted, and the longest that it takes, ms of virtual time. */
const COUNTED = 4_000;
const LONGEST = 3_600_000;

export async function costOf({ users, eventsPerSecond, flushDelay, outOfOrderness }: CostOf): Promise<Cost> {
  const each = eventsPerSecond / users;
  const sample = Math.max(1, Math.min(users, MOST_USERS, Math.max(20, Math.ceil(SAMPLE_RATE / each))));
  const rate = (sample * each) / SIGNALLED;
  // What is held at the beginning, and what rides along at first, is no steady traffic.
  const settled = outOfOrderness + 3 * flushDelay + 30_000;
  const length = settled + Math.min(LONGEST, (COUNTED * 1_000) / rate);
  const time = new VirtualTime(START - 1);
  const counted = { touches: 0, publishing: 0, events: 0, bytes: 0 };
  const load = { users: sample, events: Math.ceil((rate * length) / 1_000), rate, flushDelay, outOfOrderness };
  const bridge = new VirtualBridge(load, time, (partition, flight) => {
    if (time.now < START + settled) return;
    counted.touches += 1;
    counted.events += flight.records.length;
    if (flight.records.some(({ urgent }) => urgent)) counted.publishing += 1;
    counted.bytes += batchBytes(partition, flight);
  });
  await time.run(bridge.begin());
  const perSecond = (count: number): number => (counted.events === 0 ? 0 : (count / counted.events) * eventsPerSecond);
  const { touches } = counted;
  const runs = touches / TOUCHES_OF_A_RUN;
  const bytes = counted.bytes + touches * TOUCH_BYTES + counted.publishing * MARKER_BYTES + runs * RUN_BYTES;
  return {
    touches: perSecond(touches),
    eventsPerTouch: touches === 0 ? 0 : counted.events / touches,
    actions: perSecond(touches + counted.publishing + (touches * TIMERS) / 1_000 + runs),
    historyBytes: perSecond(bytes),
    cores: coresOf(perSecond(touches), eventsPerSecond),
  };
}

function batchBytes(partition: number, { lowWater, records }: Flight): number {
  const rules = { sessionTtl: 86_400_000, dedupTtl: 60_000, pendingTimeout: 3_600_000, lookupGiveUpAfter: 600_000 };
  const batch = { partition, lowWater, rules, records: records.map(({ applicable }) => applicable!) };
  return stateFormat().encode('EventBatch', batch).length;
}

function coresOf(touches: number, events: number): Cost['cores'] {
  const cores = (name: Process): number =>
    (touches * PROCESSOR_MS[name].touch + events * PROCESSOR_MS[name].event) / 1_000;
  return { bridge: cores('bridge'), worker: cores('worker'), temporal: cores('temporal'), kafka: cores('kafka') };
}
