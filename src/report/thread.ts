/**
 * Entry of a sink's thread: one sink, its own connection to the ledger's files, one runner. What fails
 * here, fails alone. reporters.ts starts it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { LedgerReader } from '../ledger/reader.ts';
import { threadLog } from '../ledger/thread-log.ts';
import type { LedgerPosition } from '../ports.ts';
import { SinkError, SinkUnfit } from './errors.ts';
import type { FromSink, SinkThreadData, ToSink } from './messages.ts';
import { Progress } from './progress.ts';
import { SinkRunner } from './runner.ts';
import { makeSink } from './sink-types.ts';
import { LedgerSource } from './source.ts';

const STATUS_MS = 1000;
/** A sink that is told to end and does not is left behind. */
const END_MS = 2000;

const data = workerData as SinkThreadData;

function send(message: FromSink): void {
  parentPort?.postMessage(message);
}

const log = threadLog((level, text, fields) => send({ type: 'log', level, text, fields }));

/** Questions to the control thread about the cursor. */
const asked = new Map<number, (error: string | undefined) => void>();
let lastId = 0;

function note(position: LedgerPosition, until?: LedgerPosition): Promise<void> {
  const id = ++lastId;
  send({ type: 'move', id, position, ...(until !== undefined && { until }) });
  return new Promise((resolve, reject) => {
    asked.set(id, (error) =>
      error === undefined ? resolve() : reject(new SinkError('CURSOR', error)),
    );
  });
}

async function main(): Promise<void> {
  const { key, settings, ledgerId, serverNumber, serverName, merged } = data;
  const reader = new LedgerReader({ path: data.ledgerPath });
  const sink = await makeSink(data.kind, {
    key,
    settings,
    ledgerId,
    serverNumber,
    serverName,
    merged,
    cursorKey: `${ledgerId}/${serverNumber}/${key}`,
    clock: systemClock,
    log,
  });
  const { servers, algorithms, silentChains, position, until, alarmMs } = data;
  const progress = new Progress({
    backlog: (seq) => reader.backlog(seq),
    alarmMs,
    clock: systemClock,
    log,
  });
  const runner = new SinkRunner({
    sink,
    source: new LedgerSource({
      reader,
      servers: new Set(servers),
      silentChains: new Set(silentChains),
      algorithms,
    }),
    position,
    until,
    note,
    onTried: (unfit) => send({ type: 'tried', ...(unfit !== undefined && { unfit }) }),
    progress,
    clock: systemClock,
    log,
  });
  const report = (): void => {
    const status = progress.status(runner.position);
    send({ type: 'status', status: { ...sink.status?.(), ...status } });
  };
  const timer = setInterval(() => {
    try {
      report();
    } catch (error) {
      log.warn(`the backlog cannot be counted: ${messageOf(error)}`);
    }
  }, STATUS_MS);
  let isDone = false;
  const ended = runner.run().then(() => {
    isDone = true;
  });
  const finish = async (drainMs: number): Promise<void> => {
    runner.drain();
    await Promise.race([ended, after(drainMs)]);
    if (!isDone)
      log.warn('stopped before everything was delivered; the rest follows at the next start');
    await Promise.race([runner.stop(), after(END_MS)]);
    await Promise.race([ended, after(END_MS)]);
    clearInterval(timer);
    reader.close();
    send({ type: 'stopped' });
    parentPort?.close();
  };
  onStop = (drainMs) => void finish(drainMs);
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

let onStop = (_drainMs: number): void => {
  send({ type: 'stopped' });
  parentPort?.close();
};

parentPort?.on('message', (message: ToSink) => {
  if (message.type === 'stop') {
    onStop(message.drainMs);
    return;
  }
  asked.get(message.id)?.(message.error);
  asked.delete(message.id);
});

main().catch((error: unknown) => {
  const message = messageOf(error);
  if (error instanceof SinkUnfit) send({ type: 'tried', unfit: message });
  else throw error;
});
