/** A session service that answers as it is told, byte by byte, and a trap beside it that nobody may ever reach. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Answer } from './answers.ts';

export interface LyingService {
  /** With a path of its own. */
  readonly url: string;
  /** host:port */
  readonly trap: string;
  /** Request targets, in the order of arrival; forgotten by whoever reads them. */
  readonly targets: string[];
  /** Connections to the trap. */
  trapped(): number;
  close(): Promise<void>;
}

export const BASE = '/base/path';
/** ms between the bytes of an answer that drips. */
const DRIP = 50;
const FLOOD = Buffer.alloc(64 * 1024, ' ');

/** `answer`: for the last part of the path of a request. */
export async function startLyingService(answer: (name: string, trap: string) => Answer): Promise<LyingService> {
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  let trapped = 0;
  const trapServer = createServer((socket) => {
    trapped += 1;
    socket.destroy();
  });
  const trap = `127.0.0.1:${await portOf(trapServer)}`;
  const server = createServer((socket) => {
    let request = '';
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (part) => {
      request += part.toString('latin1');
      for (let end = request.indexOf('\r\n\r\n'); end >= 0; end = request.indexOf('\r\n\r\n')) {
        const target = request.slice(0, request.indexOf('\r\n')).split(' ')[1] ?? '';
        request = request.slice(end + 4);
        targets.push(target);
        perform(socket, answer(target.split('/').at(-1)!, trap));
      }
    });
  });
  const port = await portOf(server);
  return {
    url: `http://127.0.0.1:${port}${BASE}`,
    trap,
    targets,
    trapped: () => trapped,
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([server, trapServer].map((one) => new Promise((resolve) => one.close(resolve))));
    },
  };
}

function perform(socket: Socket, { bytes, then }: Answer): void {
  socket.write(bytes);
  switch (then) {
    case 'keep':
    case 'hang':
      return;
    case 'close':
      return void socket.end();
    case 'reset':
      return void setImmediate(() => socket.resetAndDestroy());
    case 'drip': {
      const timer = setInterval(() => socket.write('x'), DRIP);
      return void socket.once('close', () => clearInterval(timer));
    }
    case 'flood': {
      const pour = (): void => {
        while (!socket.destroyed && socket.write(FLOOD));
      };
      socket.on('drain', pour);
      return pour();
    }
    default:
      return then satisfies never;
  }
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
