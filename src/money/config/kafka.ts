/** Kafka: its brokers, and what they demand of a connection. */
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';
import type { KafkaConfig } from '../../engine/kafka/kafka-config.ts';
import { readSasl, SASL } from './kafka-sasl.ts';
import { readTls } from './tls.ts';

const SSL = ['KAFKA_SSL', 'KAFKA_SSL_CA', 'KAFKA_SSL_CERT', 'KAFKA_SSL_KEY', 'KAFKA_SSL_KEY_PASSPHRASE'] as const;

export function readKafka(read: EnvironmentReader, required: boolean): KafkaConfig | undefined {
  const brokers = read
    .text('KAFKA_BROKERS', '')
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
  if (!brokers.every(isHostAndPort)) read.problem('KAFKA_BROKERS', 'host:port, several separated by commas');
  const tls = readTls(read, 'KAFKA_SSL');
  const ssl = read.boolean('KAFKA_SSL', tls !== undefined);
  if (!ssl && tls !== undefined) {
    read.problem('KAFKA_SSL', 'true, as KAFKA_SSL_CA, KAFKA_SSL_CERT or KAFKA_SSL_KEY is set');
  }
  const sasl = readSasl(read);
  const sessionTimeout = read.duration('KAFKA_SESSION_TIMEOUT', '3s', { min: 2_000, max: 1_800_000 });
  if (brokers.length === 0) {
    const orphan = [...SSL, ...SASL].find((name) => read.isSet(name));
    if (required) {
      read.missing(
        'KAFKA_BROKERS',
        'host:port of a Kafka broker, several separated by commas (dev and demo start one)',
      );
    } else if (orphan !== undefined) read.missing('KAFKA_BROKERS', `host:port of a Kafka broker, as ${orphan} is set`);
    return undefined;
  }
  return {
    brokers,
    ssl,
    ...(read.isSet('KAFKA_SESSION_TIMEOUT') ? { sessionTimeout } : {}),
    ...(tls?.ca === undefined ? {} : { sslCa: tls.ca }),
    ...(tls?.cert === undefined ? {} : { sslCert: tls.cert }),
    ...(tls?.key === undefined ? {} : { sslKey: tls.key }),
    ...(tls?.passphrase === undefined ? {} : { sslKeyPassphrase: tls.passphrase }),
    ...(sasl === undefined ? {} : { sasl }),
  };
}

export function isHostAndPort(text: string): boolean {
  const port = Number(/^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/.exec(text)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}
