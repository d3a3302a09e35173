/**
 * The Celery sink against RabbitMQ and Celery as Debian has them: messages are compared with those that
 * Celery's own client writes, a real worker records what it is told, brokers and worker are killed.
 * needs: rabbitmq-server, python3-celery, openssl
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { AmqpBroker } from '../../src/report/amqp.ts';
import { parseBrokers } from '../../src/report/broker-url.ts';
import { CelerySink } from '../../src/report/celery.ts';
import { encodeTask } from '../../src/report/celery-message.ts';
import type { TaskProtocol } from '../../src/report/celery-message.ts';
import { silentLog } from '../../src/log.ts';
import type { LedgerPosition, ShareKind, ShareRecord, SinkBatch } from '../../src/ports.ts';
import { sinkContract } from '../contract/sink.ts';
import type { SinkBackEnd, SinkContents } from '../contract/sink.ts';
import { CeleryWorker, rawMessages, sendByCelery } from '../support/celery-peer.ts';
import type { RawMessage, ReceivedTask, SentTask } from '../support/celery-peer.ts';
import { celerySettings } from '../support/celery-settings.ts';
import { seededRandom } from '../support/random.ts';
import { startRabbit } from '../support/rabbitmq.ts';
import type { Rabbit } from '../support/rabbitmq.ts';
import { eventually, removeFolder, temporaryFolder } from '../support/servers.ts';
import { MINUTE, START, batch, block, share, sinkContext, slice } from '../support/sink-batch.ts';

const PREFIX = 'simplecoin.tasks';
const NAMED = { queue: 'celery', exchange: 'celery', routingKey: 'celery' };

let rabbit: Rabbit;
const folder = temporaryFolder('certificate');
const certificate = join(folder, 'cert.pem');
before(async () => {
  const keyFile = join(folder, 'key.pem');
  const subject = ['-subj', '/CN=rabbit', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', keyFile, '-out', certificate];
  const args = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '1',
    ...subject,
    ...files,
  ];
  const made = spawnSync('openssl', args, { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  rabbit = await startRabbit({
    tls: true,
    config: [
      `ssl_options.certfile = ${certificate}`,
      `ssl_options.keyfile = ${keyFile}`,
      'ssl_options.verify = verify_none',
    ],
  });
});
after(async () => {
  await rabbit.stop();
  removeFolder(folder);
});

interface SinkOptions {
  readonly url?: string;
  readonly key?: string;
  readonly ssl?: unknown;
}

function sinkOn(names: string, more: SinkOptions = {}) {
  const settings = celerySettings({
    BROKER_URL: more.url ?? rabbit.url,
    CELERY_DEFAULT_QUEUE: names,
    CELERY_DEFAULT_EXCHANGE: names,
    CELERY_DEFAULT_ROUTING_KEY: names,
    BROKER_USE_SSL: more.ssl ?? false,
  });
  return new CelerySink(
    sinkContext(settings, more.key === undefined ? {} : { cursorKey: more.key }),
  );
}

/** What the body of a protocol-1 message says, by the description of it and none of our code. */
function taskOf(message: RawMessage): ReceivedTask {
  const body = JSON.parse(message.body) as ReceivedTask;
  return { ...body, task: body.task.slice(PREFIX.length + 1) };
}

/** Each task once, as a consumer that knows the ids sees them; a repeat must be the same task. */
function distinct(tasks: readonly ReceivedTask[]): ReceivedTask[] {
  const known = new Map<string, ReceivedTask>();
  for (const task of tasks) {
    const first = known.get(task.id);
    if (first === undefined) known.set(task.id, task);
    else assert.deepEqual(task, first);
  }
  return [...known.values()];
}

const FIELD_KIND: Readonly<Record<string, number>> = {
  valid_shares: 0,
  dup_shares: 1,
  low_diff_shares: 2,
  stale_shares: 3,
};

