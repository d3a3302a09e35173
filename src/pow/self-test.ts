/**
 * Known answers that run at start: proof that the kernels compute what the networks computed, and the
 * warm-up that makes V8 optimise them before the first share. Headers of real blocks, whose hash meets
 * the block's own target, through every number of lanes; and a whole share (Bitcoin's block 170).
 */
import { fromHex, reversed, toHex } from '../coin/bytes.ts';
import { systemClock, type Clock } from '../clock.ts';
import type { Algorithm } from './algorithms.ts';
import { MEETS_MAIN, ShareChecker } from './checker.ts';
import { PowError } from './errors.ts';

interface Vector {
  readonly what: string;
  readonly headerHex: string;
  readonly hashHexBE: string;
}

/** By name of algorithm and parameter; an operator's own N has no published block and is only warmed up. */
const VECTORS: Readonly<Record<string, Vector>> = {
  'sha256d 0': {
    what: 'Bitcoin block 0',
    headerHex:
      '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c',
    hashHexBE: '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f',
  },
  'scrypt 1024': {
    what: 'Litecoin block 0',
    headerHex:
      '010000000000000000000000000000000000000000000000000000000000000000000000d9ced4ed1130f7b7faad9be25323ffafa33232a17c3edf6cfd97bee6bafbdd97b9aa8e4ef0ff0f1ecd513f7c',
    hashHexBE: '0000050c34a64b415b6b15b37f2216634b5b1669cb9a2e38d76f7213b0671e00',
  },
  'scrypt-n 2048': {
    what: 'Vertcoin block 0',
    headerHex:
      '010000000000000000000000000000000000000000000000000000000000000000000000e72301fc49323ee151cf1048230f032ca589753ba7086222a5c023e3a08cf34a8b35cf52f0ff0f1e0eba5700',
    hashHexBE: '000005cc425e3c06dd1416866440a70dc9eb4710b2e9c71653c8e197493cbbb9',
  },
  'blake256 8': {
    what: 'Blakecoin block 0',
    headerHex:
      '700000000000000000000000000000000000000000000000000000000000000000000000dc6d20f87fecae461784d8f417ac10ed061d7657eebadbc323c791bbd554469e11f35052ffff001effbd9207',
    hashHexBE: '000000ba5cae4648b1a2b823f84cc3424e5d96d7234b39c6bb42800b2c7639be',
  },
  'blake256-14 14': {
    what: "Blakecoin's block 0 with 14 rounds",
    headerHex:
      '700000000000000000000000000000000000000000000000000000000000000000000000dc6d20f87fecae461784d8f417ac10ed061d7657eebadbc323c791bbd554469e11f35052ffff001effbd9207',
    hashHexBE: '5c079138fa91fe69ca2c05fe7fbb1ef6149cc2c7d936a84081a1df052423199a',
  },
  'lyra2re 1': {
    what: 'a known answer',
    headerHex:
      '000000203a297b4b7685170d7644b43e5a6056234cc2414edde454a87580e1967d14c1078c13ea916117b0608732f3f65c2e03b81322efc0a62bcee77d8a9371261970a58a5a715da80e031b02560ad8',
    hashHexBE: '6f7c0bc4d41fdfaf4d734aa7f02654ab09e407dd29677a418f4ffa26b05751f9',
  },
  'lyra2rev2 2': {
    what: 'block 0 of Vertcoin testnet',
    headerHex:
      '010000000000000000000000000000000000000000000000000000000000000000000000e72301fc49323ee151cf1048230f032ca589753ba7086222a5c023e3a08cf34af2b54a58f0ff0f1e53f60d00',
    hashHexBE: '000001cd5d567d8234d9ecf83835501bed52dffdefd63e138d79d59da629f434',
  },
  'hefty1 0': {
    what: 'Heavycoin block 0',
    headerHex:
      '00127a08000000000000000000000000000000000000000000000000000000000000000057d5211969db1a406cf141ceabee2bc3f2b4df93d8746dec99e5a6f84bd28b7038f01a53e0ff1f1ecceb4f7d00000000',
    hashHexBE: '000010fea87dcd9ebd30af1105a16cd438217a1a6d0eff8d589d5d81e7fbcb0d',
  },
  'x11 0': {
    what: 'Dash block 0',
    headerHex:
      '010000000000000000000000000000000000000000000000000000000000000000000000c762a6567f3cc092f0684bb62b7e00a84890b990f07cc71a6bb58d64b98e02e0022ddb52f0ff0f1ec23fb901',
    hashHexBE: '00000ffd590b1485b3caadc19b22e6379c733355108f107a430458cdf3407ab6',
  },
};

/** Bitcoin block 170: coinbase, one more transaction, header. */
const BLOCK_170 = {
  coinbaseHex:
    '01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff0704ffff001d0102ffffffff0100f2052a01000000434104d46c4968bde02899d2aa0963367c7a6ce34eec332b32e42e5f3407e052d64ac625da6f0718e7b302140434bd725706957c092db53805b821a85b23a7ac61725bac00000000',
  txidHexBE: 'f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16',
  prevHashHexBE: '000000002a22cfee1f2c846adbd12b3e183d4f97683f85dad08a79780a84bd55',
  merkleRootHexBE: '7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff',
  hashHexBE: '00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee',
  time: 1231731025,
  bits: 0x1d00ffff,
  nonce: 1889418792,
  /** The scriptSig's last bytes play the extranonces. */
  extranonceAt: 47,
  extranonceSize: 2,
};

