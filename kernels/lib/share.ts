/**
 * The part of a share's check that is the same for every algorithm: coinbase → txid → merkle root →
 * header before the proof of work (build), and the comparison with the targets after it (judge).
 * What all shares of a job have in common is computed once in setJob: the state after coinb1, and the
 * expanded schedules of every block behind the extranonces.
 */
import {
  EXTRANONCES, FLAGS, HASHES, IN_AUX_TARGET, IN_BRANCH, IN_COINB1, IN_COINB2, IN_MAIN_TARGET,
  IN_PREV_HASH, JOB_BRANCH, JOB_TAIL, JobSlot, NONCES, NTIMES, SHARE_TARGETS, VERSIONS, headerAt,
  headerBytes, jobAt,
} from './layout';
import { gather, laneAt, scatter, splatWords, swapBytes, wordsOfBlock } from './lanes';
import * as one from '../generated/sha256-scalar';
import * as four from '../generated/sha256-lanes';
import { INITIAL, K, PADDING_64 } from '../generated/sha256-tables';

const MEETS_SHARE: u8 = 1;
const MEETS_MAIN: u8 = 2;
const MEETS_AUX: u8 = 4;

/** Scratch for one hash: 16 words of a block, 8 of a state, 20 of a header. */
const WORDS: usize = memory.data(16 * 4, 16);
const STATE: usize = memory.data(8 * 4, 16);
const HEADER_WORDS: usize = memory.data(20 * 4, 16);
/** The same in lanes; the merkle root is built in words 9 to 16 of the header, where it stays. */
const LANE_WORDS: usize = memory.data(16 * 16, 16);
const LANE_STATE: usize = memory.data(8 * 16, 16);
const LANE_HEADER: usize = memory.data(20 * 16, 16);
/** The blocks with the extranonces, one per lane: 128 bytes and room for a 16-byte store across the end. */
const HEAD_BYTES: usize = 144;
const HEADS: usize = memory.data(4 * 144, 16);

// ------------------------------------------------------------------ jobs

/** Takes a job from the IN_ areas into a slot. Lengths have been checked by the caller. */
export function setJob(
  slot: i32, coinb1Length: i32, extranonceSize: i32, coinb2Length: i32, levels: i32, bits: u32,
  txidHashes: u32,
): void {
  const at = jobAt(slot);
  const job = changetype<JobSlot>(at);
  const blocks = joinCoinbase(coinb1Length, extranonceSize, coinb2Length);
  const firstHead = coinb1Length >> 6;
  v128.store(at, v128.load(INITIAL, 0), 0);
  v128.store(at, v128.load(INITIAL, 16), 16);
  for (let i = 0; i < firstHead; i++) {
    wordsOfBlock(WORDS, IN_COINB1 + (<usize>i << 6));
    one.compress(at, WORDS);
  }
  const extranonceAt = coinb1Length & 63;
  const headBlocks = max(1, (extranonceAt + extranonceSize + 63) >> 6);
  const head = at + offsetof<JobSlot>('head0');
  copyBytes(head, IN_COINB1 + (<usize>firstHead << 6), <usize>headBlocks << 6);
  job.extranonceMask = i32x4.splat(0);
  const mask = at + offsetof<JobSlot>('extranonceMask');
  for (let i = 0; i < extranonceSize; i++) store<u8>(mask + <usize>i, 0xff);
  job.extranonceAt = extranonceAt;
  job.headBlocks = headBlocks;
  job.tailBlocks = blocks - firstHead - headBlocks;
  for (let i = 0; i < <i32>job.tailBlocks; i++) {
    const bytes = IN_COINB1 + (<usize>(firstHead + headBlocks + i) << 6);
    expandBlock(at + JOB_TAIL + (<usize>i << 8), bytes);
  }
  job.levels = levels;
  for (let i = 0; i < levels * 2; i++) {
    const offset = <usize>i << 4;
    v128.store(at + JOB_BRANCH + offset, swapBytes(v128.load(IN_BRANCH + offset)));
  }
  job.prevHash0 = swapBytes(v128.load(IN_PREV_HASH, 0));
  job.prevHash1 = swapBytes(v128.load(IN_PREV_HASH, 16));
  job.mainTarget0 = v128.load(IN_MAIN_TARGET, 0);
  job.mainTarget1 = v128.load(IN_MAIN_TARGET, 16);
  job.auxTarget0 = v128.load(IN_AUX_TARGET, 0);
  job.auxTarget1 = v128.load(IN_AUX_TARGET, 16);
  job.bits = bits;
  job.txidHashes = txidHashes;
}

