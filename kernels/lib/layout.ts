/**
 * Where everything stands in a kernel's memory, in the same order for every algorithm. The other side
 * is src/pow/kernel.ts. Addresses are exported; the job slots and the algorithm's scratch follow the
 * module's tables, at the address given to init.
 */

/** Shares per run; one more header and hash is kept as a spare. A multiple of 4. */
export const CAPACITY: i32 = 256;
export const JOB_SLOTS: i32 = 128;
/** Longest coinb1 and longest coinb2. */
export const COINB_BYTES: i32 = 16384;
export const MAX_LEVELS: i32 = 32;
/** Longest header of any algorithm (Heavycoin: 84). */
export const MAX_HEADER_BYTES: i32 = 96;

export const EXTRANONCES: usize = memory.data((256 + 4) * 16, 16);
export const VERSIONS: usize = memory.data((256 + 4) * 4, 16);
export const NTIMES: usize = memory.data((256 + 4) * 4, 16);
export const NONCES: usize = memory.data((256 + 4) * 4, 16);
export const SHARE_TARGETS: usize = memory.data(256 * 32, 16);
export const FLAGS: usize = memory.data(256 + 4, 16);
export const HASHES: usize = memory.data((256 + 4) * 32, 16);
export const HEADERS: usize = memory.data((256 + 4) * 96, 16);

/** Input of setJob: coinb1, and behind it room to join the rest of the coinbase with its padding. */
export const IN_COINB1: usize = memory.data(16384 * 2 + 256, 16);
export const IN_COINB2: usize = memory.data(16384, 16);
export const IN_BRANCH: usize = memory.data(32 * 32, 16);
export const IN_PREV_HASH: usize = memory.data(32, 16);
export const IN_MAIN_TARGET: usize = memory.data(32, 16);
export const IN_AUX_TARGET: usize = memory.data(32, 16);

/** A job slot. Words are sha256's: 32 bits, the big-endian reading of the bytes. */
// @ts-ignore: decorator
@unmanaged
export class JobSlot {
  /** State after coinb1's whole 64-byte blocks: 8 words. */
  midstate0: v128; midstate1: v128;
  /** The one or two blocks with the extranonces, as bytes with the extranonces left open. */
  head0: v128; head1: v128; head2: v128; head3: v128;
  head4: v128; head5: v128; head6: v128; head7: v128;
  /** The extranonces may be written 16 bytes at a time past the two blocks. */
  headRoom: v128;
  /** Ones where the 16 bytes at `extranonceAt` are extranonces. */
  extranonceMask: v128;
  /** Previous hash, 8 words. */
  prevHash0: v128; prevHash1: v128;
  /** Targets as bytes, little-endian. */
  mainTarget0: v128; mainTarget1: v128;
  auxTarget0: v128; auxTarget1: v128;
  /** Offset of the extranonces in head. */
  extranonceAt: u32;
  headBlocks: u32;
  tailBlocks: u32;
  levels: u32;
  bits: u32;
  /** How often the coinbase is hashed for its txid: twice, in Blakecoin once. */
  txidHashes: u32;
  unused0: u32; unused1: u32;
}

/** The merkle branch as words, behind JobSlot. */
export const JOB_BRANCH: usize = 512;
/** Schedules (W + K, 64 words) of the coinbase's blocks after the extranonces, behind the branch. */
export const JOB_TAIL: usize = JOB_BRANCH + 32 * 32;
/** 16,384 bytes of coinb2, less what shares a block with the extranonces, and the padding. */
export const JOB_BYTES: i32 = <i32>(JOB_TAIL + (16384 / 64 + 2) * 256);

/** Bytes of the headers of this algorithm: the distance between two of them at HEADERS. */
export let headerBytes: i32 = 80;
export let jobs: usize = 0;

export function setLayout(bytes: i32, jobsAt: usize): void {
  headerBytes = bytes;
  jobs = jobsAt;
}

// @ts-ignore: decorator
@inline
export function headerAt(i: i32): usize {
  return HEADERS + <usize>i * <usize>headerBytes;
}

// @ts-ignore: decorator
@inline
export function jobAt(slot: i32): usize {
  return jobs + <usize>slot * <usize>JOB_BYTES;
}
