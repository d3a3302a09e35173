/** Luffa-512 (submission to SHA-3, second round, §4) of any whole number of bytes. */
import { absorb } from '../generated/luffa512';
import { swapBytes } from './lanes';
import { clear, lastBlock } from './message';

/** §4.1: the starting variables of sub-states 0 to 4. */
const INITIAL: usize = memory.data<u32>([
  0x6d251e69, 0x44b051e0, 0x4eaa6fb4, 0xdbf78465, 0x6e292011, 0x90152df4, 0xee058139, 0xdef610bb,
  0xc3b44b95, 0xd9d2f256, 0x70eee9a0, 0xde099fa3, 0x5d9b0557, 0x8fc944b3, 0xcf1ccf0e, 0x746cd581,
  0xf7efc89d, 0x5dba5781, 0x04016ce5, 0xad659c05, 0x0306194f, 0x666d1836, 0x24aa230a, 0x8b264ae7,
  0x858075d5, 0x36d79cce, 0xe571f7d7, 0x204b1f67, 0x35870c6a, 0x57e9e923, 0x14bcb808, 0x7cde72ce,
  0x6c68e9be, 0x5ec41e22, 0xc825b7c7, 0xaffb4363, 0xf5df3999, 0x0fc688f1, 0xb07224cc, 0x03e86cea,
], 16);
/** Words of sub-states 0 to 3 in lanes, then those of sub-state 4, each in a first lane. */
const STATE: usize = memory.data(256, 16);
const BLOCK: usize = memory.data(32, 16);
const WORDS: usize = memory.data(32, 16);

function begin(): void {
  clear(STATE, 256);
  for (let word: usize = 0; word < 8; word++) {
    for (let j: usize = 0; j < 4; j++) {
      store<u32>(STATE + 16 * word + 4 * j, load<u32>(INITIAL + 32 * j + 4 * word));
    }
    store<u32>(STATE + 16 * word, load<u32>(INITIAL + 4 * word, 128), 128);
  }
}

function absorbBytes(block: usize): void {
  v128.store(WORDS, swapBytes(v128.load(block)));
  v128.store(WORDS, swapBytes(v128.load(block, 16)), 16);
  absorb(STATE, WORDS);
}

/** §4.5: the sum of all sub-states after a blank round. */
function squeeze(out: usize): void {
  clear(WORDS, 32);
  absorb(STATE, WORDS);
  for (let word: usize = 0; word < 8; word++) {
    const lanes = STATE + 16 * word;
    const sum = load<u32>(lanes) ^ load<u32>(lanes, 4) ^ load<u32>(lanes, 8) ^ load<u32>(lanes, 12);
    store<u32>(out + 4 * word, bswap<u32>(sum ^ load<u32>(lanes, 128)));
  }
}

export function luffa512(out: usize, input: usize, length: i32): void {
  begin();
  let at = 0;
  for (; at + 32 <= length; at += 32) absorbBytes(input + <usize>at);
  lastBlock(BLOCK, 32, input + <usize>at, length - at, 0x80);
  absorbBytes(BLOCK);
  squeeze(out);
  squeeze(out + 32);
}
