/**
 * Entry of the ledger's writer thread, the only writer of the ledger (design rule 7). Everything that
 * does something is in turn.ts (shares), block-queue.ts (blocks) and store.ts (files); this file joins
 * them to the ports and says in which order things go: shares first, then one piece of idle work.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { PoolError, messageOf } from '../errors.ts';
import { BlockQueue } from './block-queue.ts';
import type {
  FromWriter,
  ReaderToWriter,
  ToWriter,
  WriterData,
  WriterToReader,
} from './messages.ts';
import { LedgerStore } from './store.ts';
import { threadLog } from './thread-log.ts';
import { Turn } from './turn.ts';

const TICK_MS = 200;
const STATUS_MS = 1000;
const EXPIRY_MS = 3_600_000;
/** At a stop, minutes that are not in the index yet get this long; the rest is done at the next start. */
const STOP_INDEX_MS = 2000;

const { settings, retention, readerPort } = workerData as WriterData;

function send(message: FromWriter): void {
  parentPort?.postMessage(message);
}

function tellReader(message: WriterToReader): void {
  readerPort.postMessage(message);
}

const log = threadLog((level, text, fields) => send({ type: 'log', level, text, fields }));

function openStore(): LedgerStore | undefined {
  try {
    return new LedgerStore({
      ...settings,
      clock: systemClock,
      onRolled: (day, previous) => tellReader({ type: 'rolled', day, previous }),
      onUnlink: (day) => tellReader({ type: 'unlink', day }),
      warn: (message) => log.warn(message),
    });
  } catch (error) {
    const code = error instanceof PoolError ? error.code : 'IO';
    send({ type: 'failed', code, message: messageOf(error) });
    return undefined;
  }
}

function run(store: LedgerStore): void {
  const turn = new Turn(store, systemClock, log);
  const blocks = new BlockQueue(store, log, (block) =>
    send({ type: 'blockSettled', chain: block.chain, hashHexBE: block.hashHexBE }),
  );
  let idleScheduled = false;
  let tickFailing = false;

  function attempt(work: () => void): void {
    try {
      work();
      tickFailing = false;
    } catch (error) {
      if (!tickFailing) log.error(`minute slices cannot be written: ${messageOf(error)}; retrying`);
      tickFailing = true;
    }
  }

  function scheduleIdle(): void {
    if (idleScheduled) return;
    idleScheduled = true;
    setImmediate(() => {
      idleScheduled = false;
      attempt(() => {
        if (store.idle()) scheduleIdle();
      });
    });
  }

  const ticker = setInterval(() => {
    attempt(() => store.tick());
    blocks.run();
    scheduleIdle();
  }, TICK_MS);
  const reporter = setInterval(() => send({ type: 'status', status: turn.status() }), STATUS_MS);
  const expirer = setInterval(() => store.expire(retention), EXPIRY_MS);
  store.expire(retention);

  function stop(): void {
    for (const timer of [ticker, reporter, expirer]) clearInterval(timer);
    turn.drain();
    blocks.run();
    const endsAt = systemClock.monotonic() + STOP_INDEX_MS;
    attempt(() => {
      store.finishMinutes();
      while (store.minutesToIndex > 0 && systemClock.monotonic() < endsAt) store.idle();
    });
    attempt(() => store.close());
    send({ type: 'status', status: turn.status() });
    send({ type: 'stopped' });
    parentPort?.close();
    readerPort.close();
  }

  readerPort.on('message', (message: ReaderToWriter) => store.releaseDay(message.day));
  parentPort?.on('message', (message: ToWriter) => {
    switch (message.type) {
      case 'connect':
        turn.connect(message.port);
        break;
      case 'blocks':
        blocks.add(message.operations);
        blocks.run();
        break;
      case 'cursor':
        try {
          const position = store.applyCursor(message.operation);
          send({ type: 'reply', id: message.id, ...(position !== undefined && { position }) });
        } catch (error) {
          send({ type: 'reply', id: message.id, error: messageOf(error) });
        }
        break;
      case 'barrier':
        send({ type: 'reply', id: message.id });
        break;
      case 'stop':
        stop();
    }
  });
  scheduleIdle();
  send({ type: 'ready', ledgerId: store.id });
}

const store = openStore();
if (store === undefined) {
  parentPort?.close();
  readerPort.close();
} else run(store);
