/** `bridge`: reads the three inputs, puts them in order and signals the workflows. */
import { Command } from 'commander';
import { Bridge } from '../engine/bridge/bridge.ts';
import type { BridgeObserver } from '../engine/bridge/assignment.ts';
import { bridgeSettings, checkTopics } from '../money/bridge/settings.ts';
import { WAIT_REASONS } from '../engine/bridge/waits.ts';
import { createTemporalSignaller } from '../money/bridge/temporal-signaller.ts';
import { systemClock } from '../engine/clock.ts';
import { inputTopicsOf, type Config } from '../money/config.ts';
import { METRICS_PORT } from '../money/config/observation.ts';
import { createKafka } from '../engine/kafka/kafkajs/create-kafka.ts';
import { inputDecoders } from '../money/codec/value-format.ts';
import { createBridgeMetrics, createRegistry, waitLabelOf, type BridgeMetrics } from '../money/metrics.ts';
import { createProcessMetrics, type ProcessMetrics } from '../money/metrics/process.ts';
import { setReadingGauges } from '../money/metrics/reading.ts';
import type { Signaller } from '../engine/bridge/signaller.ts';
import { watchExpiry } from '../money/expiry.ts';
import { connectTemporal, within } from '../engine/temporal/connection.ts';
import { askForNamespace } from '../engine/temporal/answers.ts';
import { createContext, keyringPart } from './context.ts';
import { serve } from '../engine/process/serve.ts';
import { tracedSignaller } from '../money/bridge/traced-signaller.ts';
import { startTracing } from './tracing.ts';
import { onStopSignal } from '../engine/process/stop-signal.ts';

/** ms */
const PROBE_DEADLINE = 4_000;

export function bridgeCommand(): Command {
  return new Command('bridge')
    .description(
      'Reads the wallet, user and session topics, puts their events in order by event time and signals one workflow per\n' +
        'user. Start any number: they share the partitions. Prints READY when it has joined its group; SIGTERM drains.',
    )
    .action(runBridge);
}

async function runBridge(): Promise<void> {
  const needs = { requireKafka: true, requireTemporal: true };
  const { env, config, logger, identity, encryption } = createContext(needs, { service: 'bridge' });
  await encryption.ready?.();
  const stop = onStopSignal();
  const kafka = createKafka(config.kafka!, logger);
  const registry = createRegistry();
  const metrics = createBridgeMetrics(registry, inputTopicsOf(config.topics));
  const about = createProcessMetrics(registry, 'bridge');
  watchExpiry({ registry, config, env, logger });
  const temporal = await connectTemporal(env, encryption, identity);
  const tracing = startTracing(config, { role: 'bridge', logger, onLost: about.spansLost });
  try {
    const { shards, deadLetterPartitions } = await checkTopics(kafka, config.topics);
    const onHeadersDropped = (headers: number): void => metrics.headersDropped.inc(headers);
    const signaller = createTemporalSignaller(temporal.client.workflow, config, shards);
    const bridge = new Bridge(bridgeSettings(config, deadLetterPartitions, onHeadersDropped), {
      kafka,
      signaller: timed(
        tracing === undefined ? signaller : tracedSignaller(signaller, tracing.tracer, inputTopicsOf(config.topics)),
        metrics,
      ),
      clock: systemClock,
      logger,
      observer: observerOf(metrics, about, config),
      decoders: inputDecoders(config, systemClock),
    });
    await serve({
      name: 'bridge',
      service: bridge,
      config,
      portSetting: METRICS_PORT,
      registry,
      logger,
      stop,
      probes: {
        async kafka() {
          const [partitions] = await kafka.partitionCounts([config.topics.money, config.topics.output]);
          metrics.partitions.set(partitions ?? 0);
        },
        temporal: () =>
          within(PROBE_DEADLINE, temporal.connection, () =>
            askForNamespace(temporal.connection.workflowService, temporal.namespace),
          ),
      },
      parts: keyringPart(encryption),
      observe: about.observe,
      setGauges: () => setGauges(metrics, bridge, inputTopicsOf(config.topics)),
    });
  } finally {
    await tracing?.close();
    await kafka.close();
    await temporal.connection.close();
  }
}

function observerOf(metrics: BridgeMetrics, about: ProcessMetrics, config: Config): BridgeObserver {
  const names = inputTopicsOf(config.topics);
  return {
    read: (input, records) => metrics.recordsRead.inc({ topic: names[input]! }, records),
    deadLettersWritten: (reasons) => reasons.forEach((reason) => metrics.deadLetters.inc({ reason })),
    deadLettersCut: (letters) => metrics.deadLettersCut.inc(letters),
    late: () => metrics.late.inc(),
    signalled(events, timestamps) {
      metrics.signals.inc();
      metrics.signalledEvents.inc(events);
      metrics.signalEvents.observe(events);
      const now = systemClock.now();
      for (const timestamp of timestamps) {
        if (timestamp > 0) metrics.signalLatency.observe(Math.max(0, now - timestamp) / 1_000);
      }
    },
    signalFailed: (kind) => metrics.signalFailures.inc({ kind }),
    committed: () => metrics.commits.inc(),
    rebalanced: () => about.rebalanced(),
    splitKey: () => metrics.splitUsers.inc(),
    recordsLost: (input, offsets) => metrics.recordsLost.inc({ topic: names[input]! }, offsets),
  };
}

/** Each attempt is timed, whatever comes of it. */
function timed(signaller: Signaller, { signalDuration }: BridgeMetrics): Signaller {
  return {
    ...signaller,
    async signal(key, batch) {
      const ended = signalDuration.startTimer();
      try {
        await signaller.signal(key, batch);
      } finally {
        ended();
      }
    },
  };
}

function setGauges(metrics: BridgeMetrics, bridge: Bridge, topics: readonly string[]): void {
  const triples = bridge.describe();
  metrics.partitionsAssigned.set(triples.length);
  setReadingGauges(metrics, triples, topics, systemClock.now());
  metrics.usersWaiting.set(bridge.workflowsWaiting);
  metrics.partitionWaiting.reset();
  for (const partition of bridge.partitions) {
    for (const reason of WAIT_REASONS) {
      metrics.partitionWaiting.set({ partition: String(partition), reason: waitLabelOf(reason) }, 0);
    }
  }
  for (const { partition, reason } of bridge.partitionsWaiting) {
    metrics.partitionWaiting.set({ partition: String(partition), reason: waitLabelOf(reason) }, 1);
  }
}
