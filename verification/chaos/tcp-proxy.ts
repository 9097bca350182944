/**
 * A TCP proxy between two processes that can be made a bad network. As in a real one, what a direction does not let
 * through is kept and comes later (the sender's kernel would send it again), even when its sender has long given up:
 * that is how a request that timed out reaches a broker after its repetition.
 */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

const LOOPBACK = '127.0.0.1';
/** bytes held in one direction of one connection, after which its sender is not read any more */
const MAX_HELD = 1_000_000;

type Direction = 'up' | 'down';

/** `up` is towards the target. */
export type Mode =
  | { readonly type: 'pass' }
  /** Every connection is reset, new ones at once. */
  | { readonly type: 'cut' }
  /** In both directions. */
  | { readonly type: 'delay'; readonly ms: number }
  /** Nothing gets through in one direction until it ends; then all of it, in order. */
  | { readonly type: 'drop'; readonly direction: Direction }
  /** Connections stay open and new ones are taken, but nobody is at the other end; they are reset when it ends. */
  | { readonly type: 'half-open' };

export interface TcpProxy {
  readonly port: number;
  /** Open connections. */
  readonly connections: number;
  /** Connections reset, and chunks held up, by what is not `pass`: whether a fault hit anything. */
  readonly disturbed: number;
  set(mode: Mode): void;
  close(): Promise<void>;
}

export type Link = Pick<TcpProxy, 'disturbed' | 'set' | 'close'>;

/** Several proxies that are disturbed together. */
export function bundle(proxies: readonly Link[]): Link {
  return {
    get disturbed() {
      return proxies.reduce((sum, { disturbed }) => sum + disturbed, 0);
    },
    set: (mode) => proxies.forEach((proxy) => proxy.set(mode)),
    close: async () => void (await Promise.all(proxies.map((proxy) => proxy.close()))),
  };
}

interface Connection {
  readonly client: Socket;
  readonly target: Socket;
  readonly up: Flow;
  readonly down: Flow;
  /** Lived through a half-open time. */
  orphaned: boolean;
}

/** `target`: port of 127.0.0.1; it need not be there yet. */
export async function startTcpProxy(target: number, port = 0): Promise<TcpProxy> {
  const open = new Set<Connection>();
  let mode: Mode = { type: 'pass' };
  let disturbed = 0;

  const holds = (direction: Direction): boolean =>
    mode.type === 'half-open' || (mode.type === 'drop' && mode.direction === direction);
  const delay = (): number => (mode.type === 'delay' ? mode.ms : 0);
  const reset = ({ client, target: other }: Connection): void => {
    client.resetAndDestroy();
    other.resetAndDestroy();
  };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => undefined); // the close that follows is what counts
    if (mode.type === 'cut') {
      disturbed += 1;
      client.resetAndDestroy();
      return;
    }
    const other = connect({ host: LOOPBACK, port: target, allowHalfOpen: true, noDelay: true });
    const flow = (direction: Direction, from: Socket, to: Socket): Flow =>
      new Flow(from, to, {
        held: () => holds(direction),
        delay,
        onDisturbed: () => (disturbed += 1),
      });
    const connection: Connection = {
      client,
      target: other,
      up: flow('up', client, other),
      down: flow('down', other, client),
      orphaned: mode.type === 'half-open',
    };
    open.add(connection);
    other.on('error', () => client.resetAndDestroy());
    const ended = (): void => {
      if (client.destroyed && other.destroyed) open.delete(connection);
    };
    client.on('close', ended);
    other.on('close', ended);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return open.size;
    },
    get disturbed() {
      return disturbed;
    },
    set(next) {
      mode = next;
      for (const connection of [...open]) {
        if (mode.type === 'half-open') connection.orphaned = true;
        if (mode.type === 'cut') disturbed += 1;
        if (mode.type === 'cut' || (mode.type !== 'half-open' && connection.orphaned)) reset(connection);
        else {
          connection.up.pump();
          connection.down.pump();
        }
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of open) reset(connection);
      }),
  };
}

interface FlowRules {
  readonly held: () => boolean;
  /** ms */
  readonly delay: () => number;
  readonly onDisturbed: () => void;
}

/** One direction of one connection: what was read and not yet written, in order. */
class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #rules: FlowRules;
  /** `null` is the end of the stream. */
  readonly #queue: { readonly due: number; readonly chunk: Buffer | null }[] = [];
  #bytes = 0;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, rules: FlowRules) {
    this.#from = from;
    this.#to = to;
    this.#rules = rules;
    from.on('data', (chunk: Buffer) => this.#take(chunk));
    from.once('end', () => this.#take(null));
    from.once('close', () => this.#take(null));
    to.on('drain', () => this.pump());
    to.once('close', () => clearTimeout(this.#timer));
  }

  #take(chunk: Buffer | null): void {
    if (this.#ended) return;
    this.#ended = chunk === null;
    const delay = this.#rules.delay();
    if (chunk !== null && (delay > 0 || this.#rules.held())) this.#rules.onDisturbed();
    this.#queue.push({ due: Date.now() + delay, chunk });
    this.#bytes += chunk?.length ?? 0;
    if (this.#bytes > MAX_HELD) this.#from.pause();
    this.pump();
  }

  /** Writes what may be written now. */
  pump(): void {
    clearTimeout(this.#timer);
    if (this.#to.destroyed) {
      this.#from.destroy();
      return;
    }
    for (
      let next = this.#queue[0];
      next !== undefined && !this.#rules.held() && !this.#to.writableNeedDrain;
      next = this.#queue[0]
    ) {
      const wait = next.due - Date.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.pump(), wait);
        return;
      }
      this.#queue.shift();
      if (next.chunk === null) {
        // Both ways have ended, or their sender is gone altogether: nothing can come back.
        this.#to.end(() => {
          if (this.#from.destroyed) this.#to.destroy();
          else if (this.#to.readableEnded) this.#from.destroy();
        });
        return;
      }
      this.#bytes -= next.chunk.length;
      this.#to.write(next.chunk);
      if (this.#bytes <= MAX_HELD) this.#from.resume();
    }
  }
}
