/** Money enrichment, as its commands run it. */
import { join } from 'node:path';
import { loadConfig } from '../../../../src/money/config.ts';
import { ensureTopics } from '../../../../src/money/topics/topics.ts';
import { silentLogger } from '../../../../src/engine/log.ts';
import type { App, AppOptions } from '../app.ts';
import { eitherOf, expectationOf, modelled } from './expectation.ts';
import { countriesOf, INPUTS, moneyTraffic } from './traffic.ts';

export async function moneyApp(options: AppOptions): Promise<App> {
  const { product, partitions, outage } = options;
  const shared: Record<string, string> = {
    ENRICHMENT_APP_ID: 'chaos',
    // Silence is not what is tested: only at the end may a partition be taken for idle.
    ENRICHMENT_IDLE_TIMEOUT: '30s',
    ENRICHMENT_LOG_LEVEL: 'info',
    ...envOf(outage),
  };
  const { appId, idleTimeout, topics } = loadConfig(shared);
  const countries = countriesOf(options);
  return {
    appId,
    idleTimeout,
    topics: { ...topics, inputs: INPUTS.map((input) => topics[input]) },
    async createTopics(brokers) {
      const config = loadConfig({ ...shared, KAFKA_BROKERS: brokers.join() });
      await ensureTopics(config, silentLogger(), { partitions, shards: partitions, keepForever: true });
    },
    service: { path: '/sessions/', field: 'clientCountryCode', answer: countries, believed: [] },
    traffic: moneyTraffic(options),
    start: (_, { brokers, temporal, service }) => ({
      command: [process.execPath, join(product, 'bin', 'money-enrichment.js')],
      env: {
        ...shared,
        KAFKA_BROKERS: brokers,
        TEMPORAL_ADDRESS: temporal,
        ENRICHMENT_SESSION_SERVICE_URL: `http://127.0.0.1:${service}`,
      },
      portSetting: 'ENRICHMENT_METRICS_PORT',
    }),
    metrics: {
      held: { bridge: 'money_enrichment_partitions_assigned', worker: 'money_enrichment_shards_owned' },
      read: 'money_enrichment_records_read_total',
    },
    eventTimeOf({ value }) {
      const at = /"processedAt":"([^"]+)"/.exec(String(value))?.[1];
      return at === undefined ? -Infinity : Date.parse(at);
    },
    expectation(inputs, outputs) {
      const answered = modelled(inputs, topics, countries);
      const result =
        outputs === undefined
          ? answered
          : eitherOf(
              answered,
              modelled(inputs, topics, () => undefined),
              outputs,
            );
      return expectationOf(result, topics);
    },
  };
}

/** Silence in an outage must not be taken for idleness; of the service one is to last longer than a lookup. */
function envOf(away: AppOptions['outage']): Record<string, string> {
  if (away === undefined) return {};
  if (away.part === 'service') return { ENRICHMENT_LOOKUP_GIVE_UP_AFTER: `${Math.round(away.lasts / 2)}ms` };
  return { ENRICHMENT_IDLE_TIMEOUT: `${away.lasts + 60_000}ms` };
}