function contentsOf(tasks: readonly ReceivedTask[]): SinkContents {
  const shares: Record<string, number> = {};
  const minutes: Record<string, number> = {};
  const blocks: string[] = [];
  for (const { task, args, kwargs } of distinct(tasks)) {
    if (task === 'add_share') {
      const [address, amount] = args as [string, number];
      shares[address] = (shares[address] ?? 0) + amount;
    } else if (task === 'add_one_minute') {
      for (const [field, kind] of Object.entries(FIELD_KIND)) {
        const amount = Number(kwargs[field] ?? 0);
        const key = `${kind} ${String(kwargs['minute'])} ${String(kwargs['user'])}.${String(kwargs['worker'])}`;
        if (amount !== 0) minutes[key] = (minutes[key] ?? 0) + amount;
      }
    } else blocks.push(String(kwargs['hash_hex']));
  }
  return { shares, minutes, blocks };
}

let queues = 0;
sinkContract('celery over RabbitMQ', (): Promise<SinkBackEnd> => {
  const queue = `contract${++queues}`;
  const seen: ReceivedTask[] = [];
  return Promise.resolve({
    sink: (key) => sinkOn(queue, key === undefined ? {} : { key }),
    contents: () => {
      seen.push(...rawMessages(rabbit.port, queue).map(taskOf));
      return Promise.resolve(contentsOf(seen));
    },
    close: () => Promise.resolve(),
  });
});

describe('messages', () => {
  const tasks: readonly SentTask[] = [
    { name: `${PREFIX}.add_share`, id: 'a-1', args: ['Läddr', 12.5], kwargs: {} },
    {
      name: `${PREFIX}.add_one_minute`,
      id: 'a-2',
      args: [],
      kwargs: { user: 'a', worker: '', minute: 60, valid_shares: 0, dup_shares: 0.001 },
    },
    {
      name: `${PREFIX}.add_block`,
      id: 'a-3',
      args: [],
      kwargs: { user: 'a', height: 1, total_value: 5e9, transaction_fees: null, merged: 'DOGE' },
    },
  ];

  /** Without what names the sender. */
  const comparable = ({ properties, info, body }: RawMessage) => {
    const { reply_to: _, application_headers: headers, ...rest } = properties;
    const {
      origin: _o,
      argsrepr: _a,
      kwargsrepr: _k,
      ...named
    } = headers as Record<string, unknown>;
    return { ...rest, headers: named, info, body: JSON.parse(body) as unknown };
  };

  for (const protocol of [1, 2] as const satisfies readonly TaskProtocol[]) {
    it(`are those of Celery itself in protocol ${protocol}`, async () => {
      const options = { ssl: null, log: silentLog };
      const broker = new AmqpBroker({
        ...options,
        brokers: parseBrokers(rabbit.url),
        routing: NAMED,
      });
      await broker.open();
      const encode = (task: SentTask) =>
        encodeTask(task as Parameters<typeof encodeTask>[0], protocol, 'powerpool@here');
      await broker.publish(tasks.map(encode));
      await broker.close();
      const ours = rawMessages(rabbit.port).map(comparable);
      sendByCelery(rabbit.url, protocol, tasks);
      const theirs = rawMessages(rabbit.port).map(comparable);
      assert.equal(theirs.length, tasks.length);
      assert.deepEqual(ours, theirs);
    });
  }

  it('carry what SimpleCoin takes, an amount in every digit', async () => {
    const sink = sinkOn('arguments');
    await sink.open();
    const { block: solved, ...event } = block(1, 'ab');
    const aux = { ...solved, currency: 'DOGE', merged: true, totalSubsidy: 2n ** 63n, fees: null };
    await sink.deliver(
      batch(START, {
        shares: [
          share(1, 'alice', 'rig', 8),
          share(2, 'alice', '', 0.5, 2),
          share(3, 'bob', '', 2),
        ],
        minutes: [{ id: 4, time: MINUTE, slices: [slice('alice', 'rig', 8, 2)] }],
        blocks: [
          { ...event, block: solved },
          { ...event, block: aux },
        ],
      }),
    );
    await sink.stop();
    const raw = rawMessages(rabbit.port, 'arguments');
    assert.match(raw[4]?.body ?? '', /"total_value":9223372036854775808,/);
    const got = raw.map(taskOf).map(({ task, args, kwargs }) => ({ task, args, kwargs }));
    const common = { user: 'alice', height: 7, bits: '1e0fffff', worker: 'rig' };
    const hash = 'ab'.padStart(64, '0');
    assert.deepEqual(got, [
      { task: 'add_share', args: ['alice', 8], kwargs: {} },
      { task: 'add_share', args: ['bob', 2], kwargs: {} },
      {
        task: 'add_one_minute',
        args: [],
        kwargs: {
          user: 'alice',
          worker: 'rig',
          minute: MINUTE / 1000,
          valid_shares: 0,
          low_diff_shares: 8,
        },
      },
      {
        task: 'add_block',
        args: [],
        kwargs: {
          ...common,
          total_value: 5_000_000_123,
          transaction_fees: 123,
          hash_hex: hash,
          merged: null,
        },
      },
      {
        task: 'add_block',
        args: [],
        kwargs: {
          ...common,
          total_value: 2 ** 63,
          transaction_fees: null,
          hash_hex: hash,
          merged: 'DOGE',
        },
      },
    ]);
  });
});

