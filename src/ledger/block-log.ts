/**
 * The log of solved blocks on the control thread (design rule 5): a block is a file before append()
 * returns, so it survives the death of the process without asking the writer thread; the file is synced
 * meanwhile, its row follows, and it is removed when the row is there and a daemon has answered.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BlockAnswer, BlockLog, BlockRef, BlockState, SolvedBlock } from '../ports.ts';
import {
  BLOCK_SUFFIX,
  blockKey,
  headerOf,
  parseBlockFile,
  readBlockFile,
  solvedBlock,
  writeBlockFile,
} from './block-file.ts';
import type { SettledBlock } from './block-table.ts';
import { LedgerError } from './errors.ts';
import type { BlockOperation } from './messages.ts';
import type { LedgerQueries } from './queries.ts';

/** Keys kept to recognise a replayed solve; an older one is recognised by the daemons. */
export const REMEMBERED_BLOCKS = 10_000;

export interface FileBlockLogOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly query: LedgerQueries;
  /** To the writer thread, in order. */
  readonly post: (operations: readonly BlockOperation[]) => void;
  /** Resolves once what was posted before has been tried. */
  readonly barrier: () => Promise<void>;
}

export class FileBlockLog implements BlockLog {
  readonly #options: FileBlockLogOptions;
  readonly #known = new Set<string>();
  /** Blocks that have a file, by key. */
  readonly #files = new Map<string, string>();
  /** Settled, but not stored so yet. */
  readonly #settling = new Set<string>();

  private constructor(options: FileBlockLogOptions) {
    this.#options = options;
  }

  /** Takes up what earlier runs left: files go to the writer again, known blocks are remembered. */
  static async open(options: FileBlockLogOptions): Promise<FileBlockLog> {
    const blocks = new FileBlockLog(options);
    const recent = await options.query.recentBlockKeys(REMEMBERED_BLOCKS);
    for (const { chain, hashHexBE } of recent.toReversed()) blocks.#remember(chain, hashHexBE);
    blocks.#takeUpFiles();
    return blocks;
  }

  append(block: SolvedBlock): boolean {
    const { chain, hashHexBE } = block;
    const key = blockKey(chain, hashHexBE);
    if (this.#known.has(key)) return false;
    this.#remember(chain, hashHexBE);
    let file: string;
    try {
      file = writeBlockFile(this.#options.directory, block);
    } catch (error) {
      const hex = block.submit.hex.slice();
      this.#options.post([{ op: 'block', header: headerOf(block), source: { hex } }]);
      throw new LedgerError(
        'BLOCK_LOG',
        `ledger: block ${hashHexBE} of ${chain} cannot be written to ${this.#options.directory}: ` +
          `${messageOf(error)}. It is submitted all the same, but would not survive a crash now`,
        { cause: error },
      );
    }
    this.#files.set(key, file);
    void this.#sync(file);
    this.#options.post([{ op: 'block', header: headerOf(block), source: { file } }]);
    return true;
  }

  answered(chain: string, hashHexBE: string, answer: BlockAnswer): void {
    this.#options.post([{ op: 'answer', chain, hashHexBE, answer }]);
  }

  valued(chain: string, hashHexBE: string, totalSubsidy: bigint): void {
    this.#options.post([{ op: 'value', chain, hashHexBE, totalSubsidy }]);
  }

  settled(chain: string, hashHexBE: string, state: BlockState): void {
    const timeMs = this.#options.clock.now();
    const key = blockKey(chain, hashHexBE);
    if (state !== 'pending' && this.#files.has(key)) this.#settling.add(key);
    this.#options.post([{ op: 'state', chain, hashHexBE, state, timeMs }]);
  }

  async pending(): Promise<readonly SolvedBlock[]> {
    await this.#options.barrier();
    const stored = await this.#options.query.pendingBlocks();
    const keys = new Set(stored.map((block) => blockKey(block.chain, block.hashHexBE)));
    const unstored = await Promise.all(
      [...this.#files].filter(([key]) => !keys.has(key)).map(([, file]) => this.#fromFile(file)),
    );
    return [...stored, ...unstored]
      .filter((block) => block !== undefined)
      .filter((block) => !this.#settling.has(blockKey(block.chain, block.hashHexBE)));
  }

  async unsettled(chain: string): Promise<readonly BlockRef[]> {
    await this.#options.barrier();
    return await this.#options.query.unsettledBlocks(chain, this.#options.clock.now());
  }

  /** The writer has the block and it is not pending any more. */
  stored({ chain, hashHexBE }: SettledBlock): void {
    const key = blockKey(chain, hashHexBE);
    const file = this.#files.get(key);
    if (file === undefined) return;
    this.#files.delete(key);
    this.#settling.delete(key);
    unlink(file).catch((error: unknown) => {
      this.#options.log.warn(`the block file ${file} cannot be removed: ${messageOf(error)}`);
    });
  }

  #takeUpFiles(): void {
    const { directory, log } = this.#options;
    mkdirSync(directory, { recursive: true });
    for (const name of readdirSync(directory)) {
      const file = join(directory, name);
      if (!name.endsWith(BLOCK_SUFFIX)) {
        log.warn(
          `${file} is no whole block (the process died while it was written); it is left there`,
        );
        continue;
      }
      try {
        const { header } = readBlockFile(file);
        this.#remember(header.chain, header.hashHexBE);
        this.#files.set(blockKey(header.chain, header.hashHexBE), file);
        this.#options.post([{ op: 'block', header, source: { file } }]);
      } catch (error) {
        log.error(messageOf(error));
      }
    }
  }

  #remember(chain: string, hashHexBE: string): void {
    this.#known.add(blockKey(chain, hashHexBE));
    const oldest = this.#known.values().next().value;
    if (this.#known.size > REMEMBERED_BLOCKS && oldest !== undefined) this.#known.delete(oldest);
  }

  async #fromFile(file: string): Promise<SolvedBlock | undefined> {
    try {
      const { header, hex } = parseBlockFile(file, await readFile(file));
      return solvedBlock(header, hex);
    } catch (error) {
      this.#options.log.warn(messageOf(error));
      return undefined;
    }
  }

  /** The file's bytes and its name in the directory. */
  async #sync(file: string): Promise<void> {
    for (const path of [file, this.#options.directory]) {
      try {
        const handle = await open(path, 'r');
        try {
          await handle.datasync();
        } finally {
          await handle.close();
        }
      } catch (error) {
        this.#options.log.warn(`${path} cannot be synced to disk: ${messageOf(error)}`);
      }
    }
  }
}
