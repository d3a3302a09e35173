/** A daemon's `zmqpubhashblock` endpoint: publishes what such a daemon publishes. */
import { Publisher } from 'zeromq';

export interface ZmqPublisher {
  readonly endpoint: string;
  /** As Bitcoin-like daemons do: topic, the hash in display order, a sequence number (LE uint32). */
  hashblock(hashHexBE: string): Promise<void>;
  /** Any frames, for what no daemon sends. */
  raw(frames: readonly (string | Buffer)[]): Promise<void>;
  /** Resolves when a subscriber has connected. */
  readonly subscribed: Promise<void>;
  close(): void;
}

export async function startZmqPublisher(): Promise<ZmqPublisher> {
  const socket = new Publisher({ linger: 0 });
  const subscribed = new Promise<void>((resolve) => {
    socket.events.on('handshake', () => resolve());
  });
  await socket.bind('tcp://127.0.0.1:*');
  const endpoint = socket.lastEndpoint;
  if (endpoint === null) throw new Error('zeromq gave no endpoint');
  let sequence = 0;
  return {
    endpoint,
    subscribed,
    raw: (frames) => socket.send([...frames]),
    hashblock: (hashHexBE) => {
      const number = Buffer.alloc(4);
      number.writeUInt32LE(sequence);
      sequence += 1;
      return socket.send(['hashblock', Buffer.from(hashHexBE, 'hex'), number]);
    },
    close: () => socket.close(),
  };
}
