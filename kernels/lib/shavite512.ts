/** SHAvite-3-512 (submission to SHA-3, second round, without salt) of any whole number of bytes. */
import { compress, enter } from '../generated/shavite512';
import { clear, copyBytes, lastBlock } from './message';

const STATE: usize = memory.data(64, 16);
const BLOCK: usize = memory.data(128, 16);
const COUNTERS: usize = memory.data(10 * 16, 16);
/** The state before the first block; computed at the first use. */
const INITIAL: usize = memory.data(64, 16);
let ready = false;

/** The counter that COUNTERS belong to. */
let countersFor: u64 = -1;

/** §4.2.2: the counter joins the keys four times, its words in another order each, the last inverted. */
function setCounters(bits: u64): void {
  const low = <u32>bits;
  const high = <u32>(bits >> 32);
  const zero = i32x4.splat(0);
  for (let i: usize = 0; i < 10; i++) enter(COUNTERS + (i << 4), zero);
  enter(COUNTERS, inOrder(low, high, 0, 0xffffffff));
  enter(COUNTERS + 4 * 16, inOrder(0, 0, high, ~low));
  enter(COUNTERS + 8 * 16, inOrder(0, 0, low, ~high));
  enter(COUNTERS + 9 * 16, inOrder(high, low, 0, 0xffffffff));
}

function inOrder(a: u32, b: u32, c: u32, d: u32): v128 {
  const ab = i32x4.replace_lane(i32x4.splat(a), 1, b);
  return i32x4.replace_lane(i32x4.replace_lane(ab, 2, c), 3, d);
}

function compressCounted(state: usize, block: usize, bits: u64): void {
  if (bits != countersFor) {
    setCounters(bits);
    countersFor = bits;
  }
  compress(state, block, COUNTERS);
}

/** §4.1: the state that follows from zeros, and from it the one for a digest of 512 bits. */
function begin(): void {
  clear(INITIAL, 64);
  clear(BLOCK, 128);
  compressCounted(INITIAL, BLOCK, 0);
  store<u16>(BLOCK, 512);
  compressCounted(INITIAL, BLOCK, 0);
  ready = true;
}

export function shavite512(out: usize, input: usize, length: i32): void {
  if (!ready) begin();
  copyBytes(STATE, INITIAL, 64);
  let at = 0;
  for (; at + 128 <= length; at += 128) {
    compressCounted(STATE, input + <usize>at, (<u64>at + 128) << 3);
  }
  const rest = length - at;
  lastBlock(BLOCK, 128, input + <usize>at, rest, 0x80);
  let bits = rest == 0 ? 0 : <u64>length << 3;
  if (rest > 109) {
    compressCounted(STATE, BLOCK, bits);
    clear(BLOCK, 128);
    bits = 0;
  }
  store<u64>(BLOCK, <u64>length << 3, 110);
  store<u16>(BLOCK, 512, 126);
  compressCounted(STATE, BLOCK, bits);
  copyBytes(out, STATE, 64);
}
