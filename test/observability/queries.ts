/** What `observability/` asks of Prometheus. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('../../observability/', import.meta.url);
export const ALERTS_FILE = fileURLToPath(new URL('prometheus/alerts.yml', FOLDER));

export function dashboardQueries(): string[] {
  const { panels } = JSON.parse(readFileSync(new URL('grafana/dashboard.json', FOLDER), 'utf8')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  return panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
}

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly runbook: string;
}

/** Of a file with one key a line. */
export function alerts(): Alert[] {
  const text = readFileSync(ALERTS_FILE, 'utf8');
  return text
    .split(/^ +- alert: /m)
    .slice(1)
    .map((rule) => ({
      alert: rule.split('\n')[0]!,
      expr: JSON.parse(/^ +expr: (.+)$/m.exec(rule)![1]!) as string,
      runbook: /^ +runbook_url: (.+)$/m.exec(rule)![1]!,
    }));
}

export function metricsIn(queries: readonly string[]): Set<string> {
  return new Set(queries.flatMap((query) => query.match(/\b(?:money_enrichment|temporal)_\w+/g) ?? []));
}
