/**
 * The merge-mined chains of a configuration, with their groups of daemons. Part of the composition root
 * (pool.ts). Entry point: auxChains.
 */
import type { Clock } from './clock.ts';
import type { Component, Config } from './config/types.ts';
import { auxGroup } from './daemon/aux-feed.ts';
import type { DaemonGroup } from './daemon/group.ts';
import { AuxChain } from './jobs/aux-chain.ts';
import type { Log } from './log.ts';
import type { BlockLog } from './ports.ts';
import { algorithmFor } from './pool-algorithms.ts';
import { daemonOptions } from './pool-daemons.ts';

export interface Aux {
  readonly group: DaemonGroup;
  readonly chain: AuxChain;
}

export interface AuxParts {
  readonly blockLog: BlockLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly logOf: (part: Component<'aux_chain'>) => Log;
}

/** Longest answer of an aux daemon, whose work is a few hundred bytes: parsing garbage takes no time. */
const MAX_AUX_ANSWER = 1024 * 1024;

/** Those that are enabled and that a main chain names; the others are said to be left out. */
export function auxChains(config: Config, parts: AuxParts): readonly Aux[] {
  const named = new Set(config.mainChains.flatMap(({ settings }) => settings.merged));
  return config.auxChains.flatMap((part) => {
    const { enabled } = part.settings;
    if (enabled && named.has(part.key)) return auxChain(config, parts, part);
    const why = enabled ? 'no main chain names it under merged' : 'it is not enabled';
    parts.log.warn(`aux chain ${part.key} is not mined: ${why}`);
    return [];
  });
}

function auxChain(config: Config, parts: AuxParts, part: Component<'aux_chain'>): Aux {
  const { key, settings } = part;
  const { pool_address: address } = settings;
  const { blockLog, clock } = parts;
  const log = parts.logOf(part);
  const group = auxGroup(
    {
      key,
      currency: settings.currency,
      daemons: settings.coinservs.map((one) => ({
        ...daemonOptions(one, settings.rpc_timeout),
        maxAnswerBytes: MAX_AUX_ANSWER,
      })),
      pingMs: settings.rpc_ping_int * 1000,
      clock,
      log,
    },
    {
      method: address === null ? 'getauxblock' : 'createauxblock',
      params: address === null ? [] : [address],
      intervalMs: settings.work_interval * 1000,
      poll: settings.poll ?? settings.signal === null,
    },
  );
  const { name, diff1 } = algorithmFor(config, settings.algo);
  const chain = new AuxChain({
    key,
    settings,
    algorithm: name,
    diff1,
    group,
    blockLog,
    clock,
    log,
  });
  return { group, chain };
}
