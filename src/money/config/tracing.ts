/** OpenTelemetry's own variables, as far as they are about traces (specification: SDK environment variables, OTLP exporter). */
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';
import { TRACEPARENT } from '../../engine/tracing/trace-context.ts';

export interface TracingConfig {
  /** Undefined: nothing is traced. */
  readonly tracing?: {
    readonly url: string;
    /** May hold a secret. */
    readonly headers: Readonly<Record<string, string>>;
    /** From 0 to 1: of money that no traced producer wrote. */
    readonly rootRatio: number;
    readonly serviceName?: string;
  };
}

const PROTOCOL = 'OTEL_EXPORTER_OTLP_PROTOCOL';
const RATIO = 'OTEL_TRACES_SAMPLER_ARG';

export function readTracing(read: EnvironmentReader, forwardHeaders: readonly string[]): TracingConfig {
  const exporter = read.oneOf('OTEL_TRACES_EXPORTER', ['otlp', 'none'] as const, 'otlp');
  const own = read.url('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const base = read.url('OTEL_EXPORTER_OTLP_ENDPOINT');
  const isChosen = own !== undefined || base !== undefined || read.isSet('OTEL_TRACES_EXPORTER');
  const headers = readPairs(read, 'OTEL_EXPORTER_OTLP_HEADERS');
  const rootRatio = readRatio(read);
  const serviceName = read.text('OTEL_SERVICE_NAME', '');
  if (read.boolean('OTEL_SDK_DISABLED', false) || exporter === 'none' || !isChosen) return {};
  // A collector tells JSON from protobuf by the content type, at the same address.
  read.text(
    PROTOCOL,
    'http/json',
    /^http\/(json|protobuf)$/,
    'http/json: traces are not sent by gRPC (a collector takes http at port 4318)',
  );
  if (!forwardHeaders.includes(TRACEPARENT)) {
    read.problem(
      'ENRICHMENT_FORWARD_HEADERS',
      `names with ${TRACEPARENT} among them, as traces are sent (OTEL_TRACES_EXPORTER=none ends that)`,
    );
  }
  const url = own ?? `${(base ?? 'http://localhost:4318').replace(/\/$/, '')}/v1/traces`;
  return { tracing: { url, headers, rootRatio, ...(serviceName !== '' && { serviceName }) } };
}

function readRatio(read: EnvironmentReader): number {
  const sampler = read.oneOf(
    'OTEL_TRACES_SAMPLER',
    ['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const,
    'parentbased_always_on',
  );
  const ratio = Number(read.text(RATIO, '1', /^(0(\.\d+)?|1(\.0+)?)$/, 'a number from 0 to 1, such as 0.01'));
  if (sampler === 'parentbased_traceidratio') return ratio;
  return sampler === 'parentbased_always_on' ? 1 : 0;
}

/** `name=value,name=value`, values with percent signs decoded. */
function readPairs(read: EnvironmentReader, variable: string): Readonly<Record<string, string>> {
  const pairs = read
    .text(variable, '')
    .split(',')
    .filter((pair) => pair.trim() !== '');
  // Without the value: it is a token, most likely.
  if (!pairs.every((pair) => /^\s*[\w-]+\s*=/.test(pair))) {
    read.add(`${variable}: expected name=value, several separated by commas`);
  }
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())];
    }),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
