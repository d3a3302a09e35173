/** The heavy hash of Heavycoin's 84-byte header, and of the usual one of 80 bytes. */
import { HASHES, headerAt, headerBytes as size } from './lib/layout';
import { heavy } from './lib/heavy';

export function prepare(headerBytes: i32, parameter: i32, scratch: usize): i32 {
  return (headerBytes == 80 || headerBytes == 84) && parameter == 0 ? 0 : -1;
}

export function hash(from: i32, to: i32): void {
  for (let i = from; i < to; i++) heavy(HASHES + (<usize>i << 5), headerAt(i), size);
}
