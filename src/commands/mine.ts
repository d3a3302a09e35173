/** `powerpool mine`: the CPU test miner against any pool. */
import { createLog } from '../log.ts';
import { Miner } from '../miner/miner.ts';
import { ALGORITHMS, algorithm } from '../pow/algorithms.ts';
import { integerOption, readOptions, UsageError } from './usage.ts';
import type { Terminal } from './usage.ts';

const HELP = `usage: powerpool mine [options]

  --url URL          pool, stratum+tcp://host:port   (stratum+tcp://127.0.0.1:3333)
  --user NAME        user name, usually ADDRESS.worker  (donate.miner)
  --password TEXT    password                        (x)
  --algo NAME        ${ALGORITHMS.map(({ name }) => name).join(', ')}  (sha256d)
  --threads N        hash threads                    (1)
  --shares N         stop after N accepted shares
  --no-version-rolling
`;

/** host and port of stratum+tcp://host:port, tcp://…, or plain host:port. */
export function poolAddress(url: string): { readonly host: string; readonly port: number } {
  const match = /^(?:(?:stratum\+)?tcp:\/\/)?(?:\[([0-9a-f:]+)\]|([^:/\s]+)):(\d+)\/?$/i.exec(url);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    throw new UsageError(`--url: found "${url}", expected stratum+tcp://host:port`);
  }
  return { host: match[1] ?? match[2]!, port };
}

export async function mineCommand(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = readOptions('mine', argv, {
    url: { type: 'string', default: 'stratum+tcp://127.0.0.1:3333' },
    user: { type: 'string', default: 'donate.miner' },
    password: { type: 'string', default: 'x' },
    algo: { type: 'string', default: 'sha256d' },
    threads: { type: 'string' },
    shares: { type: 'string' },
    'no-version-rolling': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (values.help) {
    terminal.out(HELP);
    return 0;
  }
  const found = algorithm(values.algo);
  if (found === undefined) {
    const known = ALGORITHMS.map(({ name }) => name).join(', ');
    throw new UsageError(`--algo: found "${values.algo}", expected one of ${known}`);
  }
  if (found.headerBytes !== 80) {
    throw new UsageError(`--algo ${found.name}: its header is not mined over Stratum V1`);
  }
  const threads = integerOption('threads', values.threads, { least: 1, most: 256, otherwise: 1 });
  const wanted = integerOption('shares', values.shares, {
    least: 1,
    most: Number.MAX_SAFE_INTEGER,
    otherwise: Number.MAX_SAFE_INTEGER,
  });
  const log = createLog({ level: 'info', pretty: terminal.color });
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const miner = new Miner(
    {
      ...poolAddress(values.url),
      user: values.user,
      password: values.password,
      versionRolling: !values['no-version-rolling'],
      algorithm: found,
      threads,
      wanted,
      log,
    },
    () => {
      if (miner.counts.accepted >= wanted) finish();
    },
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, finish);
  await miner.start();
  const rates = setInterval(() => {
    log.info('hashrate', { hashes_per_second: Math.round(miner.takeHashes() / 10) });
  }, 10_000);
  await finished;
  clearInterval(rates);
  await miner.stop();
  const { accepted, rejected } = miner.counts;
  log.info('stopped', { accepted, rejected });
  return 0;
}
