/** The miner's reading of mining.notify, held against Bitcoin's own block 125552. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hash } from 'node:crypto';
import { headerOf, parseNotify, rolledBits } from '../../../src/miner/work.ts';

// Bitcoin block 125552; header and hash as in the Bitcoin wiki's "Block hashing algorithm".
const HEADER =
  '0100000081cd02ab7e569e8bcd9317e2fe99f2de44d49ab2b8851ba4a308000000000000' +
  'e320b6c2fffc8d750423db8b1eb942ae710e951ed797f7affc8892b0f1fc122bc7f5d74df2b9441a42a14695';
const HASH = '00000000000000001e8d6829a8a21adc5d38d0a473b144b6765798e61f98bd1d';

function sha256d(data: Uint8Array): Buffer {
  return hash('sha256', hash('sha256', data, 'buffer'), 'buffer');
}

/** mining.notify sends prevhash as 4-byte groups, each reversed (mining-facts, "Stratum V1 job"). */
function notifyPrevHash(header: Buffer): string {
  return Buffer.from(header.subarray(4, 36)).swap32().toString('hex');
}

describe('work of the CPU miner', () => {
  it('makes the header whose fields were announced', () => {
    const header = Buffer.from(HEADER, 'hex');
    const coinb1 = Buffer.from('01020304', 'hex');
    const coinb2 = Buffer.from('05060708', 'hex');
    const side = sha256d(Buffer.from('side'));
    const work = parseNotify([
      '1f',
      notifyPrevHash(header),
      coinb1.toString('hex'),
      coinb2.toString('hex'),
      [side.toString('hex')],
      '00000001',
      '1a44b9f2',
      '4dd7f5c7',
      true,
    ]);
    assert.ok(work);
    const extranonce1 = Buffer.from('aabb', 'hex');
    const extranonce2 = Buffer.from('ccdd', 'hex');
    const built = headerOf(work, extranonce1, extranonce2, work.version);
    const txid = sha256d(Buffer.concat([coinb1, extranonce1, extranonce2, coinb2]));
    const root = sha256d(Buffer.concat([txid, side]));
    assert.equal(built.subarray(36, 68).toString('hex'), root.toString('hex'));
    // With the block's own root and nonce in it, the header hashes to the block's id.
    built.set(header.subarray(36, 68), 36);
    built.writeUInt32LE(0x9546a142, 76);
    assert.equal(sha256d(built).reverse().toString('hex'), HASH);
  });

  it('refuses a job that is not in the form of the protocol', () => {
    const good: readonly unknown[] = [
      '1',
      '00'.repeat(32),
      '00',
      '00',
      [],
      '00000001',
      '1a44b9f2',
      '4dd7f5c7',
      false,
    ];
    assert.ok(parseNotify(good));
    const wrong: readonly [number, unknown][] = [
      [0, 7],
      [1, '00'.repeat(31)],
      [2, '0'],
      [3, null],
      [4, ['00']],
      [5, '1'],
      [7, undefined],
    ];
    for (const [at, value] of wrong) {
      assert.equal(parseNotify(good.toSpliced(at, 1, value)), undefined, `parameter ${at}`);
    }
  });

  it('rolls only bits of the mask, and differently for every counter', () => {
    const mask = 0x1fffe000;
    const seen = new Set<number>();
    for (let counter = 0; counter < 1 << 16; counter += 1) {
      const bits = rolledBits(counter, mask);
      assert.equal(bits & ~mask, 0);
      seen.add(bits);
    }
    assert.equal(seen.size, 1 << 16);
  });
});
