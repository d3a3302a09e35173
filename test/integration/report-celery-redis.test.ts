/**
 * The Celery sink with Redis for a broker: the contract of sinks, kombu's envelope as Celery's own client
 * writes it, and a real worker that takes tasks from there.
 * needs: redis-server, python3-celery
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { CelerySink } from '../../src/report/celery.ts';
import { encodeTask } from '../../src/report/celery-message.ts';
import type { CeleryTask } from '../../src/report/celery-message.ts';
import { parseBrokers } from '../../src/report/broker-url.ts';
import { RedisBroker } from '../../src/report/celery-redis.ts';
import { silentLog } from '../../src/log.ts';
import { CeleryWorker, sendByCelery } from '../support/celery-peer.ts';
import { celerySettings } from '../support/celery-settings.ts';
import { startRedis } from '../support/redis.ts';
import type { RedisServer } from '../support/redis.ts';
import { eventually } from '../support/servers.ts';
import { MINUTE, START, batch, block, share, sinkContext, slice } from '../support/sink-batch.ts';

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

const url = () => `redis://127.0.0.1:${redis.port}/0`;

function sinkOn(queue: string, broker = url()): CelerySink {
  return new CelerySink(
    sinkContext(celerySettings({ BROKER_URL: broker, CELERY_DEFAULT_QUEUE: queue })),
  );
}

/** Takes the messages out, oldest first; body decoded, without what names sender or delivery. */
async function taken(): Promise<unknown[]> {
  const raw = await redis.ask<string[]>('lrange', 'celery', '0', '-1');
  await redis.ask('del', 'celery');
  return raw.toReversed().map((text) => {
    const { body, properties, headers, ...rest } = JSON.parse(text) as Record<
      string,
      Record<string, unknown>
    >;
    const { reply_to: _r, delivery_tag: tag, ...named } = properties!;
    assert.match(String(tag), /^[0-9a-f-]{36}$/);
    const { origin: _o, argsrepr: _a, kwargsrepr: _k, ...known } = headers!;
    const decoded: unknown = JSON.parse(Buffer.from(String(body), 'base64').toString());
    return { ...rest, properties: named, headers: known, body: decoded };
  });
}

describe('Redis as a broker', () => {
  const task: CeleryTask = {
    name: 'simplecoin.tasks.add_share',
    id: '11111111-2222-5333-8444-555555555555',
    args: ['addr', 12.5],
    kwargs: {},
  };

  for (const protocol of [1, 2] as const) {
    it(`gets the envelope that Celery itself writes in protocol ${protocol}`, async () => {
      const routing = { queue: 'celery', exchange: 'celery', routingKey: 'celery' };
      const broker = new RedisBroker({
        brokers: parseBrokers(url()),
        routing,
        ssl: null,
        log: silentLog,
      });
      await broker.open();
      await broker.publish([encodeTask(task, protocol, 'me')]);
      await broker.close();
      const ours = await taken();
      sendByCelery(url(), protocol, [task]);
      const theirs = await taken();
      assert.equal(theirs.length, 1);
      assert.deepEqual(ours, theirs);
    });
  }

  it('hands tasks to a worker, in order, over a crash of Redis', async () => {
    const worker = new CeleryWorker(url(), 'work');
    worker.start();
    const sink = sinkOn('work', `redis://127.0.0.1:1/0;${url()}`);
    try {
      await sink.open();
      await sink.deliver(
        batch(START, { shares: [share(1, 'alice', 'rig', 8)], blocks: [block(1, 'aa')] }),
      );
      await redis.crash();
      const minutes = [{ id: 1, time: MINUTE, slices: [slice('bob', '', 2, 3)] }];
      const next = batch({ seq: 2, minute: 0, block: 1 }, { minutes });
      for (let tries = 0; ; tries++) {
        try {
          await sink.open();
          await sink.deliver(next);
          break;
        } catch (error) {
          if (tries === 20) throw error;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
      await eventually('all tasks ran', () => worker.received().length >= 3, 20_000);
      const got = worker
        .received()
        .map(({ task: name, args, kwargs }) => [name, args, kwargs['user']]);
      assert.deepEqual(got, [
        ['add_share', ['alice', 8], undefined],
        ['add_block', [], 'alice'],
        ['add_one_minute', [], 'bob'],
      ]);
    } finally {
      await sink.stop();
      await worker.stop();
    }
  });
});
