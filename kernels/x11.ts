/** x11: eleven 512-bit functions in a row over the header; the first 32 bytes are the hash (Dash). */
import { HASHES, headerAt } from './lib/layout';
import { blake512 } from './lib/blake512';
import { bmw512 } from './lib/bmw512';
import { cubehash512 } from './lib/cubehash';
import { echo512 } from './lib/echo512';
import { groestl512 } from './lib/groestl512';
import { jh512 } from './lib/jh512';
import { keccak512 } from './lib/keccak';
import { luffa512 } from './lib/luffa512';
import { copyBytes } from './lib/message';
import { shavite512 } from './lib/shavite512';
import { simd512 } from './lib/simd512';
import { skein512 } from './lib/skein';

const DIGEST: usize = memory.data(64, 16);

export function prepare(headerBytes: i32, parameter: i32, scratch: usize): i32 {
  return headerBytes == 80 && parameter == 0 ? 0 : -1;
}

export function hash(from: i32, to: i32): void {
  for (let i = from; i < to; i++) {
    blake512(DIGEST, headerAt(i), 80);
    bmw512(DIGEST, DIGEST, 64);
    groestl512(DIGEST, DIGEST, 64);
    skein512(DIGEST, DIGEST, 64);
    jh512(DIGEST, DIGEST, 64);
    keccak512(DIGEST, DIGEST, 64);
    luffa512(DIGEST, DIGEST, 64);
    cubehash512(DIGEST, DIGEST, 64);
    shavite512(DIGEST, DIGEST, 64);
    simd512(DIGEST, DIGEST, 64);
    echo512(DIGEST, DIGEST, 64);
    copyBytes(HASHES + (<usize>i << 5), DIGEST, 32);
  }
}