/** Makes of coinb1 the padded message with extranonces of zero; returns its 64-byte blocks. */
function joinCoinbase(coinb1Length: i32, extranonceSize: i32, coinb2Length: i32): i32 {
  const gap = IN_COINB1 + <usize>coinb1Length;
  const rest = gap + <usize>extranonceSize;
  const length = coinb1Length + extranonceSize + coinb2Length;
  const blocks = (length + 9 + 63) >> 6;
  const end = IN_COINB1 + (<usize>blocks << 6);
  for (let p = gap; p < rest; p++) store<u8>(p, 0);
  copyBytes(rest, IN_COINB2, coinb2Length);
  const padding = IN_COINB1 + <usize>length;
  store<u8>(padding, 0x80);
  for (let p = padding + 1; p < end; p++) store<u8>(p, 0);
  store<u32>(end - 4, bswap<u32>(<u32>length << 3));
  return blocks;
}

function copyBytes(to: usize, from: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) store<u8>(to + i, load<u8>(from + i));
}

/** 64 bytes → the 64 sums W + K of their block. */
function expandBlock(schedule: usize, bytes: usize): void {
  for (let t: usize = 0; t < 64; t++) {
    const at = schedule + (t << 2);
    if (t < 16) {
      store<u32>(at, bswap<u32>(load<u32>(bytes + (t << 2))));
      continue;
    }
    const w15 = load<u32>(at - 15 * 4);
    const w2 = load<u32>(at - 2 * 4);
    const s0 = rotr<u32>(w15, 7) ^ rotr<u32>(w15, 18) ^ (w15 >>> 3);
    const s1 = rotr<u32>(w2, 17) ^ rotr<u32>(w2, 19) ^ (w2 >>> 10);
    store<u32>(at, load<u32>(at - 16 * 4) + s0 + load<u32>(at - 7 * 4) + s1);
  }
  for (let t: usize = 0; t < 64; t++) {
    const at = schedule + (t << 2);
    store<u32>(at, load<u32>(at) + load<u32>(K + (t << 2)));
  }
}

// ------------------------------------------------------------------ share → header

/** Headers of the staged shares from … to - 1. Nothing outside that range is written. */
export function build(slot: i32, from: i32, to: i32): void {
  const job = jobAt(slot);
  let i = from;
  for (let k = from; k < to; k++) clearTail(headerAt(k));
  // A call with lanes costs less than two without.
  for (; i + 2 <= to; i += 4) buildFour(job, i, min(4, to - i));
  if (i < to) buildOne(job, i);
}

/** What a longer header has behind the usual 80 bytes is zero: no field of a job is known for it. */
// @ts-ignore: decorator
@inline
function clearTail(header: usize): void {
  for (let k = 80; k < headerBytes; k++) store<u8>(header + <usize>k, 0);
}

// @ts-ignore: decorator
@inline
function fillHead(at: usize, job: usize, share: i32): void {
  const slot = changetype<JobSlot>(job);
  const head = job + offsetof<JobSlot>('head0');
  v128.store(at, v128.load(head, 0), 0);
  v128.store(at, v128.load(head, 16), 16);
  v128.store(at, v128.load(head, 32), 32);
  v128.store(at, v128.load(head, 48), 48);
  v128.store(at, v128.load(head, 64), 64);
  v128.store(at, v128.load(head, 80), 80);
  v128.store(at, v128.load(head, 96), 96);
  v128.store(at, v128.load(head, 112), 112);
  const gap = at + <usize>slot.extranonceAt;
  const extranonce = v128.and(v128.load(EXTRANONCES + (<usize>share << 4)), slot.extranonceMask);
  v128.store(gap, v128.or(v128.load(gap), extranonce));
}

