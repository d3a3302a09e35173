/**
 * The aux chains of one main chain: what of them is committed to in the next job, and when their news
 * make a job of its own. A burst of news makes one job (setting aux_coalesce); a job that is made anyhow
 * takes along what has come. Chains whose ids collide cannot be in one tree: the one that has the slot
 * keeps it. Not here: getting the work and sending blocks (aux-chain.ts). Entry point: AuxMerge.
 */
import { AuxTree, auxPow, sameSlot } from '../coin/auxpow.ts';
import type { AuxProof } from '../coin/auxpow.ts';
import type { Cancel, Timers } from '../daemon/timers.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { AuxTarget, Solve } from '../ports.ts';
import type { AuxWork } from './aux-work.ts';

/** A merge-mined chain as a main chain sees it. */
export interface AuxSource {
  readonly key: string;
  readonly currency: string;
  /** Whether a new block of it makes miners drop the jobs they have. */
  readonly flush: boolean;
  /** The work to commit to now; undefined where there is none, or it is too old. */
  current(forNewTip: boolean): AuxWork | undefined;
  /** Called when the work changed; returns the unsubscribe function. */
  onWork(listener: (change: AuxChange) => void): () => void;
  solved(found: AuxSolve): void;
  /** What keeps it out of the jobs of a main chain; undefined when nothing does. */
  alarm(mainChain: string, reason: string | undefined): void;
}

export interface AuxChange {
  /** Another block of the aux chain, not only other transactions. */
  readonly newBlock: boolean;
}

export interface AuxSolve {
  readonly work: AuxWork;
  readonly solve: Solve;
  /** The proof of work for this block; made when it is asked for. */
  readonly proof: () => Uint8Array;
}

/** What a job commits to: kept with the job, as a solution is proved by what the job had. */
export interface MergedWork {
  readonly works: ReadonlyMap<string, AuxWork>;
  readonly tree: AuxTree;
  readonly targets: readonly AuxTarget[];
  readonly chainIds: readonly number[];
}

/** What a job commits to, whether the last one committed to something else, and whether it must be clean. */
export interface TakenAux {
  readonly merged: MergedWork | undefined;
  readonly isNews: boolean;
  readonly clean: boolean;
}

export interface AuxMergeOptions {
  /** Key of the main chain. */
  readonly chain: string;
  /** In the order of the setting merged. */
  readonly sources: readonly AuxSource[];
  readonly coalesceMs: number;
  readonly timers: Timers;
  readonly log: Log;
  /** News have waited for long enough: a job is wanted. */
  readonly onDue: () => void;
}

export class AuxMerge {
  readonly #options: AuxMergeOptions;
  readonly #unsubscribe: readonly (() => void)[];
  readonly #alarms = new Map<string, string>();
  #cancelDue: Cancel | undefined;
  #mustClean = false;
  #last: MergedWork | undefined;

  constructor(options: AuxMergeOptions) {
    this.#options = options;
    this.#unsubscribe = options.sources.map((source) =>
      source.onWork(({ newBlock }) => this.#changed(newBlock && source.flush)),
    );
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#cancelDue?.();
  }

