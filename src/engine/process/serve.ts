/** How `bridge` and `worker` run as processes: metrics and health over HTTP, READY on stdout, drained by a signal. */
import type { Registry } from 'prom-client';
import { startHealthServer } from './health.ts';
import { systemClock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { Part, probe } from './dependencies.ts';
import type { Service } from './service.ts';

type Parts = Readonly<Record<string, Pick<Part, 'problem'>>>;

export interface ServeOptions {
  readonly name: string;
  readonly service: Service;
  readonly config: {
    readonly metricsPort: number;
    /** Nobody chose the port where it is the default: a free one is taken when it is in use. */
    readonly metricsPortIsDefault?: boolean;
    /** Interface; all when absent. */
    readonly metricsHost?: string;
  };
  /** What sets `metricsPort`, for people. */
  readonly portSetting: string;
  readonly registry: Registry;
  /** As {@link HealthOptions.moreMetrics}. */
  readonly moreMetrics?: () => Promise<string>;
  readonly logger: Logger;
  /** Resolves when the process is asked to end. */
  readonly stop: Promise<void>;
  /** What it depends on, asked at intervals; by name. Rejects when there is no answer. */
  readonly probes: Readonly<Record<string, () => Promise<unknown>>>;
  /** What is known from its use. */
  readonly parts?: Parts;
  /** What is known from its use, and does not make it unready: without it the rest goes on. */
  readonly beside?: Parts;
  /** Called at the start and every second: which parts are well, and whether the process is ready. */
  readonly observe?: (wellness: Readonly<Record<string, boolean>>, ready: boolean) => void;
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
  moreMetrics,
  logger,
  stop,
  probes,
  parts = {},
  beside = {},
  observe,
  setGauges,
}: ServeOptions): Promise<void> {
  const ended = new AbortController();
  const needed: Record<string, Pick<Part, 'problem'>> = { ...parts };
  for (const [each, ask] of Object.entries(probes)) {
    const part = new Part(systemClock);
    needed[each] = part;
    void probe(part, ask, systemClock, ended.signal);
  }
  const tell = (): void => {
    const well = ([each, { problem }]: [string, Pick<Part, 'problem'>]): [string, boolean] => [each, problem === null];
    const gating = Object.entries(needed).map(well);
    observe?.(
      Object.fromEntries([...gating, ...Object.entries(beside).map(well)]),
      service.notReady === undefined && gating.every(([, isWell]) => isWell),
    );
  };
  tell();
  const health = await startHealthServer({
    port: config.metricsPort,
    portSetting,
    anyPortIfTaken: config.metricsPortIsDefault === true,
    ...(config.metricsHost !== undefined && { host: config.metricsHost }),
    registry,
    ...(moreMetrics && { moreMetrics }),
    ready: { [name]: () => service.notReady ?? null, ...checksOf(needed) },
    beside: checksOf(beside),
    live: () => service.notLive ?? null,
  });
  if (health.another) {
    logger.warn(
      { port: health.port },
      `port ${config.metricsPort} is in use: metrics and health of this process are at another, which whoever asks them has to know; set ${portSetting}`,
    );
  }
  const gauges = setInterval(() => {
    setGauges();
    tell();
  }, 1_000);
  void stop.then(() => service.stop());
  let announced = false;
  try {
    await service.run(() => {
      if (!announced) process.stdout.write(`READY ${JSON.stringify({ metrics: addressOf(config, health.port) })}\n`);
      announced = true;
    });
  } finally {
    clearInterval(gauges);
    ended.abort();
    await health.close();
  }
}

function checksOf(parts: Parts): Record<string, () => string | null> {
  return Object.fromEntries(Object.entries(parts).map(([each, part]) => [each, () => part.problem]));
}

/** Where this machine reaches it. */
function addressOf({ metricsHost = '0.0.0.0' }: ServeOptions['config'], port: number): string {
  const all = metricsHost === '0.0.0.0' || metricsHost === '::';
  return `http://${all ? '127.0.0.1' : metricsHost.includes(':') ? `[${metricsHost}]` : metricsHost}:${port}`;
}
