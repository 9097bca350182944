/** OpenTelemetry's own variables, as far as they are about traces (specification: SDK environment variables, OTLP exporter). */
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';
import { currentOf } from '../../engine/process/secret-file.ts';
import { TRACEPARENT } from '../../engine/tracing/trace-context.ts';

export interface TracingConfig {
  /** Undefined: nothing is traced. */
  readonly tracing?: {
    readonly url: string;
    /** As they are now: a secret is among them, most likely. */
    readonly headers: () => Readonly<Record<string, string>>;
    /** From 0 to 1: of money that no traced producer wrote. */
    readonly rootRatio: number;
    /** What a producer's trace says of itself does not count. */
    readonly ignoresParents: boolean;
    readonly serviceName?: string;
    /** Further attributes of this process. */
    readonly resource: Readonly<Record<string, string>>;
  };
}

const PROTOCOL = 'OTEL_EXPORTER_OTLP_PROTOCOL';
const RATIO = 'OTEL_TRACES_SAMPLER_ARG';

export function readTracing(read: EnvironmentReader, forwardHeaders: readonly string[]): TracingConfig {
  // The other variables may be for the programs beside this one, and mean what is not here.
  if (read.boolean('OTEL_SDK_DISABLED', false)) return {};
  const exporter = read.oneOf('OTEL_TRACES_EXPORTER', ['otlp', 'none'] as const, 'otlp');
  const own = read.url('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const base = read.url('OTEL_EXPORTER_OTLP_ENDPOINT');
  const isChosen = own !== undefined || base !== undefined || read.isSet('OTEL_TRACES_EXPORTER');
  const common = readSecretPairs(read, 'OTEL_EXPORTER_OTLP_HEADERS');
  const ofTraces = readSecretPairs(read, 'OTEL_EXPORTER_OTLP_TRACES_HEADERS');
  const sampler = readSampler(read);
  const resource = readPairs(read, 'OTEL_RESOURCE_ATTRIBUTES');
  const serviceName = read.text('OTEL_SERVICE_NAME', resource['service.name'] ?? '');
  if (exporter === 'none' || !isChosen) return {};
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
  return {
    tracing: {
      url,
      headers: ofTraces ?? common ?? (() => ({})),
      ...sampler,
      resource,
      ...(serviceName !== '' && { serviceName }),
    },
  };
}

const SAMPLERS = [
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
  'always_on',
  'always_off',
  'traceidratio',
] as const;

function readSampler(read: EnvironmentReader): { readonly rootRatio: number; readonly ignoresParents: boolean } {
  const sampler = read.oneOf('OTEL_TRACES_SAMPLER', SAMPLERS, 'parentbased_always_on');
  const ratio = Number(read.text(RATIO, '1', /^(0(\.\d+)?|1(\.0+)?)$/, 'a number from 0 to 1, such as 0.01'));
  const ignoresParents = !sampler.startsWith('parentbased_');
  if (sampler.endsWith('traceidratio')) return { rootRatio: ratio, ignoresParents };
  return { rootRatio: sampler.endsWith('always_on') ? 1 : 0, ignoresParents };
}

function readPairs(read: EnvironmentReader, variable: string): Readonly<Record<string, string>> {
  const text = read.text(variable, '');
  checkPairs(read, variable, text);
  return pairsOf(text);
}

/** From the variable, or from the file that `<variable>_FILE` names, which is read again when it changes. */
function readSecretPairs(
  read: EnvironmentReader,
  variable: string,
): (() => Readonly<Record<string, string>>) | undefined {
  const value = read.freshSecret(variable);
  if (value === undefined) return undefined;
  checkPairs(read, variable, currentOf(value));
  return () => pairsOf(currentOf(value));
}

/** Says nothing of the value: it is a token, most likely. */
function checkPairs(read: EnvironmentReader, variable: string, text: string): void {
  if (!splitPairs(text).every((pair) => /^\s*[\w.-]+\s*=/.test(pair))) {
    read.add(`${variable}: expected name=value, several separated by commas`);
  }
}

function splitPairs(text: string): string[] {
  return text.split(',').filter((pair) => pair.trim() !== '');
}

/** `name=value,name=value`, values with percent signs decoded. */
function pairsOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    splitPairs(text).map((pair) => {
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
