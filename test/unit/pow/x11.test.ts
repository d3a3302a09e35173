/** x11 of random headers as two packages compute it: the pure JavaScript one and the emscripten one. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { algorithm, findByModule } from '../../../src/pow/algorithms.ts';
import { ShareChecker, hashHeader } from '../../../src/pow/checker.ts';

const require = createRequire(import.meta.url);
const x11js = require('x11-hash-js') as {
  digest(message: number[], format: 1, output: 1): number[];
};
const loadEmscripten = require('wasm-x11-hash') as () => Promise<{
  digest(message: Buffer): Uint8Array;
}>;

const X11 = algorithm('x11')!;

test('random headers, and headers of all zeros and all ones', async () => {
  const emscripten = await loadEmscripten();
  const headers = [Buffer.alloc(80), Buffer.alloc(80, 0xff)];
  for (let i = 0; i < 200; i++) headers.push(randomBytes(80));
  for (const header of headers) {
    const seen = Buffer.from(hashHeader(X11, header));
    assert.deepEqual(seen, Buffer.from(emscripten.digest(header)));
    assert.deepEqual(seen, Buffer.from(x11js.digest([...header], 1, 1)));
  }
});

test('each header of a run has its own hash, and no other place is written', async () => {
  const emscripten = await loadEmscripten();
  const checker = ShareChecker.load(X11);
  checker.headers.set(randomBytes(checker.headers.length));
  checker.hashes.fill(0xee);
  checker.hashHeaders(3, 20);
  for (let i = 0; i < checker.capacity; i++) {
    const header = Buffer.from(checker.headers.subarray(i * 80, i * 80 + 80));
    const expected = i >= 3 && i < 20 ? emscripten.digest(header) : Buffer.alloc(32, 0xee);
    const hash = Buffer.from(checker.hashes.subarray(i * 32, i * 32 + 32));
    assert.deepEqual(hash, Buffer.from(expected), `hash ${i}`);
  }
});

test('the name of the old module, difficulty 1 and the divisor of miners', () => {
  assert.equal(findByModule('drk_hash.getPoWHash')?.name, 'x11');
  assert.equal(X11.diff1, BigInt(`0x00000000ffff${'0'.repeat(52)}`));
  assert.deepEqual([X11.hashesPerShare, X11.minerDivisor], [4294967296, 1]);
});

test('the kernel takes no parameter and only headers of 80 bytes', () => {
  for (const changes of [{ parameter: 1 }, { headerBytes: 84 }]) {
    assert.throws(() => ShareChecker.load({ ...X11, ...changes }), { code: 'bad-parameter' });
  }
});
