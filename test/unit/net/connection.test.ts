import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Connection } from '../../../src/net/connection.ts';
import type { ConnectionHandler } from '../../../src/net/connection.ts';
import { EndOfTurn } from '../../../src/net/end-of-turn.ts';

/** What a connection uses of a socket, with a peer that reads when the test says so. */
class FakeSocket extends EventEmitter {
  readonly remoteAddress = '10.0.0.1';
  writableLength = 0;
  reads = true;
  destroyed = false;
  pause(): void {
    this.reads = false;
  }
  resume(): void {
    this.reads = true;
  }
  write(bytes: string | Uint8Array): void {
    this.writableLength += bytes.length;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

function connect(handler: Partial<ConnectionHandler>): {
  readonly socket: FakeSocket;
  readonly connection: Connection;
  readonly faults: unknown[];
} {
  const socket = new FakeSocket();
  const faults: unknown[] = [];
  const whole: ConnectionHandler = {
    onLine: () => {},
    onLongLine: () => {},
    onDrain: () => {},
    onClose: () => {},
    ...handler,
  };
  const limits = { lineBytes: 100, sendBytes: 10, onFault: (error: unknown) => faults.push(error) };
  const connection = new Connection(
    socket as unknown as Socket,
    () => whole,
    limits,
    new EndOfTurn(),
  );
  return { socket, connection, faults };
}

test('once reading has stopped, nothing that is answered or sent starts it again', () => {
  const { socket, connection } = connect({});
  connection.hold();
  connection.release();
  assert.ok(socket.reads, 'a hold is undone');
  connection.stopReading();
  connection.release();
  connection.sendNow(Buffer.alloc(11));
  assert.ok(connection.isSlow);
  socket.emit('drain');
  assert.ok(!socket.reads);
});

test('a handler that throws, whoever called it, costs its own connection and is reported', () => {
  const broken = new Error('a defect');
  const fail = (): never => {
    throw broken;
  };
  const causes: [string, (socket: FakeSocket, connection: Connection) => void][] = [
    ['a line', (socket) => socket.emit('data', Buffer.from('x\n'))],
    [
      'a drain',
      (socket, connection) => {
        connection.sendNow(Buffer.alloc(11));
        socket.emit('drain');
      },
    ],
    ['a broadcast', (_, connection) => connection.guard(fail)],
  ];
  for (const [what, cause] of causes) {
    let closed = 0;
    const { socket, connection, faults } = connect({
      onLine: fail,
      onDrain: fail,
      onClose: () => {
        closed += 1;
      },
    });
    cause(socket, connection);
    assert.deepEqual(faults, [broken], what);
    assert.ok(socket.destroyed && connection.closed, what);
    assert.equal(closed, 1, what);
  }
});