export interface SelfTestResult {
  readonly name: string;
  /** Whole shares, microseconds each: one at a time, and as many as a slice holds. */
  readonly singleUs: number;
  readonly batchUs: number;
  /** False where no published block exists for the parameter: then only share building was checked. */
  readonly known: boolean;
}

const fromHexBE = (hex: string): Uint8Array => reversed(fromHex(hex));
const toHexBE = (bytesLE: Uint8Array): string => toHex(reversed(bytesLE));

function fail(algorithm: Algorithm, what: string, seen: string, expected: string): never {
  throw new PowError(
    'self-test',
    `${algorithm.name}: self-test with ${what}: ${seen}, expected ${expected}; this kernel is not used`,
  );
}

function checkHeaders(checker: ShareChecker, vector: Vector): void {
  const { algorithm } = checker;
  const header = fromHex(vector.headerHex);
  for (let count = 1; count <= Math.max(4, algorithm.lanes); count++) {
    for (let i = 0; i < count; i++) checker.headers.set(header, i * header.length);
    checker.hashHeaders(0, count);
    for (let i = 0; i < count; i++) {
      const seen = toHexBE(checker.hashes.slice(i * 32, i * 32 + 32));
      if (seen === vector.hashHexBE) continue;
      fail(algorithm, `${vector.what} (${i + 1} of ${count})`, seen, vector.hashHexBE);
    }
  }
}

/** Loads block 170 as a job and stages its share `count` times. */
function stageBlock(checker: ShareChecker, count: number): number {
  const block = BLOCK_170;
  const coinbase = fromHex(block.coinbaseHex);
  const end = block.extranonceAt + block.extranonceSize;
  for (let i = 0; i < count; i++) {
    checker.extranonces.set(coinbase.subarray(block.extranonceAt, end), i * 16);
    checker.versions[i] = 1;
    checker.ntimes[i] = block.time;
    checker.nonces[i] = block.nonce;
  }
  return checker.addJob({
    id: 'self-test',
    coinb1: coinbase.subarray(0, block.extranonceAt),
    coinb2: coinbase.subarray(end),
    extranonceSize: block.extranonceSize,
    branch: fromHexBE(block.txidHexBE),
    prevHashLE: fromHexBE(block.prevHashHexBE),
    bits: block.bits,
    txidKind: 'sha256d',
    targetLE: fromHexBE('00000000ffff'.padEnd(64, '0')),
    aux: [],
  });
}

/** The headers of the last run, and for sha256d the hashes and flags, are those of block 170. */
function checkShares(checker: ShareChecker, count: number): void {
  const { algorithm } = checker;
  const size = algorithm.headerBytes;
  for (let i = 0; i < count; i++) {
    const root = toHexBE(checker.headers.subarray(i * size + 36, i * size + 68));
    if (root !== BLOCK_170.merkleRootHexBE) {
      fail(algorithm, 'Bitcoin block 170', root, BLOCK_170.merkleRootHexBE);
    }
    if (algorithm.name !== 'sha256d') continue;
    const hash = toHexBE(checker.hashes.subarray(i * 32, i * 32 + 32));
    if (hash !== BLOCK_170.hashHexBE || (checker.flags[i]! & MEETS_MAIN) === 0) {
      fail(algorithm, 'Bitcoin block 170', hash, BLOCK_170.hashHexBE);
    }
  }
}

/** Best time of one run in `budgetMs`, and at least two runs. */
function best(clock: Clock, budgetMs: number, run: () => void): number {
  const end = clock.monotonic() + budgetMs;
  let least = Infinity;
  for (let runs = 0; runs < 2 || clock.monotonic() < end; runs++) {
    const start = clock.monotonic();
    run();
    least = Math.min(least, clock.monotonic() - start);
    if (runs >= 10_000) break;
  }
  return least;
}

/**
 * Checks and warms up one algorithm in about 2 × `budgetMs`. Throws PowError naming the algorithm and
 * the vector. A custom function is called too, and must at least return 32 bytes.
 */
export function selfTest(
  checker: ShareChecker,
  budgetMs = 20,
  clock = systemClock,
): SelfTestResult {
  const { algorithm } = checker;
  const vector =
    algorithm.custom === undefined
      ? VECTORS[`${algorithm.name} ${algorithm.parameter}`]
      : undefined;
  if (vector !== undefined) checkHeaders(checker, vector);
  const batch = checker.sliceShares;
  const slot = stageBlock(checker, batch);
  try {
    const singleMs = best(clock, budgetMs, () => checker.run(slot, 1));
    checkShares(checker, 1);
    const batchMs = best(clock, budgetMs, () => checker.run(slot, batch));
    checkShares(checker, batch);
    return {
      name: algorithm.name,
      singleUs: singleMs * 1000,
      batchUs: (batchMs * 1000) / batch,
      known: vector !== undefined,
    };
  } finally {
    checker.dropJob(slot);
  }
}
