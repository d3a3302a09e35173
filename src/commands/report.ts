/** `powerpool report config.yml`: shares, hashrate and blocks per address, from the ledger's files. */
import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import { ledgerPath } from '../config/load.ts';
import type { Config } from '../config/types.ts';
import { algorithmFor } from '../pool-algorithms.ts';
import type { LedgerReport, ReportRow } from '../ledger/report.ts';
import { ledgerReport } from '../ledger/report.ts';
import { algorithm } from '../pow/algorithms.ts';
import { readConfigFile } from './config-file.ts';
import { configFileOf, integerOption, readOptions, serverNumberOption } from './usage.ts';
import type { Terminal } from './usage.ts';

const HELP = `usage: powerpool report CONFIG.yml [options]

  -s, --server-number N   as for the pool
      --address ADDRESS   only this address
      --workers           a line for each worker instead of each address
      --blocks N          how many blocks, newest first   (20)
      --json              everything, for programs

Reads the ledger beside a running pool or without one.
`;

const UNITS = ['H/s', 'kH/s', 'MH/s', 'GH/s', 'TH/s', 'PH/s', 'EH/s', 'ZH/s'];

/** 1234567 → '1.23 MH/s'. */
export function hashrateText(hashesPerSecond: number): string {
  let value = hashesPerSecond;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(2)} ${UNITS[unit]}`;
}

/** Lines of columns: text left, numbers right. */
function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left: number,
): string {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at < left ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('  ')
      .trimEnd();
  return `${[head, ...rows].map(line).join('\n')}\n`;
}

function timeText(ms: number | null): string {
  return ms === null ? '-' : `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}

function workerCells(row: ReportRow, withWorker: boolean): string[] {
  return [
    row.address,
    ...(withWorker ? [row.worker] : []),
    row.algorithm,
    hashrateText(row.hashrate1h),
    hashrateText(row.hashrate24h),
    row.accepted24h.toPrecision(6),
    String(row.rejected24h.count),
    timeText(row.lastShareMs),
  ];
}

function reportText(report: LedgerReport, withWorkers: boolean): string {
  const rows = withWorkers ? report.workers : report.addresses;
  const head = ['address', ...(withWorkers ? ['worker'] : []), 'algo'];
  const miners = table(
    [...head, '1 h', '24 h', 'difficulty 24 h', 'refused 24 h', 'last share'],
    rows.map((row) => workerCells(row, withWorkers)),
    head.length,
  );
  const blocks = table(
    ['chain', 'state', 'hash', 'height', 'found', 'by', 'reward', 'answers'],
    report.blocks.map((block) => [
      block.chain,
      block.state,
      block.hashHexBE,
      String(block.height),
      timeText(block.time),
      `${block.address}.${block.worker}`,
      block.totalSubsidy === null ? '-' : String(block.totalSubsidy),
      block.answers.map(({ daemon, answer }) => `${daemon} ${answer}`).join('; '),
    ]),
    3,
  );
  return `${rows.length === 0 ? 'no shares in the last day\n' : miners}\n${report.blocks.length === 0 ? 'no blocks\n' : blocks}`;
}

/** Hashes behind difficulty 1: the chain's own figure, else the algorithm's. */
function hashesPerDifficulty1(config: Config, name: string): number {
  const chain = config.mainChains.find(
    ({ settings }) => algorithm(settings.algo)?.name === name || settings.algo === name,
  );
  if (chain === undefined) return algorithm(name)?.hashesPerShare ?? 0;
  return (
    chain.settings.hashes_per_share ?? algorithmFor(config, chain.settings.algo).hashesPerShare
  );
}

export function reportCommand(argv: readonly string[], terminal: Terminal): number {
  const { values, positionals } = readOptions('report', argv, {
    'server-number': { type: 'string', short: 's' },
    address: { type: 'string' },
    workers: { type: 'boolean', default: false },
    blocks: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (values.help) {
    terminal.out(HELP);
    return 0;
  }
  const file = configFileOf('report', positionals);
  const number = serverNumberOption(values['server-number']);
  const { config } = readConfigFile(file, number, terminal);
  if (config === undefined) return 1;
  const report = ledgerReport({
    path: join(ledgerPath(config), 'ledger.db'),
    now: systemClock.now(),
    hashesPerDifficulty1: (name) => hashesPerDifficulty1(config, name),
    blocks: integerOption('blocks', values.blocks, { least: 0, most: 100_000, otherwise: 20 }),
    ...(values.address !== undefined && { address: values.address }),
  });
  terminal.out(
    values.json
      ? `${JSON.stringify(report, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value), 2)}\n`
      : reportText(report, values.workers),
  );
  return 0;
}
