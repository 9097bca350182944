/** How `bridge` and `worker` run as processes: metrics and health over HTTP, READY on stdout, drained by a signal. */
import type { Registry } from 'prom-client';
import type { Config } from '../config.ts';
import { startHealthServer } from '../health.ts';

export interface Service {
  /** Why it is not working; undefined when it is. */
  readonly notReady: string | undefined;
  /** Why only a restart can help; undefined otherwise. */
  readonly notLive: string | undefined;
  run(onReady: () => void): Promise<void>;
  stop(): void;
}

export interface ServeOptions {
  readonly name: string;
  readonly service: Service;
  readonly config: Config;
  readonly registry: Registry;
  /** Resolves when the process is asked to end. */
  readonly stop: Promise<void>;
  /** Called every second. */
  readonly setGauges: () => void;
}

/** Resolves when it has drained; rejects with what no retry can mend. */
export async function serve({ name, service, config, registry, stop, setGauges }: ServeOptions): Promise<void> {
  const health = await startHealthServer({
    port: config.metricsPort,
    anyPortIfTaken: config.metricsPortIsDefault === true,
    registry,
    ready: { [name]: () => service.notReady ?? null },
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
    await health.close();
  }
}
