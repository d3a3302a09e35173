/**
 * What is to be reached, beside what other pool servers reach: figures measured with one load generator
 * and one daemon stub on two shared cores (see RESULTS.md). A figure of ours names its row by key.
 */

export interface Target {
  readonly key: string;
  readonly what: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** Of ckpool, node-stratum-pool, PowerPool (Python), public-pool, as they were written down. */
  readonly peers: readonly [string, string, string, string];
  readonly must: number;
  readonly aim: number;
}

export const PEERS = ['ckpool', 'node-stratum-pool', 'PowerPool (Python)', 'public-pool'] as const;

const NONE: Target['peers'] = ['–', '–', '–', '–'];

export const TARGETS: readonly Target[] = [
  {
    key: 'shares-batched',
    what: 'sha256d shares per server-CPU-second, 100 connections × 8 outstanding',
    unit: '/s',
    better: 'more',
    peers: ['16,000', '5,950', '6,900', '850'],
    must: 64_000,
    aim: 100_000,
  },
  {
    key: 'shares-single',
    what: 'the same, 1,000 connections × 1 outstanding',
    unit: '/s',
    better: 'more',
    peers: ['12,300', '5,830', '4,000', '380'],
    must: 30_000,
    aim: 45_000,
  },
  {
    key: 'share-cpu',
    what: 'CPU per share (first row)',
    unit: 'µs',
    better: 'less',
    peers: ['63', '168', '145', '1,570'],
    must: 16,
    aim: 10,
  },
  {
    key: 'reply-p50',
    what: 'reply latency, 1 connection, p50',
    unit: 'ms',
    better: 'less',
    peers: ['0.3', '0.2', '0.4', '1.5'],
    must: 0.3,
    aim: 0.15,
  },
  {
    key: 'reply-p99',
    what: 'reply latency, 1 connection, p99',
    unit: 'ms',
    better: 'less',
    peers: ['1.3', '0.4', '0.9', '4.3'],
    must: 1,
    aim: 0.5,
  },
  {
    key: 'scrypt',
    what: 'scrypt shares per CPU-second (checked, refused)',
    unit: '/s',
    better: 'more',
    peers: ['–', '2,050', '–', '–'],
    must: 4000,
    aim: 8500,
  },
  {
    key: 'notify-first',
    what: 'new template ready → first notify out, 3000 transactions',
    unit: 'ms',
    better: 'less',
    peers: ['92–124', '73–81', '124–344', '245'],
    must: 30,
    aim: 10,
  },
  {
    key: 'notify-last-1000',
    what: '… → last of 1,000',
    unit: 'ms',
    better: 'less',
    peers: ['114', '117', '169', '939'],
    must: 50,
    aim: 25,
  },
  {
    key: 'notify-last-10000',
    what: '… → last of 10,000',
    unit: 'ms',
    better: 'less',
    peers: ['290', '382', '977', '6,310'],
    must: 180,
    aim: 110,
  },
  {
    key: 'connects',
    what: 'connects (subscribe, authorize, first job) per CPU-second',
    unit: '/s',
    better: 'more',
    peers: ['6,000', '3,200', '1,170', '280'],
    must: 6000,
    aim: 12_000,
  },
  {
    key: 'connection-memory',
    what: 'memory per idle connection',
    unit: 'kB',
    better: 'less',
    peers: ['5.4', '6.6', '43', '12.6'],
    must: 5.4,
    aim: 4,
  },
  {
    key: 'broadcast-growth',
    what: 'growth of memory after broadcasts to 10,000',
    unit: 'MB',
    better: 'less',
    peers: ['160', '207', '519', '–'],
    must: 60,
    aim: 20,
  },
  {
    key: 'solve-flood',
    what: 'winning share sent → first submitblock byte, 3000 transactions, under a flood of shares, p50',
    unit: 'ms',
    better: 'less',
    peers: NONE,
    must: 20,
    aim: 5,
  },
  {
    key: 'stall-listener',
    what: 'longest stall of a listener at full load',
    unit: 'ms',
    better: 'less',
    peers: NONE,
    must: 20,
    aim: 5,
  },
  {
    key: 'stall-control',
    what: 'longest stall of the control thread at full load',
    unit: 'ms',
    better: 'less',
    peers: NONE,
    must: 20,
    aim: 5,
  },
];
