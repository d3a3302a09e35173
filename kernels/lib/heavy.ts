/**
 * The heavy hash (Heavycoin, 2014): four hash functions over the message with its HEFTY1 digest behind
 * it, and bits 192 to 255 of each digest, read as a little-endian integer, interleaved from the top.
 */
import { blake512 } from './blake512';
import { groestl512 } from './groestl512';
import { hefty1 } from './hefty1';
import { keccak512 } from './keccak';
import { copyBytes } from './message';
import { sha256 } from './sha256';

/** Room for a message of 128 bytes and the digest. */
const MESSAGE: usize = memory.data(128 + 32, 16);
/** Four digests, 64 bytes apart. */
const DIGESTS: usize = memory.data(4 * 64, 16);

export function heavy(out: usize, input: usize, length: i32): void {
  copyBytes(MESSAGE, input, length);
  hefty1(MESSAGE + <usize>length, input, length);
  const whole = length + 32;
  sha256(DIGESTS, MESSAGE, whole);
  keccak512(DIGESTS + 64, MESSAGE, whole);
  groestl512(DIGESTS + 128, MESSAGE, whole);
  blake512(DIGESTS + 192, MESSAGE, whole);
  for (let i: usize = 0; i < 8; i++) store<u32>(out + (i << 2), interleave(DIGESTS + 24 + i));
}

/** A byte of each digest, the bits of the first one on top. */
function interleave(at: usize): u32 {
  return (
    (spread(load<u8>(at, 0)) << 3) |
    (spread(load<u8>(at, 64)) << 2) |
    (spread(load<u8>(at, 128)) << 1) |
    spread(load<u8>(at, 192))
  );
}

/** Bit i of a byte → bit 4 i. */
function spread(byte: u32): u32 {
  byte = (byte | (byte << 12)) & 0x000f000f;
  byte = (byte | (byte << 6)) & 0x03030303;
  return (byte | (byte << 3)) & 0x11111111;
}
