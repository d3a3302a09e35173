/**
 * A process for the ledger's kill tests: opens a real Ledger, feeds it through two LedgerWriters as fast
 * as it can and says on standard output what it is about to send (`s`) and what was acknowledged (`t`,
 * or `f` for refused). Every line is written synchronously, so the reader knows what this process knew
 * when it died. A line on standard input ends it gracefully.
 *
 * argv: ledger path, run number, length of a slice in ms. Record n of a run is a function of n alone
 * (expectedRecord), so that the test knows what has to stand in the ledger.
 */
import { openSync, writeSync } from 'node:fs';
import { systemClock } from '../../src/clock.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { LedgerWriter } from '../../src/ledger/writer.ts';
import { silentLog } from '../../src/log.ts';
import type { ShareKind } from '../../src/ports.ts';

export const CHILD_SOURCE = {
  server: 'stratum',
  chain: 'BTC',
  currency: 'BTC',
  algorithm: 'sha256d',
};

/** Sums of these are exact in any order. */
export function expectedRecord(n: number): { worker: string; kind: ShareKind; difficulty: number } {
  const kind = n % 10 === 3 ? 3 : 0;
  return { worker: `w${n % 300}`, kind, difficulty: 2 ** ((n % 14) - 3) };
}

type Say = (line: string) => void;

function feed(
  writer: LedgerWriter,
  name: string,
  run: number,
  next: () => number,
  say: Say,
): () => void {
  const source = writer.source(CHILD_SOURCE);
  const hashLE = Buffer.alloc(8);
  writer.onAck((batch, ok) => say(`${ok ? 't' : 'f'} ${name} ${batch}`));
  return () => {
    if (writer.outstandingBytes > 100_000) return;
    const size = 1 + ((next() * 7) % 40);
    let first = 0;
    let last = 0;
    for (let i = 0; i < size; i++) {
      last = next();
      first ||= last;
      const { worker, kind, difficulty } = expectedRecord(last);
      hashLE.writeUInt32LE(last, 0);
      hashLE.writeUInt32LE(run, 4);
      const ref = writer.worker('address', worker);
      writer.add(
        ref,
        source,
        kind,
        systemClock.now(),
        difficulty,
        difficulty,
        run,
        hashLE,
        0,
        1,
        0,
      );
      writer.releaseWorker(ref);
    }
    say(`s ${name} ${first} ${last}`);
    say(`b ${name} ${writer.flush()} ${first} ${last}`);
  };
}

async function main(path: string, run: number, minuteMs: number, journal: string): Promise<void> {
  const file = openSync(journal, 'a');
  const say: Say = (line) => writeSync(file, `${line}\n`);
  const ledger = await Ledger.open({
    path,
    synchronous: 'normal',
    serverNumber: 0,
    minuteMs,
    retention: { sharesHours: 24, slicesDays: null, blocksDays: null },
    log: silentLog,
  });
  let n = 0;
  const next = () => ++n;
  const writers = [new LedgerWriter(ledger.connect()), new LedgerWriter(ledger.connect())];
  const feeds = writers.map((writer, index) => feed(writer, `w${index}`, run, next, say));
  const stop = new AbortController();
  process.stdin.once('data', () => stop.abort());
  writeSync(1, 'ready\n');
  while (!stop.signal.aborted) {
    for (const turn of feeds) turn();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ledger.stop();
  for (const writer of writers) writer.close();
  process.stdin.destroy();
  say('stopped');
}

if (process.argv[1]?.endsWith('ledger-child.ts') === true) {
  await main(process.argv[2]!, Number(process.argv[3]), Number(process.argv[4]), process.argv[5]!);
}
