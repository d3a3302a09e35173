/**
 * A listening port of one thread: accepts, counts, refuses beyond the limits, and survives running out
 * of descriptors (the kernel's backlog keeps who waits; those already connected notice nothing).
 * Several threads listen on one port with `reusePort`, the kernel spreads the connections.
 */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { PoolError, messageOf } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { Occupancy } from './occupancy.ts';

export class NetError extends PoolError {}

const BACKLOG = 8192;
const KEEPALIVE_DELAY_MS = 120_000;

export interface AcceptorOptions {
  readonly host: string;
  readonly port: number;
  readonly reusePort: boolean;
  readonly occupancy: Occupancy;
  /** A connection within the limits: to be kept (`keep`) or refused (`refuse`) by the callee. */
  readonly onSocket: (socket: Socket) => void;
  /** A connection beyond a limit, already closed. */
  readonly onRefused: (limit: 'full' | 'address', remoteAddress: string) => void;
  /** Accepting failed (no descriptors left, for example); it goes on by itself. */
  readonly onProblem: (message: string) => void;
}

export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#server = createServer({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEPALIVE_DELAY_MS,
    });
    this.#server.on('connection', (socket) => this.#accept(socket));
  }

  /** Resolves with the port that is listened on, once it is. */
  listen(): Promise<number> {
    const { host, port, reusePort } = this.#options;
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => {
        reject(
          new NetError(
            'LISTEN',
            `cannot listen on ${host}:${port}: ${error.message}; nothing is served there`,
            { cause: error },
          ),
        );
      };
      this.#server.once('error', failed);
      this.#server.listen({ host, port, backlog: BACKLOG, reusePort }, () => {
        this.#server.off('error', failed);
        this.#server.on('error', (error) => this.#options.onProblem(messageOf(error)));
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Takes what was made of a socket; counted until it is gone, of which `left` tells. */
  keep(connection: Connection): void {
    if (connection.closed) this.#options.occupancy.leave(connection.remoteAddress);
    else this.#connections.add(connection);
  }

  left(connection: Connection): void {
    if (this.#connections.delete(connection)) {
      this.#options.occupancy.leave(connection.remoteAddress);
    }
  }

  refuse(socket: Socket, remoteAddress: string): void {
    this.#options.occupancy.leave(remoteAddress);
    discard(socket);
  }

  /** No more new connections; those there stay. */
  close(): void {
    this.#server.close();
  }

  /** Reads no further from anybody, for good. */
  stopReading(): void {
    for (const connection of this.#connections) connection.stopReading();
  }

  /** Sends everybody what is pending and closes. */
  endAll(): void {
    for (const connection of this.#connections) connection.end();
  }

  #accept(socket: Socket): void {
    const remote = socket.remoteAddress;
    if (remote === undefined) {
      discard(socket);
      return;
    }
    const verdict = this.#options.occupancy.enter(remote);
    if (verdict === 'ok') {
      this.#options.onSocket(socket);
      return;
    }
    discard(socket);
    this.#options.onRefused(verdict, remote);
  }
}

function discard(socket: Socket): void {
  socket.on('error', ignore);
  socket.destroy();
}

/** A refused connection that is reset has nothing left to tell. */
function ignore(): void {}
