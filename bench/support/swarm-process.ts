/** The load generator as a process of its own; `SwarmCalls` is what its parent may ask. */
import type { Work } from './miner.ts';
import { serve } from './remote.ts';
import { Swarm } from './swarm.ts';
import type { Arrivals, ConnectWishes, FloodWishes, MeasureWishes } from './swarm.ts';

/** What has to be known to make a share. */
export interface ShareParts {
  readonly work: Work;
  readonly extranonce1: string;
  readonly extranonce2Size: number;
  readonly user: string;
}

const swarm = new Swarm();
let arrivals: Promise<Arrivals> | undefined;

const calls = {
  connect: (wishes: ConnectWishes) => swarm.connect(wishes),
  flood: (wishes: FloodWishes) => swarm.flood(wishes),
  measure: (wishes: MeasureWishes) => swarm.measure(wishes),
  drain: () => swarm.drain(),
  closeAll: () => swarm.closeAll(),
  /** To be asked before the tip is moved; `arrivals` then resolves. */
  expectBroadcast: () => {
    arrivals = swarm.nextBroadcast();
    arrivals.catch(() => {});
  },
  arrivals: () => arrivals!,
  /** What the first miner works on. */
  shareParts: (): ShareParts => {
    const [{ latest, extranonce1, extranonce2Size, user } = missing()] = swarm.miners;
    return { work: latest ?? missing(), extranonce1, extranonce2Size, user };
  },
  /** The first miner sends a line; returns when. */
  sendLine: (line: string) => (swarm.miners[0] ?? missing()).sendLine(line),
};

function missing(): never {
  throw new Error('no miner with a job');
}

export type SwarmCalls = typeof calls;

serve(calls);
