/** How `bridge` and `worker` run as processes: metrics and health over HTTP, READY on stdout, drained by a signal. */
import type { Registry } from 'prom-client';
import { startHealthServer } from './health.ts';
import { systemClock } from '../clock.ts';
import { Part, probe } from './dependencies.ts';
import type { Service } from './service.ts';

export interface ServeOptions {
  readonly name: string;
  readonly service: Service;
  /** Nobody chose the port where it is the default: a free one is taken when it is in use. */
  readonly config: { readonly metricsPort: number; readonly metricsPortIsDefault?: boolean };
  /** What sets `metricsPort`, for people. */
  readonly portSetting: string;
  readonly registry: Registry;
  /** Resolves when the process is asked to end. */
  readonly stop: Promise<void>;
  /** What it depends on, asked at intervals; by name. Rejects when there is no answer. */
  readonly probes: Readonly<Record<string, () => Promise<unknown>>>;
  /** What is known from its use. */
  readonly parts?: Readonly<Record<string, Pick<Part, 'problem'>>>;
  /** Called every second. */
  readonly setGauges: () => void;
}

/** Resolves when it has drained; rejects with what no retry can mend. */
export async function serve({
  name,
  service,
  config,
  portSetting,
  registry,
  stop,
  probes,
  parts = {},
  setGauges,
}: ServeOptions): Promise<void> {
  const ended = new AbortController();
  const all: Record<string, Pick<Part, 'problem'>> = { ...parts };
  for (const [each, ask] of Object.entries(probes)) {
    const part = new Part(systemClock);
    all[each] = part;
    void probe(part, ask, systemClock, ended.signal);
  }
  const health = await startHealthServer({
    port: config.metricsPort,
    portSetting,
    anyPortIfTaken: config.metricsPortIsDefault === true,
    registry,
    ready: {
      [name]: () => service.notReady ?? null,
      ...Object.fromEntries(Object.entries(all).map(([each, part]) => [each, () => part.problem])),
    },
    live: () => service.notLive ?? null,
  });
  const gauges = setInterval(setGauges, 1_000);
  void stop.then(() => service.stop());
  let announced = false;
  try {
    await service.run(() => {
      if (!announced) process.stdout.write(`READY ${JSON.stringify({ metrics: `http://127.0.0.1:${health.port}` })}\n`);
      announced = true;
    });
  } finally {
    clearInterval(gauges);
    ended.abort();
    await health.close();
  }
}
