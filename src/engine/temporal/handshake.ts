/** Why TLS with a Temporal server does not come about: the SDK says `transport error`, or waits. */
import { connect, type ConnectionOptions } from 'node:tls';
import { tlsReason } from '../http/tls-reason.ts';
import type { ClientConnectConfig } from '@temporalio/envconfig';

/** ms for a handshake, and for the server to end it afterwards: TLS 1.3 looks at a client's certificate when the client is done. */
const PATIENCE = 2_000;
const NAMES = {
  ca: 'TEMPORAL_TLS_SERVER_CA_CERT_PATH',
  cert: 'TEMPORAL_TLS_CLIENT_CERT_PATH',
  key: 'TEMPORAL_TLS_CLIENT_KEY_PATH',
};

/** Undefined: TLS is not used, or is not what is wrong. `address`: `host:port`. */
export async function handshakeProblem(
  address: string,
  tls: ClientConnectConfig['connectionOptions']['tls'],
): Promise<string | undefined> {
  if (tls === undefined || tls === null || tls === false) return undefined;
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[|\]$/g, '');
  const given = tls === true ? {} : tls;
  const options: ConnectionOptions = {
    host,
    port: Number(address.slice(at + 1)),
    ALPNProtocols: ['h2'],
    ...(given.serverNameOverride ? { servername: given.serverNameOverride } : {}),
    ...(given.serverRootCACertificate ? { ca: Buffer.from(given.serverRootCACertificate) } : {}),
    ...(given.clientCertPair
      ? { cert: Buffer.from(given.clientCertPair.crt), key: Buffer.from(given.clientCertPair.key) }
      : {}),
  };
  const { error, ended } = await handshake(options);
  if (error === undefined && !ended) return undefined;
  return (
    tlsReason(error, NAMES) ??
    (ended ? `it ends the connection after the handshake: most likely it does not take ${NAMES.cert}` : undefined)
  );
}

interface Outcome {
  readonly error?: Error;
  /** TLS was there, and the server went without a word. */
  readonly ended: boolean;
}

/** Until the server says something, ends it, or is silent for a while. */
function handshake(options: ConnectionOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    let secured = false;
    const socket = connect(options, () => (secured = true));
    const settle = (outcome: Outcome): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => settle({ ended: false }), PATIENCE);
    socket.once('data', () => settle({ ended: false }));
    socket.once('error', (error) => settle({ error, ended: secured }));
    socket.once('close', () => settle({ ended: secured }));
  });
}
