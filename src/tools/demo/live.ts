/** Keeps the live figures up to date and shows them until it is stopped. */
import type { Topics } from '../../money/config.ts';
import type { Tail } from '../../engine/kafka/kafkajs/tail.ts';
import type { KeptProcess } from '../../dev/product.ts';
import type { Stack } from '../../dev/stack.ts';
import { readBridge, Speed } from './figures.ts';
import type { BridgeFigures, Figures, StateSampler } from './figures.ts';
import type { Progress } from './pace.ts';
import type { Screen } from './screen.ts';

export interface LiveOptions {
  readonly screen: Screen;
  readonly product: { readonly bridge: KeptProcess };
  readonly stack: Pick<Stack, 'sessionRequests'>;
  readonly tail: Tail;
  readonly topics: Topics;
  readonly sampler: StateSampler;
  readonly total: number;
}

export interface Live {
  progress(progress: Progress): void;
  /** Outputs seen so far. */
  readonly enriched: number;
  /** Events that were late when they were read, as the bridge counts. */
  readonly late: number;
  /** The figures stay on the screen as they are at the end. */
  finish(): Promise<void>;
  /** Nothing is drawn any more. */
  stop(): Promise<void>;
}

/** ms */
const REDRAW = 500;
const ASK = 500;

export function startLive({ screen, product, stack, tail, topics, sampler, total }: LiveOptions): Live {
  let progress: Progress | undefined;
  let bridge: BridgeFigures = { held: 0, signals: 0, signalledEvents: 0, late: 0 };
  let seen = 0;
  const counts = { output: 0, deadLetter: 0 };
  const [sentSpeed, outputSpeed] = [new Speed(), new Speed()];

  const count = (): void => {
    for (; seen < tail.records.length; seen += 1) {
      const topic = tail.records[seen]?.topic;
      if (topic === topics.output) counts.output += 1;
      else if (topic === topics.deadLetter) counts.deadLetter += 1;
    }
  };
  const askBridge = repeated(async () => {
    bridge = await readBridge(product.bridge.current.httpUrl, bridge);
  });
  const askWorkflows = repeated(() => sampler.sample());
  const figures = (): Figures => {
    count();
    const now = performance.now();
    const sent = progress?.written ?? 0;
    return {
      sent,
      total,
      eventTime: progress?.eventTime,
      ...bridge,
      enriched: counts.output,
      enrichedPerSecond: outputSpeed.at(counts.output, now),
      sentPerSecond: sentSpeed.at(sent, now),
      duplicates: sampler.sum((view) => view.counters.duplicatesDropped),
      pending: sampler.sum((view) => view.sizes.pendingMoney),
      lookups: stack.sessionRequests(),
      deadLetters: counts.deadLetter,
    };
  };
  const timers = [
    setInterval(() => screen.show(figures()), REDRAW),
    setInterval(askBridge.next, ASK),
    setInterval(askWorkflows.next, ASK),
  ];
  const stop = async (): Promise<void> => {
    for (const timer of timers) clearInterval(timer);
    await Promise.all([askBridge.now(), askWorkflows.now()]);
  };
  return {
    progress: (now) => (progress = now),
    get enriched() {
      count();
      return counts.output;
    },
    get late() {
      return bridge.late;
    },
    async finish() {
      await stop();
      screen.end(figures());
    },
    stop,
  };
}

/** Runs it again at each `next`, unless it is still running; `now` waits for that. */
function repeated(run: () => Promise<void>): { next: () => void; now: () => Promise<void> | undefined } {
  let running: Promise<void> | undefined;
  return {
    next: () => {
      running ??= run().finally(() => (running = undefined));
    },
    now: () => running,
  };
}