// @ts-ignore: decorator
@inline
function copyWords(to: usize, from: usize, vectors: usize): void {
  for (let k: usize = 0; k < vectors << 4; k += 16) v128.store(to + k, v128.load(from + k));
}

function buildOne(job: usize, i: i32): void {
  const slot = changetype<JobSlot>(job);
  fillHead(HEADS, job, i);
  v128.store(STATE, slot.midstate0, 0);
  v128.store(STATE, slot.midstate1, 16);
  for (let block: u32 = 0; block < slot.headBlocks; block++) {
    wordsOfBlock(WORDS, HEADS + (<usize>block << 6));
    one.compress(STATE, WORDS);
  }
  for (let block: u32 = 0; block < slot.tailBlocks; block++) {
    one.compressScheduled(STATE, job + JOB_TAIL + (<usize>block << 8));
  }
  if (slot.txidHashes == 2) one.compressDigest(WORDS, STATE);
  else copyWords(WORDS, STATE, 2);
  for (let level: u32 = 0; level < slot.levels; level++) {
    const branch = job + JOB_BRANCH + (<usize>level << 5);
    v128.store(WORDS, v128.load(branch, 0), 32);
    v128.store(WORDS, v128.load(branch, 16), 48);
    v128.store(STATE, v128.load(INITIAL, 0), 0);
    v128.store(STATE, v128.load(INITIAL, 16), 16);
    one.compress(STATE, WORDS);
    one.compressScheduled(STATE, PADDING_64);
    one.compressDigest(WORDS, STATE);
  }
  store<u32>(HEADER_WORDS, bswap<u32>(load<u32>(VERSIONS + (<usize>i << 2))), 0);
  v128.store(HEADER_WORDS, slot.prevHash0, 4);
  v128.store(HEADER_WORDS, slot.prevHash1, 20);
  v128.store(HEADER_WORDS, v128.load(WORDS, 0), 36);
  v128.store(HEADER_WORDS, v128.load(WORDS, 16), 52);
  store<u32>(HEADER_WORDS, bswap<u32>(load<u32>(NTIMES + (<usize>i << 2))), 68);
  store<u32>(HEADER_WORDS, bswap<u32>(slot.bits), 72);
  store<u32>(HEADER_WORDS, bswap<u32>(load<u32>(NONCES + (<usize>i << 2))), 76);
  const header = headerAt(i);
  for (let word: usize = 0; word < 80; word += 16) {
    v128.store(header + word, swapBytes(v128.load(HEADER_WORDS + word)));
  }
}

function buildFour(job: usize, i: i32, count: i32): void {
  const slot = changetype<JobSlot>(job);
  for (let lane = 0; lane < 4; lane++) fillHead(HEADS + <usize>lane * HEAD_BYTES, job, i + lane);
  splatWords(LANE_STATE, job, 8);
  for (let block: u32 = 0; block < slot.headBlocks; block++) {
    for (let quarter: usize = 0; quarter < 4; quarter++) {
      const at = HEADS + (<usize>block << 6) + (quarter << 4);
      gather(LANE_WORDS + (quarter << 6), at, at + HEAD_BYTES, at + 2 * HEAD_BYTES, at + 3 * HEAD_BYTES);
    }
    four.compress(LANE_STATE, LANE_WORDS);
  }
  for (let block: u32 = 0; block < slot.tailBlocks; block++) {
    four.compressScheduled(LANE_STATE, job + JOB_TAIL + (<usize>block << 8));
  }
  if (slot.txidHashes == 2) four.compressDigest(LANE_WORDS, LANE_STATE);
  else copyWords(LANE_WORDS, LANE_STATE, 8);
  for (let level: u32 = 0; level < slot.levels; level++) {
    splatWords(LANE_WORDS + 128, job + JOB_BRANCH + (<usize>level << 5), 8);
    splatWords(LANE_STATE, INITIAL, 8);
    four.compress(LANE_STATE, LANE_WORDS);
    four.compressScheduled(LANE_STATE, PADDING_64);
    four.compressDigest(LANE_WORDS, LANE_STATE);
  }
  const word = <usize>i << 2;
  v128.store(LANE_HEADER, swapBytes(v128.load(VERSIONS + word)));
  splatWords(LANE_HEADER + 16, job + offsetof<JobSlot>('prevHash0'), 8);
  for (let k: usize = 0; k < 128; k += 16) v128.store(LANE_HEADER + 144 + k, v128.load(LANE_WORDS + k));
  v128.store(LANE_HEADER, swapBytes(v128.load(NTIMES + word)), 17 * 16);
  v128.store(LANE_HEADER, i32x4.splat(bswap<u32>(slot.bits)), 18 * 16);
  v128.store(LANE_HEADER, swapBytes(v128.load(NONCES + word)), 19 * 16);
  const a = headerAt(i);
  const b = headerAt(i + 1);
  const c = headerAt(i + 2);
  const d = headerAt(i + 3);
  for (let k: usize = 0; k < 80; k += 16) {
    const words = LANE_HEADER + (k << 2);
    scatter(words, a + k, laneAt(b + k, 1, count), laneAt(c + k, 2, count), laneAt(d + k, 3, count));
  }
}