/** Batches one after the other, of random shares, minutes and blocks; amounts add up exactly. */
function* batches(seed: number, count: number): Generator<SinkBatch> {
  const next = seededRandom(seed);
  const below = (limit: number) => Math.floor(next() * limit);
  let from: LedgerPosition = START;
  for (let n = 0; n < count; n++) {
    const shares: ShareRecord[] = [];
    for (let i = below(200); i > 0; i--) {
      const seq = from.seq + shares.length;
      shares.push(share(seq, `miner${below(20)}`, 'rig', 2 ** below(10), below(4) as ShareKind));
    }
    const slices = shares.map(({ address, difficulty, kind }) =>
      slice(address, 'rig', difficulty, kind),
    );
    const made = batch(from, {
      shares,
      minutes: below(3) === 0 ? [{ id: from.minute + 1, time: MINUTE, slices }] : [],
      blocks: below(5) === 0 ? [block(from.block + 1, n.toString(16))] : [],
    });
    yield made;
    from = made.to;
  }
}

/** By contract §5, added up here. */
async function expectedOf(made: Iterable<SinkBatch>): Promise<SinkContents> {
  const shares: Record<string, number> = {};
  const minutes: Record<string, number> = {};
  const blocks: string[] = [];
  for (const part of made) {
    for await (const page of part.shares()) {
      for (const { address, difficulty, kind } of page) {
        if (kind === 0) shares[address] = (shares[address] ?? 0) + difficulty;
      }
    }
    for (const { time, slices } of part.minutes) {
      for (const { address, worker, kind, difficulty } of slices) {
        const key = `${kind} ${time / 1000} ${address}.${worker}`;
        minutes[key] = (minutes[key] ?? 0) + difficulty;
      }
    }
    blocks.push(...part.blocks.map((event) => event.block.hashHexBE));
  }
  return { shares, minutes, blocks };
}

