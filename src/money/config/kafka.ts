/** Kafka: its brokers, and what they demand of a connection. */
import type { EnvironmentReader } from '../../engine/process/environment-reader.ts';
import type { KafkaConfig, Sasl } from '../../engine/kafka/kafka-config.ts';
import { readTls } from './tls.ts';

const KAFKA_SECURITY = [
  'KAFKA_SSL',
  'KAFKA_SSL_CA',
  'KAFKA_SSL_CERT',
  'KAFKA_SSL_KEY',
  'KAFKA_SSL_KEY_PASSPHRASE',
  'KAFKA_SASL_MECHANISM',
  'KAFKA_SASL_USERNAME',
  'KAFKA_SASL_PASSWORD',
] as const;

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
  if (brokers.length === 0) {
    const orphan = KAFKA_SECURITY.find((name) => read.isSet(name));
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
    ...(tls?.ca === undefined ? {} : { sslCa: tls.ca }),
    ...(tls?.cert === undefined ? {} : { sslCert: tls.cert }),
    ...(tls?.key === undefined ? {} : { sslKey: tls.key }),
    ...(tls?.passphrase === undefined ? {} : { sslKeyPassphrase: tls.passphrase }),
    ...(sasl === undefined ? {} : { sasl }),
  };
}

function readSasl(read: EnvironmentReader): Sasl | undefined {
  const names = ['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'] as const;
  const mechanism = read.oneOf('KAFKA_SASL_MECHANISM', ['plain', 'scram-sha-256', 'scram-sha-512'] as const, 'plain');
  if (!names.some((name) => read.isSet(name))) return undefined;
  for (const name of names) {
    if (!read.isSet(name)) read.missing(name, `all of ${names.join(', ')}, or none`);
  }
  return { mechanism, username: read.text(names[1], ''), password: read.freshSecret(names[2]) ?? '' };
}

export function isHostAndPort(text: string): boolean {
  const port = Number(/^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/.exec(text)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}
