/** What a found block pays, asked of old daemons whose aux work does not say it. Entry point: blockValue. */
import type { SolvedBlock } from '../ports.ts';
import type { BlockDaemon } from './submission.ts';

/** Outputs of a coinbase that are looked at. */
const MAX_OUTPUTS = 8;
const TIMEOUT_MS = 5000;
/** Smallest units in a coin, of every chain that has getauxblock. */
const COIN = 100_000_000;

/** By getblock and gettxout; null where the daemon does not answer. Never rejects. */
export async function blockValue(
  daemon: BlockDaemon,
  block: Pick<SolvedBlock, 'hashHexBE'>,
): Promise<bigint | null> {
  const options = { timeoutMs: TIMEOUT_MS };
  try {
    const found = await daemon.call('getblock', [block.hashHexBE], options);
    const txid = coinbaseOf(found);
    if (txid === undefined) return null;
    const calls = Array.from({ length: MAX_OUTPUTS }, (_, index) => ({
      method: 'gettxout',
      params: [txid, index],
    }));
    const outputs = await daemon.batch(calls, options);
    const values = outputs.flatMap((one) => (one.ok ? valueOf(one.result) : []));
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0n);
  } catch {
    return null;
  }
}

function coinbaseOf(block: unknown): string | undefined {
  if (typeof block !== 'object' || block === null || !('tx' in block)) return undefined;
  const first: unknown = Array.isArray(block.tx) ? block.tx[0] : undefined;
  return typeof first === 'string' && /^[0-9a-f]{64}$/i.test(first) ? first : undefined;
}

/** Spent and unspendable outputs are null. */
function valueOf(output: unknown): bigint[] {
  if (typeof output !== 'object' || output === null || !('value' in output)) return [];
  const { value } = output;
  const units = typeof value === 'number' ? Math.round(value * COIN) : Number.NaN;
  return Number.isSafeInteger(units) && units >= 0 ? [BigInt(units)] : [];
}
