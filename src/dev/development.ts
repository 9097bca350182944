/** The whole system on one machine: the stack, and the product's worker and bridge as child processes. */
import type { KafkaConfig } from '../engine/kafka/kafka-config.ts';
import { CodedError } from '../engine/errors.ts';
import { startMetricsGateway } from './metrics-gateway.ts';
import type { MetricsGateway } from './metrics-gateway.ts';
import { keepProductProcess } from './product.ts';
import type { KeptProcess, Role } from './product.ts';
import { startStack } from './stack.ts';
import type { Stack, StackOptions } from './stack.ts';
import { allOrNone, undoAll } from './together.ts';
import type { Undo } from './together.ts';

export interface DevelopmentOptions extends StackOptions {
  /** Only what is around the product. */
  readonly infraOnly: boolean;
  /** For worker and bridge, on top of the environment and of what the stack says. */
  readonly productEnv?: Readonly<Record<string, string>>;
}

export interface Development {
  readonly stack: Stack;
  /** Absent with `infraOnly`. */
  readonly product?: {
    readonly worker: KeptProcess;
    readonly bridge: KeptProcess;
    readonly metrics: MetricsGateway;
  };
  /** Rejects when a part cannot go on. Never resolves. */
  readonly failed: Promise<never>;
  /** Bridge and worker drain first; then what is around them. */
  stop(): Promise<void>;
}

/** Nobody makes a version the current one here, and without that no workflow would run. */
const NO_VERSION = { ENRICHMENT_DEPLOYMENT: '', ENRICHMENT_OLDER_WORKFLOWS: '' };

/** Errors: those of startStack and startProductProcess; nothing is left running then. */
export async function startDevelopment(options: DevelopmentOptions): Promise<Development> {
  const { config, log } = options;
  const undo: Undo = [];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= undoAll(undo));
  const failing = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failing.signal]) : failing.signal;
  try {
    const stack = await startStack(options);
    undo.push(() => stack.stop());
    const parts: Promise<unknown>[] = [
      stack.broken.then((sentence) => Promise.reject(new CodedError('UNREACHABLE', sentence))),
    ];
    if (options.infraOnly) return { stack, failed: never(parts), stop };

    const keep = async (role: Role): Promise<KeptProcess> => {
      const kept = await keepProductProcess(role, {
        env: { ...stack.env, ...NO_VERSION, ...options.productEnv },
        log,
        signal,
      });
      undo.push(() => kept.stop());
      return kept;
    };
    log('Starting worker and bridge ...');
    const [worker, bridge] = await allOrNone(failing, [keep('worker'), keep('bridge')]);
    parts.push(worker.failed, bridge.failed);
    const metrics = await startMetricsGateway({
      sources: () => ({ worker: worker.current.httpUrl, bridge: bridge.current.httpUrl }),
      port: config.metricsPort,
      anyPortIfTaken: config.metricsPortIsDefault === true,
    });
    undo.push(() => metrics.stop());
    signal.throwIfAborted();
    return { stack, product: { worker, bridge, metrics }, failed: never(parts), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Rejects with the first of them that rejects; that is no unhandled rejection before somebody waits for it. */
function never(parts: readonly Promise<unknown>[]): Promise<never> {
  const failed = new Promise<never>((_, reject) => {
    for (const part of parts) part.catch(reject);
  });
  failed.catch(() => undefined);
  return failed;
}

/** What the line READY of `dev` says. */
export function describeDevelopment({ stack, product }: Development): Record<string, unknown> {
  return {
    kafka: brokersOf(stack.kafka),
    temporal: stack.temporal,
    ...(stack.temporalUi === undefined ? {} : { temporalUi: stack.temporalUi }),
    sessionService: stack.sessionService,
    codecServer: stack.codecServer,
    ...(stack.schemaRegistry === undefined ? {} : { schemaRegistry: withoutCredentials(stack.schemaRegistry) }),
    ...(product === undefined ? {} : { metrics: product.metrics.url }),
  };
}

function brokersOf(kafka: KafkaConfig): string {
  return kafka.brokers.join(',');
}

/** Addresses of a registry, separated by commas. */
function withoutCredentials(urls: string): string {
  return urls.replaceAll(/\/\/[^/@,]*@/g, '//');
}
