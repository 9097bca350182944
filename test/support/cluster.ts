/**
 * One real Kafka broker and one real Temporal dev server for all end-to-end tests of a process, started when first asked
 * for and stopped after the last test. TEST_KAFKA_BROKERS and TEST_TEMPORAL_ADDRESS name running ones instead.
 */
import { after } from 'node:test';
import { join } from 'node:path';
import { openDataFolder } from '../../src/dev/data-folder.ts';
import { startKafkaBroker } from '../../src/dev/kafka-broker.ts';
import { startTemporalServer } from '../../src/dev/temporal-server.ts';

export interface Cluster {
  readonly brokers: string[];
  /** host:port */
  readonly temporal: string;
  /** Stops what is this test's own; called after everything that uses it. */
  readonly release?: () => Promise<void>;
}

let cluster: Promise<Cluster> | undefined;
const undo: (() => Promise<void>)[] = [];

after(async () => {
  await cluster?.catch(() => undefined);
  for (const step of undo.reverse()) await step();
});

/** Tests share it: use random topic names, workflow ids and app ids. */
export function sharedCluster(): Promise<Cluster> {
  return (cluster ??= start());
}

async function start(): Promise<Cluster> {
  const [brokers, temporal] = await Promise.all([kafka(), temporalServer()]);
  return { brokers, temporal };
}

async function kafka(): Promise<string[]> {
  const given = process.env['TEST_KAFKA_BROKERS'];
  if (given) return given.split(',');
  const folder = await openDataFolder();
  undo.push(() => folder.release());
  const broker = await startKafkaBroker({ dataDir: join(folder.path, 'kafka'), log });
  undo.push(() => broker.stop());
  return broker.brokers;
}

async function temporalServer(): Promise<string> {
  const given = process.env['TEST_TEMPORAL_ADDRESS'];
  if (given) return given;
  const server = await startTemporalServer({ log });
  undo.push(() => server.stop());
  return server.address;
}

function log(line: string): void {
  console.error(line);
}
