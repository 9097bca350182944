/**
 * kafkajs clients from the configuration. Consumers, transactional producers and admin requests never share one:
 * kafkajs keeps a cache of committed offsets per client, and a transaction that commits offsets would poison it for
 * the consumers of that client.
 */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import type { KafkaConfig } from '../kafka-config.ts';
import { CodedError, messageOf } from '../../errors.ts';
import { tlsReason } from '../../http/tls-reason.ts';
import { currentOf, type Fresh } from '../../process/secret-file.ts';
import type { Logger } from '../../log.ts';
import { library } from './library.ts';
import type { KafkaJS } from './library.ts';
import { logCreatorFor } from './log-creator.ts';
import { saslOptions } from './sasl.ts';

/** ms that one request may take. Below the transaction timeout: a transaction must fail here before the broker ends it. */
const REQUEST_TIMEOUT = 5_000;

/**
 * After every commit the next transaction meets CONCURRENT_TRANSACTIONS until the broker has written its markers, and
 * kafkajs then sleeps `initialRetryTime`: with its default of 300 ms a producer does two transactions a second.
 * The transaction manager of kafkajs reads this from the client, not from the producer.
 */
export const TRANSACTION_RETRY: KafkaJS.RetryOptions = {
  initialRetryTime: 3,
  factor: 0.2,
  multiplier: 1.5,
  maxRetryTime: 300,
  retries: 40,
};
/** A consumer, an admin or a plain producer outlives a broker restart: about a minute. */
export const PATIENT_RETRY: KafkaJS.RetryOptions = {
  initialRetryTime: 100,
  factor: 0.2,
  multiplier: 2,
  maxRetryTime: 1_000,
  retries: 60,
};

/** What kafkajs is told of the connections of a client that was destroyed. */
const CLOSED = 'this Kafka client was closed';

export type SocketFactory = KafkaJS.ISocketFactory;

export interface ClientOptions {
  readonly retry: KafkaJS.RetryOptions;
  /** For tests that break connections on purpose. */
  readonly socketFactory?: SocketFactory;
}

export interface Client {
  readonly kafka: KafkaJS.Kafka;
  /** From now on no new connection is made: what kafkajs still retries in the background comes to nothing. */
  cutOff(): void;
  /** Cuts off, and destroys the connections that are left. */
  destroy(): void;
}

export function createClient(config: KafkaConfig, logger: Logger, options: ClientOptions): Client {
  const { Kafka, logLevel } = library();
  const connect = options.socketFactory ?? openSocket;
  const sockets = new Set<net.Socket>();
  let cut = false;
  const kafka = new Kafka({
    clientId: config.clientId ?? 'money-enrichment',
    brokers: [...config.brokers],
    ...(config.ssl ? { ssl: tlsOptions(config) } : {}),
    ...(config.sasl ? { sasl: saslOptions(config.sasl) } : {}),
    connectionTimeout: 5_000,
    authenticationTimeout: 10_000,
    requestTimeout: REQUEST_TIMEOUT,
    enforceRequestTimeout: true,
    retry: options.retry,
    logLevel: logger.isLevelEnabled('trace') ? logLevel.DEBUG : logLevel.WARN,
    logCreator: logCreatorFor(logger),
    socketFactory(arguments_) {
      if (cut) return closedSocket();
      // Certificates and keys that have changed count from the next connection on.
      const socket = connect(config.ssl ? { ...arguments_, ssl: tlsOptions(config) } : arguments_);
      sockets.add(socket);
      socket.prependOnceListener('error', (error) => {
        error.message = tlsReason(error, 'KAFKA_SSL') ?? error.message;
      });
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
  });
  return {
    kafka,
    cutOff() {
      cut = true;
    },
    destroy() {
      cut = true;
      // With an error: at a socket that merely closes, kafkajs goes on looking for timed-out requests for ever.
      for (const socket of sockets) socket.destroy(new Error(CLOSED));
    },
  };
}

export const openSocket: SocketFactory = ({ host, port, ssl, onConnect }) => {
  const servername = net.isIP(host) === 0 ? { servername: host } : {};
  const socket = ssl
    ? tls.connect({ host, port, ...servername, ...ssl }, onConnect)
    : net.connect({ host, port }, onConnect);
  socket.setKeepAlive(true, 60_000);
  socket.setNoDelay(true);
  // kafkajs keeps a socket that has closed and unrefs it at each disconnect: Node would add a listener each time, for a connection that never comes.
  socket.once('close', () => (socket.unref = () => socket));
  return socket;
};

function closedSocket(): net.Socket {
  const socket = new net.Socket();
  process.nextTick(() => socket.destroy(new Error(CLOSED)));
  return socket;
}

function tlsOptions(config: KafkaConfig): tls.ConnectionOptions {
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(config.sslCa === undefined ? {} : { ca: pem(config.sslCa, 'KAFKA_SSL_CA') }),
    ...(config.sslCert === undefined ? {} : { cert: pem(config.sslCert, 'KAFKA_SSL_CERT') }),
    ...(config.sslKey === undefined ? {} : { key: pem(config.sslKey, 'KAFKA_SSL_KEY') }),
    ...(config.sslKeyPassphrase === undefined ? {} : { passphrase: currentOf(config.sslKeyPassphrase) }),
  };
}

/** PEM text as it is, any other text is a path. */
function pem(value: Fresh, variable: string): string {
  const text = currentOf(value);
  if (text.includes('-----BEGIN')) return text;
  try {
    return readFileSync(text, 'utf8');
  } catch (error) {
    throw new CodedError('CONFIG', `${variable}: the file "${text}" cannot be read (${messageOf(error)})`, {
      cause: error,
    });
  }
}
