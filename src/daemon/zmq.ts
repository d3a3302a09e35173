/**
 * A daemon's ZMQ publisher of block hashes (`zmqpubhashblock`). The only file that imports zeromq, and
 * only when a daemon has an endpoint: the package is optional. Whatever is missing or wrong here is a
 * warning; polling goes on. Entry point: `subscribeHashBlock`.
 */
import type { Subscriber } from 'zeromq';

import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';

export interface HashBlockSubscription {
  close(): void;
}

const TOPIC = 'hashblock';
const HASH_BYTES = 32;
/** Topic, hash and sequence number are well below it; longer messages are dropped by the library. */
const MAX_MESSAGE_BYTES = 256;
const MAX_QUEUED = 64;

/** The hash of a `hashblock` message, display order as the daemon publishes it; undefined for others. */
export function hashOf(frames: readonly Uint8Array[]): string | undefined {
  const [topic, hash] = frames;
  if (topic === undefined || hash?.length !== HASH_BYTES) return undefined;
  return Buffer.from(topic).toString('latin1') === TOPIC
    ? Buffer.from(hash).toString('hex')
    : undefined;
}

async function read(socket: Subscriber, onHash: (hashHexBE: string) => void): Promise<void> {
  for await (const frames of socket) {
    const hash = hashOf(frames);
    if (hash !== undefined) onHash(hash);
  }
}

/** Watches the connection: one warning when it is not there, one line when it comes (back). */
function report(socket: Subscriber, endpoint: string, log: Log): void {
  let isTold = false;
  socket.events.on('connect', () => {
    isTold = false;
    log.info(`ZMQ: connected to ${endpoint}`);
  });
  const missing = (): void => {
    if (isTold) return;
    isTold = true;
    log.warn(
      `ZMQ: nothing publishes at ${endpoint}; check the daemon's zmqpubhashblock (some builds have no ZMQ and ignore it). It is tried again, and the daemon is polled meanwhile`,
    );
  };
  socket.events.on('connect:retry', missing);
  socket.events.on('disconnect', missing);
}

/** Resolves to undefined, with a warning, where there is no zeromq or the endpoint is none. */
export async function subscribeHashBlock(
  endpoint: string,
  onHash: (hashHexBE: string) => void,
  log: Log,
): Promise<HashBlockSubscription | undefined> {
  let socket: Subscriber;
  try {
    const zmq = await import('zeromq');
    socket = new zmq.Subscriber({
      linger: 0,
      receiveHighWaterMark: MAX_QUEUED,
      maxMessageSize: MAX_MESSAGE_BYTES,
      tcpKeepalive: 1,
      tcpKeepaliveIdle: 60,
    });
  } catch (error) {
    log.warn(
      `ZMQ: the optional package zeromq cannot be loaded (${messageOf(error)}); ${endpoint} is not used, the daemon is polled`,
    );
    return undefined;
  }
  try {
    report(socket, endpoint, log);
    socket.connect(endpoint);
    socket.subscribe(TOPIC);
  } catch (error) {
    socket.close();
    log.warn(
      `ZMQ: ${endpoint} is no usable endpoint (${messageOf(error)}); expected for example tcp://127.0.0.1:28332. The daemon is polled`,
    );
    return undefined;
  }
  let isOpen = true;
  read(socket, onHash).catch((error: unknown) => {
    if (isOpen) log.warn(`ZMQ: reading from ${endpoint} ended (${messageOf(error)})`);
  });
  return {
    close: () => {
      isOpen = false;
      socket.close();
    },
  };
}
