/** The control thread's directory against a plain model of it: lists of sessions, counted anew. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Directory } from '../../../src/stratum/directory.ts';
import type { SessionEvent } from '../../../src/stratum/directory.ts';

const connect = (id: string, server = 's'): SessionEvent => ({
  kind: 'connect',
  id,
  server,
  ip: '192.0.2.1',
  time: 1000,
});
const authorize = (id: string, address: string, worker = 'w'): SessionEvent => ({
  kind: 'authorize',
  id,
  address,
  worker,
  userAgent: 'miner/1',
  difficulty: 128,
});
const disconnect = (id: string): SessionEvent => ({ kind: 'disconnect', id });
const idle = (id: string, is: boolean): SessionEvent => ({ kind: 'idle', id, idle: is });

describe('a session in the directory', () => {
  it('is shown with what its events said', () => {
    const directory = new Directory();
    directory.apply(1, [
      connect('1'),
      authorize('1', 'A'),
      { kind: 'submit', id: '1', accepted: 3, time: 5000, jobCount: 2 },
      { kind: 'submit', id: '1', accepted: 1, time: 6000, jobCount: 4 },
      { kind: 'difficulty', id: '1', difficulty: 256 },
    ]);
    const { id, server, address, worker, connectedAt, lastSubmitAt, ip, userAgent, ...rest } =
      directory.get('1')!;
    assert.deepEqual(
      [id, server, address, worker, connectedAt, lastSubmitAt, ip, userAgent],
      ['1', 's', 'A', 'w', 1000, 6000, '192.0.2.1', 'miner/1'],
    );
    assert.deepEqual(
      [rest.idle, rest.difficulty, rest.acceptedShares, rest.jobCount],
      [false, 256, 4, 4],
    );
    assert.equal(directory.threadOf('1'), 1);
  });

  it('is found by address and by worker once it is authorized, on its own server', () => {
    const directory = new Directory();
    directory.apply(1, [connect('1'), connect('2', 't'), authorize('2', 'A')]);
    assert.deepEqual(directory.byAddress('s', 'A', 10), []);
    directory.apply(1, [authorize('1', 'A', 'x')]);
    assert.deepEqual(
      directory.byAddress('s', 'A', 10).map((client) => client.id),
      ['1'],
    );
    assert.equal(directory.byWorker('s', 'A', 'w', 10).length, 0);
    assert.equal(directory.byWorker('s', 'A', 'x', 10).length, 1);
    assert.equal(directory.byWorker('t', 'A', 'w', 10).length, 1);
  });

  it('that submits is no longer idle', () => {
    const directory = new Directory();
    directory.apply(1, [connect('1'), idle('1', true)]);
    assert.equal(directory.counts('s').client_count_idle, 1);
    directory.apply(1, [{ kind: 'submit', id: '1', accepted: 0, time: 1, jobCount: 1 }]);
    assert.equal(directory.counts('s').client_count_idle, 0);
  });

  it('cannot be changed by a thread that does not hold it, nor by an unknown id', () => {
    const directory = new Directory();
    directory.apply(1, [connect('1')]);
    directory.apply(2, [disconnect('1'), disconnect('9'), authorize('9', 'A')]);
    assert.equal(directory.size, 1);
    assert.equal(directory.counts('s').client_count_authed, 0);
  });

  it('goes with the thread that held it', () => {
    const directory = new Directory();
    directory.apply(1, [connect('1'), authorize('1', 'A'), connect('2')]);
    directory.apply(2, [connect('3'), authorize('3', 'A'), idle('3', true)]);
    assert.equal(directory.dropThread(1), 2);
    assert.deepEqual(directory.counts('s'), {
      client_count: 1,
      client_count_authed: 1,
      client_count_active: 0,
      client_count_idle: 1,
      address_count: 1,
      address_worker_count: 1,
    });
  });
});

describe('the directory', () => {
  it('shows no more than was asked for', () => {
    const directory = new Directory();
    for (let i = 0; i < 20; i++) directory.apply(1, [connect(`${i}`), authorize(`${i}`, 'A')]);
    assert.equal(directory.clients('s', 5).length, 5);
    assert.deepEqual(
      directory.clients('s', 2, 3).map((client) => client.id),
      ['3', '4'],
    );
    assert.equal(directory.byAddress('s', 'A', 7).length, 7);
    assert.equal(directory.byWorker('s', 'A', 'w', 7).length, 7);
  });

  it('holds no more sessions than its bound', () => {
    const directory = new Directory(2);
    directory.apply(1, [connect('1'), connect('2'), connect('3'), authorize('3', 'A')]);
    assert.equal(directory.size, 2);
    directory.apply(1, [disconnect('1'), connect('4')]);
    assert.equal(directory.size, 2);
  });

  it('counts the connections that share a rate over the servers of a reporter', () => {
    const directory = new Directory();
    directory.apply(1, [
      ...['1', '2'].flatMap((id) => [connect(id), authorize(id, 'A', id)]),
      connect('3', 't'),
      authorize('3', 'A', '1'),
    ]);
    assert.equal(directory.connections(['s', 't'], 'A', undefined), 3);
    assert.equal(directory.connections(['s'], 'A', undefined), 2);
    assert.equal(directory.connections(['s', 't', 'none'], 'A', '1'), 2);
    assert.equal(directory.connections(['s', 't'], 'B', undefined), 0);
  });

  it('counts as a list of sessions would, after any events', () => {
    const ids = fc.constantFrom('1', '2', '3', '4', '5', '6');
    const event = fc.oneof(
      fc.tuple(ids, fc.constantFrom('s', 't')).map(([id, server]) => connect(id, server)),
      fc
        .tuple(ids, fc.constantFrom('A', 'B'), fc.constantFrom('', 'w'))
        .map(([id, address, worker]) => authorize(id, address, worker)),
      fc.tuple(ids, fc.boolean()).map(([id, is]) => idle(id, is)),
      ids.map(disconnect),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 100, size: 'max' }), (events) => {
        const directory = new Directory();
        const model = new Map<string, { server: string; idle: boolean; name?: [string, string] }>();
        for (const one of events) {
          directory.apply(1, [one]);
          const known = model.get(one.id);
          if (one.kind === 'connect') {
            if (known === undefined) model.set(one.id, { server: one.server, idle: false });
          } else if (one.kind === 'disconnect') model.delete(one.id);
          else if (one.kind === 'idle' && known) known.idle = one.idle;
          else if (one.kind === 'authorize' && known) known.name ??= [one.address, one.worker];
        }
        for (const server of ['s', 't']) {
          const here = [...model.values()].filter((session) => session.server === server);
          const names = here.flatMap(({ name }) => (name === undefined ? [] : [name]));
          const sleeping = here.filter((session) => session.idle).length;
          assert.deepEqual(directory.counts(server), {
            client_count: here.length,
            client_count_authed: names.length,
            client_count_active: here.length - sleeping,
            client_count_idle: sleeping,
            address_count: new Set(names.map(([address]) => address)).size,
            address_worker_count: new Set(names.map((name) => name.join('.'))).size,
          });
          const ofA = names.filter(([address]) => address === 'A').length;
          assert.equal(directory.byAddress(server, 'A', 100).length, ofA);
        }
      }),
    );
  });
});
