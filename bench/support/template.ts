/**
 * A getblocktemplate result as a busy chain's daemon gives it: thousands of well-formed transactions
 * (valid on no chain) of about 400 bytes, most with a witness, and a commitment that holds.
 */
import { randomBytes } from 'node:crypto';
import { decodeTx, doubleSha, rootOf } from '../../test/support/oracle.ts';

const DATA_BYTES = 400;

export interface TemplateTransaction {
  readonly data: string;
  readonly txid: string;
  readonly hash: string;
  readonly depends: readonly number[];
  readonly fee: number;
  readonly sigops: number;
  readonly weight: number;
}

/** One input, one output; seven of ten with a witness. */
function rawTransaction(index: number): { data: string; weight: number } {
  const size = DATA_BYTES + ((index * 37) % 101) - 50;
  const output = `01a086010000000000160014${randomBytes(20).toString('hex')}`;
  const input = `01${randomBytes(32).toString('hex')}00000000`;
  const item = Buffer.alloc(2);
  if (index % 10 < 7) {
    item.writeUInt16LE(size - 160);
    const witness = `01fd${item.toString('hex')}${randomBytes(size - 160).toString('hex')}`;
    const base = (`02000000${input}00fdffffff${output}00000000`.length / 2) * 3;
    const data = `020000000001${input}00fdffffff${output}${witness}00000000`;
    return { data, weight: base + data.length / 2 };
  }
  item.writeUInt16LE(size - 95);
  const script = `fd${item.toString('hex')}${randomBytes(size - 95).toString('hex')}`;
  const data = `02000000${input}${script}fdffffff${output}00000000`;
  return { data, weight: data.length * 2 };
}

export function syntheticTransaction(index: number): TemplateTransaction {
  const { data, weight } = rawTransaction(index);
  const { txid, wtxid } = decodeTx(Buffer.from(data, 'hex'));
  return { data, txid, hash: wtxid, depends: [], fee: 1000 + index, sigops: 4, weight };
}

export interface TemplateWishes {
  readonly transactions: readonly TemplateTransaction[];
  readonly previousHashHexBE: string;
  readonly height: number;
  /** Compact target, hex as a daemon writes it. */
  readonly bitsHex: string;
  readonly targetHexBE: string;
  readonly time: number;
  readonly longpollId: string;
}

export function templateOf(wishes: TemplateWishes): Readonly<Record<string, unknown>> {
  const { transactions, previousHashHexBE, height, bitsHex, targetHexBE, time } = wishes;
  const root = rootOf(['00'.repeat(32), ...transactions.map((one) => one.hash)]);
  const rootLE = Buffer.from(root, 'hex').toReversed();
  const commitment = doubleSha(Buffer.concat([rootLE, Buffer.alloc(32)]));
  return {
    capabilities: ['proposal'],
    version: 0x20000000,
    rules: ['csv', '!segwit', 'taproot'],
    vbavailable: {},
    vbrequired: 0,
    previousblockhash: previousHashHexBE,
    transactions,
    coinbaseaux: { flags: '' },
    coinbasevalue: 1_250_000_000 + transactions.reduce((sum, { fee }) => sum + fee, 0),
    longpollid: wishes.longpollId,
    target: targetHexBE,
    mintime: time - 3600,
    mutable: ['time', 'transactions', 'prevblock'],
    noncerange: '00000000ffffffff',
    sigoplimit: 80_000,
    sizelimit: 4_000_000,
    weightlimit: 4_000_000,
    curtime: time,
    bits: bitsHex,
    height,
    default_witness_commitment: `6a24aa21a9ed${commitment.toString('hex')}`,
  };
}
