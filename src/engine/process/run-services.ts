/** Services as one process: what an orchestrator asks it, and how it ends. */
import { Gauge, Registry } from 'prom-client';
import { startHealthServer } from './health.ts';
import type { Service } from './service.ts';

export interface RunServicesOptions {
  /**
   * Port of `/readyz` and `/healthz` (503, and why, while a service does not work or only a restart can help) and of `/metrics`
   * (`held_partitions{service}`); 0 takes any. Nothing listens when absent.
   */
  readonly healthPort?: number | undefined;
  /** Whose metrics `/metrics` shows; one of its own when absent. */
  readonly registry?: Registry;
  /** Called once, when all of them work. */
  readonly onReady?: () => void;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Runs them, by name, until SIGTERM or SIGINT; resolves when all have given back what they held. Where one fails, the others are
 * stopped, and it rejects as that one did (CodedError CONFIG or TOPIC, see {@link Service.run}). Errors: CodedError CONFIG, nothing can
 * listen on `healthPort`.
 */
export async function runServices(
  services: Readonly<Record<string, Service>>,
  { healthPort, registry = new Registry(), onReady }: RunServicesOptions = {},
): Promise<void> {
  const all = Object.entries(services);
  const held = new Gauge({
    name: 'held_partitions',
    help: 'Partitions of the inputs, or shards, that a service has',
    labelNames: ['service'],
    registers: [registry],
    collect: () => all.forEach(([name, { holds }]) => held.set({ service: name }, holds)),
  });
  const health =
    healthPort === undefined
      ? undefined
      : await startHealthServer({
          port: healthPort,
          portSetting: 'healthPort',
          registry,
          ready: Object.fromEntries(all.map(([name, service]) => [name, () => service.notReady ?? null])),
          live: () => all.find(([, { notLive }]) => notLive !== undefined)?.[1].notLive ?? null,
        });
  const stopAll = (): void => all.forEach(([, service]) => service.stop());
  for (const signal of SIGNALS) process.once(signal, stopAll);

  const working = new Set<string>();
  async function run(name: string, service: Service): Promise<void> {
    try {
      await service.run(() => {
        if (working.size < all.length && working.add(name).size === all.length) onReady?.();
      });
    } catch (error) {
      stopAll();
      throw error;
    }
  }
  try {
    const ends = await Promise.allSettled(all.map(([name, service]) => run(name, service)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  } finally {
    for (const signal of SIGNALS) process.off(signal, stopAll);
    await health?.close();
  }
}