  /**
   * What a job made now commits to. `clashing` names the ids that the parent's version carries whatever
   * is done about it.
   */
  take(isNewTip: boolean, clashing: (chainIds: readonly number[]) => readonly number[]): TakenAux {
    this.#cancelDue?.();
    this.#cancelDue = undefined;
    const mustClean = this.#mustClean;
    this.#mustClean = false;
    const before = this.#last;
    const works = this.#choose(isNewTip, clashing);
    if (!sameWorks(before, works)) this.#last = mergedWork(this.#options.sources, works);
    const isNews = this.#last !== before;
    return { merged: this.#last, isNews, clean: isNews && mustClean };
  }

  /** Hands a solution to every aux chain whose target it meets. */
  solved(solve: Solve, merged: MergedWork, proof: Omit<AuxProof, 'aux'>): void {
    for (const source of this.#options.sources) {
      const work = merged.works.get(source.key);
      if (work === undefined || !solve.chains.includes(source.key)) continue;
      const prove = (): Uint8Array => auxPow({ ...proof, aux: merged.tree.branchOf(work.chainId) });
      try {
        source.solved({ work, solve, proof: prove });
      } catch (error) {
        // The other chains' blocks do not depend on this one's.
        const { log } = this.#options;
        log.error(`ALARM: a solution of aux chain ${source.key} failed: ${messageOf(error)}`);
      }
    }
  }

  /** By aux chain: whether the newest job commits to its work, and what keeps it out if not. */
  status(): Record<string, unknown> {
    return Object.fromEntries(
      this.#options.sources.map(({ key }) => {
        const work = this.#last?.works.get(key);
        const reason = this.#alarms.get(key) ?? null;
        return [key, { in_job: work !== undefined, height: work?.height ?? null, alarm: reason }];
      }),
    );
  }

  #changed(mustClean: boolean): void {
    const { timers, coalesceMs, onDue } = this.#options;
    this.#mustClean ||= mustClean;
    this.#cancelDue ??= timers.after(coalesceMs, () => {
      this.#cancelDue = undefined;
      onDue();
    });
  }

  /** Those that have a slot first: a newcomer with the same id is left out, whoever stands before. */
  #choose(
    isNewTip: boolean,
    clashing: (chainIds: readonly number[]) => readonly number[],
  ): Map<string, AuxWork> {
    const candidates = this.#options.sources.flatMap((source) => {
      const work = source.current(isNewTip);
      return work === undefined ? [] : [{ source, work }];
    });
    const holds = ({ source, work }: (typeof candidates)[number]): boolean =>
      this.#last?.works.get(source.key)?.chainId === work.chainId;
    const ordered = [...candidates.filter(holds), ...candidates.filter((one) => !holds(one))];
    const clashes = new Set(clashing(ordered.map(({ work }) => work.chainId)));
    const chosen = new Map<string, AuxWork>();
    for (const { source, work } of ordered) {
      const other = [...chosen].find(([, one]) => sameSlot(one.chainId, work.chainId));
      const reason =
        other !== undefined
          ? `its chain id ${work.chainId} is that of ${other[0]}, and one tree cannot hold both`
          : clashes.has(work.chainId)
            ? `the parent's block version carries its chain id ${work.chainId}, and version rolling is off`
            : undefined;
      this.#alarm(source, reason);
      if (reason === undefined) chosen.set(source.key, work);
    }
    return chosen;
  }

  #alarm(source: AuxSource, reason: string | undefined): void {
    if (this.#alarms.get(source.key) === reason) return;
    const { chain, log } = this.#options;
    if (reason === undefined) {
      this.#alarms.delete(source.key);
      log.info(`aux chain ${source.key} can be mined with ${chain} again`);
    } else {
      this.#alarms.set(source.key, reason);
      log.error(`ALARM: aux chain ${source.key} is not mined with ${chain}: ${reason}`);
    }
    source.alarm(chain, reason);
  }
}

function sameWorks(merged: MergedWork | undefined, works: ReadonlyMap<string, AuxWork>): boolean {
  if (merged === undefined) return works.size === 0;
  if (merged.works.size !== works.size) return false;
  return [...works].every(([key, work]) => merged.works.get(key) === work);
}

function mergedWork(
  sources: readonly AuxSource[],
  works: ReadonlyMap<string, AuxWork>,
): MergedWork | undefined {
  if (works.size === 0) return undefined;
  const targets = sources.flatMap(({ key, currency }): AuxTarget[] => {
    const work = works.get(key);
    return work === undefined ? [] : [{ chain: key, currency, targetLE: work.targetLE }];
  });
  const all = [...works.values()];
  return {
    works,
    tree: new AuxTree(all),
    targets,
    chainIds: all.map((work) => work.chainId),
  };
}
