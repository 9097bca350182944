/**
 * What is around the product on a developer's machine: Kafka, Temporal, the topics, the stand-in session service, and with
 * values in Avro a schema registry.
 * What is configured is used as it is; only what was started here is stopped here, in reverse order.
 */
import { join } from 'node:path';
import type { Config } from '../money/config.ts';
import type { KafkaConfig } from '../engine/kafka/kafka-config.ts';
import { startLocalCodecServer } from './codec-server.ts';
import { openDataFolder } from './data-folder.ts';
import { startKafka } from './kafka.ts';
import { startSchemaRegistry } from './schema-registry.ts';
import { startStandInSessionService } from './session-service.ts';
import { startTemporalServer } from './temporal-server.ts';
import { allOrNone, undoAll, unlessAborted } from './together.ts';
import type { Undo } from './together.ts';
import type { Log } from './log.ts';

export interface StackOptions {
  readonly config: Config;
  /** host:port of the configured Temporal; one is started when absent. */
  readonly temporalAddress?: string | undefined;
  /** Registered in a Temporal that is started here. */
  readonly temporalNamespace: string;
  /** Of each topic. */
  readonly partitions: number;
  /** Keeps the data there between runs; a fresh folder, removed at the end, when absent. */
  readonly dataDir?: string | undefined;
  /** Creates the missing topics. */
  readonly createTopics: (kafka: KafkaConfig, partitions: number) => Promise<void>;
  readonly log: Log;
  /** Aborting it at any moment of the start leaves nothing behind. */
  readonly signal?: AbortSignal | undefined;
}

export interface Stack {
  readonly kafka: KafkaConfig;
  /** host:port */
  readonly temporal: string;
  /** URL; absent when a configured Temporal is used. */
  readonly temporalUi?: string;
  /** URL */
  readonly codecServer: string;
  /** URL */
  readonly sessionService: string;
  /** What a process of the product needs in its environment to use this stack. */
  readonly env: Readonly<Record<string, string>>;
  /** Resolves with a sentence when a part ends by itself; never after stop(). */
  readonly broken: Promise<string>;
  /** URL, with values in Avro; it may hold a name and a password. */
  readonly schemaRegistry?: string;
  /** Requests that the stand-in answered; 0 with a configured service. */
  sessionRequests(): number;
  stop(): Promise<void>;
}

/** Errors: MISSING_PROGRAM, UNREACHABLE, TOPIC, CONFIG; the signal's reason. Nothing is left running then. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { config, log } = options;
  const undo: Undo = [];
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= undoAll(undo));
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  let broke: (sentence: string) => void = () => undefined;
  const broken = new Promise<string>((resolve) => (broke = resolve));
  const watch = (what: string, exited: Promise<unknown>): void =>
    void exited.then(() => stopped === undefined && broke(`${what} ended by itself.`));

  const kafka = async (folder: string): Promise<KafkaConfig> => {
    if (config.kafka) return config.kafka;
    const broker = await startKafka({ dataDir: join(folder, 'kafka'), log, signal });
    undo.push(() => broker.stop());
    watch('The Kafka broker', broker.exited);
    return { brokers: broker.brokers, ssl: false };
  };
  const temporal = async (folder: string, kept: boolean): Promise<{ address: string; ui?: string; codec: string }> => {
    const namespace = options.temporalNamespace;
    const codec = await startLocalCodecServer(config, namespace);
    undo.push(() => codec.stop());
    if (options.temporalAddress !== undefined) return { address: options.temporalAddress, codec: codec.url };
    const server = await startTemporalServer({
      ...(kept ? { dataDir: join(folder, 'temporal') } : {}),
      namespace,
      codecServer: codec.url,
      log,
      signal,
    });
    undo.push(() => server.stop());
    watch('The Temporal dev server', server.exited);
    codec.allow(server.uiAddress);
    return { address: server.address, ui: server.uiAddress, codec: codec.url };
  };
  const sessions = async (): Promise<{ url: string; requests: number }> => {
    if (config.sessionServiceUrl !== undefined) return { url: config.sessionServiceUrl, requests: 0 };
    const service = await startStandInSessionService({ country: config.standInCountry, delayMs: config.standInDelay });
    undo.push(() => service.stop());
    return service;
  };

  const schemas = async (folder: string, kept: boolean): Promise<string | undefined> => {
    if (config.valueFormat === 'json') return undefined;
    if (config.schemaRegistry !== undefined) return config.schemaRegistry.urls.join(',');
    const dataDir = kept ? { dataDir: join(folder, 'schema-registry') } : {};
    const registry = await startSchemaRegistry({ ...dataDir, log, signal });
    undo.push(() => registry.stop());
    watch('The schema registry', registry.exited);
    return registry.url;
  };

  try {
    signal.throwIfAborted();
    const folder = await openDataFolder(options.dataDir);
    undo.push(() => folder.release());
    const [usedKafka, usedTemporal, service, registry] = await allOrNone(failed, [
      kafka(folder.path).then(async (used) => {
        await unlessAborted(signal, options.createTopics(used, options.partitions));
        return used;
      }),
      temporal(folder.path, folder.kept),
      sessions(),
      schemas(folder.path, folder.kept),
    ]);
    signal.throwIfAborted();
    return {
      kafka: usedKafka,
      temporal: usedTemporal.address,
      ...(usedTemporal.ui === undefined ? {} : { temporalUi: usedTemporal.ui }),
      sessionService: service.url,
      codecServer: usedTemporal.codec,
      env: {
        KAFKA_BROKERS: usedKafka.brokers.join(','),
        TEMPORAL_ADDRESS: usedTemporal.address,
        ENRICHMENT_SESSION_SERVICE_URL: service.url,
        ...(registry === undefined ? {} : { ENRICHMENT_VALUE_FORMAT: 'avro', SCHEMA_REGISTRY_URL: registry }),
      },
      ...(registry === undefined ? {} : { schemaRegistry: registry }),
      broken,
      sessionRequests: () => service.requests,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
