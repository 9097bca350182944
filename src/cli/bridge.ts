/** `bridge`: reads the three inputs, puts them in order and signals the workflows. */
import { Command } from 'commander';
import { Bridge } from '../engine/bridge/bridge.ts';
import type { BridgeObserver } from '../engine/bridge/generation.ts';
import { bridgeSettings, checkTopics } from '../money/bridge/settings.ts';
import { WAIT_REASONS } from '../engine/bridge/waits.ts';
import { createTemporalSignaller } from '../money/bridge/temporal-signaller.ts';
import { systemClock } from '../engine/clock.ts';
import { inputTopicsOf, METRICS_PORT, type Config } from '../money/config.ts';
import { createKafka } from '../engine/kafka/kafkajs/create-kafka.ts';
import { inputDecoders } from '../money/codec/value-format.ts';
import { createBridgeMetrics, createRegistry, waitLabelOf, type BridgeMetrics } from '../money/metrics.ts';
import { watchExpiry } from '../money/expiry.ts';
import { connectTemporal, within } from '../engine/temporal/connection.ts';
import { askForNamespace } from '../engine/temporal/answers.ts';
import { createContext } from './context.ts';
import { serve } from '../engine/process/serve.ts';
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
  const { env, config, logger } = createContext({ requireKafka: true, requireTemporal: true });
  const stop = onStopSignal();
  const kafka = createKafka(config.kafka!, logger);
  const registry = createRegistry();
  const metrics = createBridgeMetrics(registry, inputTopicsOf(config.topics));
  watchExpiry({ registry, config, env, logger });
  const temporal = await connectTemporal(env);
  try {
    const { shards, deadLetterPartitions } = await checkTopics(kafka, config.topics);
    const bridge = new Bridge(bridgeSettings(config, deadLetterPartitions), {
      kafka,
      signaller: createTemporalSignaller(temporal.client.workflow, config, shards),
      clock: systemClock,
      logger,
      observer: observerOf(metrics, config),
      decoders: inputDecoders(config, systemClock),
    });
    await serve({
      name: 'bridge',
      service: bridge,
      config,
      portSetting: METRICS_PORT,
      registry,
      stop,
      probes: {
        kafka: () => kafka.partitionCounts([config.topics.output]),
        temporal: () =>
          within(PROBE_DEADLINE, temporal.connection, () =>
            askForNamespace(temporal.connection.workflowService, temporal.namespace),
          ),
      },
      setGauges: () => setGauges(metrics, bridge),
    });
  } finally {
    await kafka.close();
    await temporal.connection.close();
  }
}

function observerOf(metrics: BridgeMetrics, config: Config): BridgeObserver {
  const names = inputTopicsOf(config.topics);
  return {
    read: (input, records) => metrics.recordsRead.inc({ topic: names[input]! }, records),
    deadLettersWritten: (reasons) => reasons.forEach((reason) => metrics.deadLetters.inc({ reason })),
    deadLettersCut: (letters) => metrics.deadLettersCut.inc(letters),
    late: () => metrics.late.inc(),
    signalled(events) {
      metrics.signals.inc();
      metrics.signalledEvents.inc(events);
    },
    signalFailed: () => metrics.signalFailures.inc(),
    committed: () => metrics.commits.inc(),
    splitKey: () => metrics.splitUsers.inc(),
    recordsLost: (input, offsets) => metrics.recordsLost.inc({ topic: names[input]! }, offsets),
  };
}

function setGauges(metrics: BridgeMetrics, bridge: Bridge): void {
  const triples = bridge.describe();
  metrics.partitionsAssigned.set(triples.length);
  metrics.held.set(triples.reduce((sum, { held, released }) => sum + held + released, 0));
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
  metrics.watermarkLag.reset();
  for (const { partition, watermark } of triples) {
    if (Number.isFinite(watermark)) {
      metrics.watermarkLag.set({ partition: String(partition) }, (Date.now() - watermark) / 1_000);
    }
  }
}
