/** What a process traces, and where that is sent. */
import { hostname } from 'node:os';
import type { Logger } from '../engine/log.ts';
import { productVersion } from '../engine/process/version.ts';
import { SpanExporter } from '../engine/tracing/span-exporter.ts';
import { Tracer } from '../engine/tracing/tracer.ts';
import type { Config } from '../money/config.ts';

export interface Tracing {
  readonly tracer: Tracer;
  /** Sends what is left. Never throws. */
  close(): Promise<void>;
}

export interface TracingOf {
  /** As in the client id. */
  readonly role: string;
  readonly logger: Logger;
  /** Told how many spans more no collector has taken. */
  readonly onLost: (spans: number) => void;
}

/** Undefined: nothing is traced. */
export function startTracing({ appId, tracing }: Config, { role, logger, onLost }: TracingOf): Tracing | undefined {
  if (tracing === undefined) return undefined;
  const { url, headers, rootRatio, ignoresParents, resource, serviceName = `${appId}-${role}` } = tracing;
  const version = productVersion();
  const exporter = new SpanExporter({
    url,
    headers,
    logger,
    onLost,
    resource: {
      attributes: {
        'service.version': version,
        'service.instance.id': `${hostname()}-${process.pid}`,
        'host.name': hostname(),
        ...resource,
        'service.name': serviceName,
      },
      scope: { name: 'money-enrichment', version },
    },
  });
  return {
    tracer: new Tracer({ rootRatio, ignoresParents, onSpan: (span) => exporter.take(span) }),
    close: () => exporter.close(),
  };
}
