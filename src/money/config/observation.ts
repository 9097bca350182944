/** How a process is looked at: where its metrics and health are, and how its log is written. */
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';
import { LOG_FORMATS, LOG_LEVELS, type LogFormat } from '../../engine/log.ts';

/** The variable that sets the port of metrics and health. */
export const METRICS_PORT = 'ENRICHMENT_METRICS_PORT';

export interface ObservationConfig {
  readonly metricsPort: number;
  /** Nobody chose the port: a free one may be taken when it is in use. */
  readonly metricsPortIsDefault?: boolean;
  /** Address of the interface for metrics and health; undefined: all. */
  readonly metricsHost?: string;
  readonly logLevel: string;
  /** Undefined: plain lines where stderr is a terminal. */
  readonly logFormat?: LogFormat;
}

export function readObservation(read: EnvironmentReader): ObservationConfig {
  const metricsHost = read.text(
    'ENRICHMENT_METRICS_HOST',
    '',
    /^([A-Za-z0-9._-]+|[0-9A-Fa-f:.]+)?$/,
    'the address of an interface such as 127.0.0.1 or ::1',
  );
  return {
    metricsPort: read.integer(METRICS_PORT, 9464, { min: 0, max: 65_535 }),
    metricsPortIsDefault: !read.isSet(METRICS_PORT),
    ...(metricsHost !== '' && { metricsHost }),
    logLevel: read.oneOf('ENRICHMENT_LOG_LEVEL', LOG_LEVELS, 'info'),
    ...(read.isSet('ENRICHMENT_LOG_FORMAT') && {
      logFormat: read.oneOf('ENRICHMENT_LOG_FORMAT', LOG_FORMATS, 'json'),
    }),
  };
}
