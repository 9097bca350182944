/** A door before a Temporal server that demands TLS, a client certificate, an API key; everything else goes through as it comes. */
import { connect, createSecureServer, type IncomingHttpHeaders, type SecureServerOptions } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface Door {
  readonly address: string;
  /** What `authorization` has to be from now on; undefined: anything. */
  demand(authorization: string | undefined): void;
  /** Ends every connection that is open. */
  slam(): void;
}

const UNAUTHENTICATED = '16';

/** `server`: `host:port`, without TLS. */
export async function startDoor(t: TestContext, server: string, tls: SecureServerOptions): Promise<Door> {
  let demanded: string | undefined;
  const inner = connect(`http://${server}`);
  const door = createSecureServer(tls);
  const sessions = new Set<{ destroy(): void }>();
  door.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    // What comes over a connection that is slammed is nobody's.
    session.on('error', () => sessions.delete(session));
  });
  door.on('stream', (stream, headers) => {
    if (demanded !== undefined && headers.authorization !== demanded) {
      stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          'grpc-status': UNAUTHENTICATED,
          'grpc-message': 'the key is not valid',
        },
        { endStream: true },
      );
      return;
    }
    const request = inner.request(headers);
    let trailers: IncomingHttpHeaders = {};
    request.on('response', (answer, flags) => {
      const END_STREAM = 1;
      if ((flags & END_STREAM) !== 0) return void stream.respond(answer, { endStream: true });
      stream.respond(answer, { waitForTrailers: true });
      request.pipe(stream);
    });
    request.on('trailers', (rest) => (trailers = rest));
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.pipe(request);
    stream.on('close', () => request.close(stream.rstCode));
    stream.on('error', () => request.close());
    request.on('error', () => stream.close());
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  const slam = (): void => {
    for (const session of sessions) session.destroy();
  };
  t.after(() => {
    slam();
    inner.destroy();
    door.close();
  });
  return {
    address: `127.0.0.1:${(door.address() as AddressInfo).port}`,
    demand: (authorization) => (demanded = authorization),
    slam,
  };
}
