/** bcoin's own structures, as a second independent implementation to compare with. */
import { createRequire } from 'node:module';

interface BcoinTx {
  txid(): string;
  wtxid(): string;
  getWeight(): number;
  getSize(): number;
  getLegacySigops(): number;
  isCoinbase(): boolean;
  isSane(): boolean;
  toRaw(): Buffer;
}

interface BcoinBlock {
  rhash(): string;
  txs: BcoinTx[];
  verifyPOW(): boolean;
  createMerkleRoot(): Buffer;
  getCoinbaseHeight(): number;
  getCommitmentHash(encoding: 'hex'): string | null;
  createCommitmentHash(): Buffer;
  merkleRoot: string;
}

interface BcoinScript {
  getSigops(accurate: boolean): number;
}

// bcoin's native parts are not built here (no install scripts run); read when bcrypto is first loaded.
process.env['NODE_BACKEND'] = 'js';
const load = createRequire(import.meta.url);

export const bcoin = {
  tx: (raw: Uint8Array): BcoinTx =>
    (load('bcoin/lib/primitives/tx') as { fromRaw(raw: Buffer): BcoinTx }).fromRaw(
      Buffer.from(raw),
    ),
  block: (raw: Uint8Array): BcoinBlock =>
    (load('bcoin/lib/primitives/block') as { fromRaw(raw: Buffer): BcoinBlock }).fromRaw(
      Buffer.from(raw),
    ),
  script: (raw: Uint8Array): BcoinScript =>
    (load('bcoin/lib/script/script') as { fromRaw(raw: Buffer): BcoinScript }).fromRaw(
      Buffer.from(raw),
    ),
  merkle: load('bcrypto/lib/merkle') as {
    createBranch(hash: unknown, index: number, leaves: Buffer[]): Buffer[];
    createRoot(hash: unknown, leaves: Buffer[]): [Buffer, boolean];
  },
  hash256: load('bcrypto/lib/hash256') as unknown,
};