describe('what a worker is told', () => {
  it('adds up to what miners were told, whatever is killed meanwhile', async (t) => {
    const seed = Number(process.env['SEED'] ?? 5);
    t.diagnostic(`SEED=${seed}`);
    const worker = new CeleryWorker(rabbit.url, 'chaos');
    worker.start();
    let sink = sinkOn('chaos');
    let repeats = 0;
    let n = 0;
    /** The runner's part: the same batch again until it is confirmed. */
    const deliver = async (made: SinkBatch): Promise<void> => {
      for (;;) {
        try {
          await sink.open();
          await sink.deliver(made);
          return;
        } catch {
          repeats++;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
    };
    try {
      let restarting: Promise<void> | undefined;
      for (const made of batches(seed, 60)) {
        n++;
        if (n === 15 || n === 40) {
          // The broker dies as a batch is under way.
          restarting = deliver(made);
          await rabbit.kill();
          await rabbit.start();
          await restarting;
        } else if (n === 25) {
          // The pool dies between the confirm and the note of it: a new sink, the same batch.
          await deliver(made);
          await sink.stop();
          sink = sinkOn('chaos');
          await deliver(made);
          repeats++;
        } else if (n === 30) {
          await worker.kill();
          worker.start();
          await deliver(made);
        } else await deliver(made);
      }
      const expected = await expectedOf(batches(seed, 60));
      await eventually(
        'the worker has the last block and share',
        () => isDeepEqual(contentsOf(worker.received()), expected),
        30_000,
      ).catch(() => {});
      const got = worker.received();
      assert.deepEqual(sorted(contentsOf(got)), sorted(expected));
      t.diagnostic(`${got.length} tasks, ${repeats} batches repeated`);
      assert.ok(got.length > distinct(got).length, 'nothing came twice: nothing was shown');
    } finally {
      await sink.stop();
      await worker.stop();
    }
  });
});

function sorted({ shares, minutes, blocks }: SinkContents): unknown {
  const byName = (sums: Readonly<Record<string, number>>) =>
    Object.entries(sums).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { shares: byName(shares), minutes: byName(minutes), blocks: blocks.toSorted() };
}

function isDeepEqual(a: SinkContents, b: SinkContents): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

describe('brokers', () => {
  it('are several: the next one is taken when one is down, and the batch goes there', async () => {
    const second = await startRabbit();
    const sink = sinkOn('failover', { url: `${rabbit.url};${second.url}` });
    try {
      await sink.open();
      await sink.deliver(batch(START, { shares: [share(1, 'alice', '', 8)] }));
      await rabbit.kill();
      const more = batch({ seq: 2, minute: 0, block: 0 }, { shares: [share(2, 'bob', '', 4)] });
      await assert.rejects(async () => {
        await sink.deliver(more);
        await sink.deliver(more);
      });
      await sink.open();
      await sink.deliver(more);
      assert.equal(sink.status()['broker'], `amqp://127.0.0.1:${second.port}//`);
      const [task] = rawMessages(second.port, 'failover').map(taskOf);
      assert.deepEqual(task?.args, ['bob', 4]);
    } finally {
      await sink.stop();
      await second.stop();
      await rabbit.start();
    }
  });

  it('that are all down are named without their passwords', async () => {
    const sink = sinkOn('none', {
      url: 'amqp://u:S01-secret@127.0.0.1:1//;amqp://u:S02-secret@127.0.0.1:2/v',
    });
    await assert.rejects(sink.open(), (error: Error) => {
      assert.match(error.message, /127\.0\.0\.1:1\/.*127\.0\.0\.1:2\/v/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    await sink.stop();
  });

  it('speak TLS, with a certificate that is trusted', async () => {
    const url = `amqps://guest:guest@127.0.0.1:${rabbit.tlsPort}//`;
    const trusting = sinkOn('tls', { url, ssl: { ca_certs: certificate } });
    await trusting.open();
    await trusting.deliver(batch(START, { shares: [share(1, 'alice', '', 8)] }));
    await trusting.stop();
    assert.equal(rawMessages(rabbit.port, 'tls').length, 1);
    const strict = sinkOn('tls', { url });
    await assert.rejects(strict.open(), /self-signed certificate/);
    await strict.stop();
  });

  it('keep a queue that the operator made with other arguments', async () => {
    const { connect } = await import('amqplib');
    const model = await connect(`amqp://guest:guest@127.0.0.1:${rabbit.port}`);
    const channel = await model.createChannel();
    await channel.assertQueue('mine', { durable: true, arguments: { 'x-max-priority': 5 } });
    const sink = sinkOn('mine');
    await sink.open();
    await sink.deliver(batch(START, { shares: [share(1, 'alice', '', 8)] }));
    await sink.stop();
    assert.equal(rawMessages(rabbit.port, 'mine').length, 1);
    await model.close();
  });

  it('that route a task to no queue have not taken it', async () => {
    const { connect } = await import('amqplib');
    const model = await connect(`amqp://guest:guest@127.0.0.1:${rabbit.port}`);
    const channel = await model.createChannel();
    const sink = sinkOn('lost');
    await sink.open();
    await channel.unbindQueue('lost', 'lost', 'lost');
    const made = batch(START, { shares: [share(1, 'alice', '', 8)] });
    await assert.rejects(sink.deliver(made), /routes a task to no queue/);
    // Connecting anew binds it again.
    await sink.open();
    await sink.deliver(made);
    await sink.stop();
    assert.equal(rawMessages(rabbit.port, 'lost').length, 1);
    await model.close();
  });

  it('that hang do not hold up a stop', async () => {
    const sink = sinkOn('hang');
    await sink.open();
    process.kill(rabbit.pid, 'SIGSTOP');
    try {
      const delivery = sink.deliver(batch(START, { shares: [share(1, 'alice', '', 8)] }));
      const failed = assert.rejects(delivery, /stopped/);
      const from = performance.now();
      await sink.stop();
      await failed;
      assert.ok(performance.now() - from < 3000);
    } finally {
      process.kill(rabbit.pid, 'SIGCONT');
    }
  });
});