// ------------------------------------------------------------------ hash → flags

/** hash ≤ target as 256-bit little-endian integers. */
// @ts-ignore: decorator
@inline
function meets(hash: usize, target: usize): bool {
  for (let i = 24; i >= 0; i -= 8) {
    const h = load<u64>(hash + <usize>i);
    const t = load<u64>(target + <usize>i);
    if (h != t) return h < t;
  }
  return true;
}

export function judge(slot: i32, from: i32, to: i32): void {
  const job = jobAt(slot);
  const main = job + offsetof<JobSlot>('mainTarget0');
  const aux = job + offsetof<JobSlot>('auxTarget0');
  for (let i = from; i < to; i++) {
    const hash = HASHES + (<usize>i << 5);
    let flags: u8 = 0;
    if (meets(hash, SHARE_TARGETS + (<usize>i << 5))) flags |= MEETS_SHARE;
    if (meets(hash, main)) flags |= MEETS_MAIN;
    if (meets(hash, aux)) flags |= MEETS_AUX;
    store<u8>(FLAGS + <usize>i, flags);
  }
}

// ------------------------------------------------------------------ txids → branch

/**
 * The coinbase's merkle branch, to IN_BRANCH; returns its levels. `at` holds the txids of the other
 * transactions, and is overwritten; one more txid must have room behind them.
 */
export function merkleBranch(at: usize, count: i32): i32 {
  let levels = 0;
  while (count > 0) {
    const branch = IN_BRANCH + (<usize>levels << 5);
    v128.store(branch, v128.load(at, 0), 0);
    v128.store(branch, v128.load(at, 16), 16);
    levels++;
    const nodes = at + 32;
    // The level has an odd number of nodes with the coinbase's: the last is paired with itself.
    if (count % 2 == 0) copyBytes(at + (<usize>count << 5), at + (<usize>(count - 1) << 5), 32);
    const pairs = count >> 1;
    for (let i = 0; i < pairs; i += 4) {
      hashPairs(at + (<usize>i << 5), nodes + (<usize>i << 6), min(4, pairs - i));
    }
    count = pairs;
  }
  return levels;
}

/** sha256d of up to four 64-byte messages that stand one behind the other. */
function hashPairs(to: usize, from: usize, count: i32): void {
  const b = count > 1 ? from + 64 : from;
  const c = count > 2 ? from + 128 : from;
  const d = count > 3 ? from + 192 : from;
  for (let k: usize = 0; k < 64; k += 16) {
    gather(LANE_WORDS + (k << 2), from + k, b + k, c + k, d + k);
  }
  splatWords(LANE_STATE, INITIAL, 8);
  four.compress(LANE_STATE, LANE_WORDS);
  four.compressScheduled(LANE_STATE, PADDING_64);
  four.compressDigest(LANE_WORDS, LANE_STATE);
  for (let k: usize = 0; k < 32; k += 16) {
    const words = LANE_WORDS + (k << 2);
    scatter(
      words, to + k, laneAt(to + 32 + k, 1, count), laneAt(to + 64 + k, 2, count),
      laneAt(to + 96 + k, 3, count),
    );
  }
}

