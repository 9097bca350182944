/** Where traces are sent. */
import { messageOf } from '../../engine/errors.ts';
import { exportRequest } from '../../engine/tracing/otlp.ts';
import type { Config } from '../../money/config.ts';
import { ok, warning, type Finding } from './finding.ts';

/** ms */
const TIMEOUT = 5_000;
const NONE = exportRequest([], { attributes: {}, scope: { name: 'doctor', version: '' } });

/** Sends no span, as bridge and worker send theirs. They run as well without a collector: what is wrong is a warning. */
export async function checkTracing({ tracing }: Config): Promise<Finding[]> {
  if (tracing === undefined) return [];
  const subject = 'traces';
  const { url } = tracing;
  const lost = 'until then traces are lost, and nothing waits for them';
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...tracing.headers() },
      body: JSON.stringify(NONE),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT),
    });
    await response.body?.cancel();
    if (response.ok) return [ok(subject, `the collector takes them at ${url}`)];
    return [warning(subject, `POST ${url} answers ${response.status}, expected 200; ${lost}`)];
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return [warning(subject, `POST ${url} (OTEL_EXPORTER_OTLP_ENDPOINT): ${messageOf(cause)}; ${lost}`)];
  }
}
