import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex } from '../../../src/coin/bytes.ts';
import {
  buildCoinbase,
  coinbaseCost,
  coinbaseTransaction,
  type CoinbaseSpec,
} from '../../../src/coin/coinbase.ts';
import { decodeTx, heightOf, scriptOps } from '../../support/oracle.ts';
import { bcoin } from '../../vector/coin/reference.ts';

const COMMITMENT = fromHex(
  '6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9',
);
const OUTPUT = {
  value: 5_000_000_000n,
  script: fromHex('76a914404371705fa9bd789a2fcd52d2c580b65d35549d88ac'),
};

function spec(change: Partial<CoinbaseSpec> = {}): CoinbaseSpec {
  return {
    version: 2,
    height: 840_000,
    flags: new Uint8Array(0),
    tag: '/PowerPool/',
    unique: fromHex('0102030405060708'),
    extranonceSize: 8,
    outputs: [OUTPUT],
    ...change,
  };
}

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });

/** Coinbases that fit 100 bytes: 5 + 4 + 45 + 13 + (1 + 12 + 16) at most. */
const specs: fc.Arbitrary<CoinbaseSpec> = fc
  .record({
    version: fc.constantFrom(1, 2),
    height: fc.integer({ min: 0, max: 0x7fffffff }),
    flags: bytes(0, 3),
    tag: fc.string({ maxLength: 12 }).filter((tag) => Buffer.byteLength(tag) <= 12),
    unique: bytes(0, 12),
    extranonceSize: fc.integer({ min: 1, max: 16 }),
    outputs: fc.array(
      fc
        .tuple(
          fc.oneof(fc.bigInt(0n, 21_000_000n * 10n ** 8n), fc.bigInt(0n, 2n ** 63n - 1n)),
          bytes(0, 300),
        )
        .map(([value, script]) => ({ value, script })),
      { minLength: 1, maxLength: 300, size: 'small' },
    ),
    lockTime: fc.integer({ min: 0, max: 0xffffffff }),
    auxTag: fc.option(bytes(44, 44), { nil: undefined }),
    tail: fc.oneof(
      fc.constant({}),
      fc.constant({ witnessCommitment: COMMITMENT }),
      bytes(0, 400).map((payload) => ({ payload })),
    ),
  })
  .map(({ auxTag, tail, ...rest }) => ({
    ...rest,
    ...tail,
    ...(auxTag === undefined ? {} : { auxTag }),
  }));

describe('coinbase', () => {
  test('any spec is read back exactly by an independent decoder, in both forms', () => {
    fc.assert(
      fc.property(specs, bytes(16, 16), (wanted, noise) => {
        const coinbase = buildCoinbase(wanted);
        const extranonce = noise.subarray(0, wanted.extranonceSize);
        const plain = decodeTx(coinbaseTransaction(coinbase, extranonce, { witness: false }), {
          dip2: true,
        });
        const whole = decodeTx(coinbaseTransaction(coinbase, extranonce, { witness: true }), {
          dip2: true,
        });
        assert.equal(plain.txid, whole.txid);
        assert.equal(plain.flag, 0);
        const committed = wanted.witnessCommitment !== undefined;
        assert.equal(whole.flag, committed ? 1 : 0);
        assert.deepEqual(whole.inputs[0]?.witness, committed ? [Buffer.alloc(32)] : []);

        const [input, ...others] = plain.inputs;
        assert.ok(input);
        assert.equal(others.length, 0);
        assert.equal(input.prevTxid, '00'.repeat(32));
        assert.equal(input.prevIndex, 0xffffffff);
        assert.equal(plain.version, wanted.payload === undefined ? wanted.version : 0x00050003);
        assert.equal(plain.lockTime, wanted.lockTime);
        assert.deepEqual(
          plain.payload,
          wanted.payload === undefined ? undefined : Buffer.from(wanted.payload),
        );
        const commitment = committed ? [{ value: 0n, script: COMMITMENT }] : [];
        assert.deepEqual(
          plain.outputs.map(({ value, script }) => ({ value, script: new Uint8Array(script) })),
          [...wanted.outputs, ...commitment],
        );

        assert.ok(input.script.length >= 2 && input.script.length <= 100);
        assert.equal(input.script.length, coinbase.scriptSigSize);
        assert.equal(heightOf(input.script), wanted.height);
        const ops = [...scriptOps(input.script)];
        const last = ops.at(-1);
        assert.deepEqual(last?.data, Buffer.concat([wanted.unique, extranonce]));
        assert.ok(input.script.includes(Buffer.from(wanted.tag)));
        assert.ok(input.script.includes(Buffer.from(wanted.flags)));
        if (wanted.auxTag !== undefined) {
          const aux = Buffer.from(wanted.auxTag);
          assert.ok(ops.some((op) => op.data?.equals(aux)));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('no extranonce changes the count of signature operations, and the cost is the real one', () => {
    fc.assert(
      fc.property(specs, bytes(16, 16), (wanted, noise) => {
        const coinbase = buildCoinbase(wanted);
        const cost = coinbaseCost(coinbase);
        for (const fill of [noise, new Uint8Array(16).fill(0xae), new Uint8Array(16).fill(0x4e)]) {
          const extranonce = fill.subarray(0, wanted.extranonceSize);
          const whole = coinbaseTransaction(coinbase, extranonce, { witness: true });
          const decoded = decodeTx(whole, { dip2: true });
          assert.equal(cost.size, whole.length);
          assert.equal(cost.strippedSize, decoded.strippedSize);
          assert.equal(cost.weight, decoded.strippedSize * 3 + whole.length);
          // What bcoin cannot read: payloads, and amounts over 2^53.
          if (wanted.payload !== undefined) continue;
          if (wanted.outputs.some((output) => output.value > 2n ** 53n - 1n)) continue;
          assert.equal(cost.sigops, bcoin.tx(whole).getLegacySigops());
        }
      }),
      { numRuns: 200 },
    );
  });

  test('bcoin takes it for a sane coinbase of the same ids, at every small height', () => {
    for (let height = 0; height <= 300; height += 1) {
      const coinbase = buildCoinbase(spec({ height, witnessCommitment: COMMITMENT }));
      const raw = coinbaseTransaction(coinbase, new Uint8Array(8), { witness: true });
      const tx = bcoin.tx(raw);
      assert.ok(tx.isCoinbase() && tx.isSane(), `height ${height}`);
      assert.equal(tx.txid(), decodeTx(raw).txid);
      assert.deepEqual(tx.toRaw(), Buffer.from(raw));
    }
  });

  test('a flags text that is no script is pushed, so that it cannot swallow the extranonces', () => {
    const coinbase = buildCoinbase(spec({ flags: fromHex('4c') }));
    const raw = coinbaseTransaction(coinbase, new Uint8Array(8).fill(0xac), { witness: false });
    const script = decodeTx(raw).inputs[0]?.script ?? Buffer.alloc(0);
    const [, flags] = scriptOps(script);
    assert.deepEqual(flags?.data, Buffer.from('4c', 'hex'));
  });

  test('a scriptSig over 100 bytes names its parts and their sizes; 100 is taken', () => {
    const auxTag = new Uint8Array(44);
    // height 4 + aux 45 + uniqueness and extranonces 17 + tag push = 100 with a tag of 33.
    const tag = 'x'.repeat(33);
    assert.equal(buildCoinbase(spec({ auxTag, tag })).scriptSigSize, 100);
    assert.throws(
      () => buildCoinbase(spec({ auxTag, tag: `${tag}x` })),
      /101 bytes \(height 4, flags 0, aux tag 45, coinbase_tag 35, uniqueness and extranonces 17\)/,
    );
  });

  test('what no chain takes is refused', () => {
    assert.throws(() => buildCoinbase(spec({ outputs: [] })), { code: 'COINBASE' });
    assert.throws(() => buildCoinbase(spec({ extranonceSize: 0 })), { code: 'COINBASE' });
    assert.throws(
      () => buildCoinbase(spec({ payload: new Uint8Array(1), witnessCommitment: COMMITMENT })),
      /exclude each other/,
    );
    const coinbase = buildCoinbase(spec());
    assert.throws(() => coinbaseTransaction(coinbase, new Uint8Array(7), { witness: true }), {
      code: 'EXTRANONCE',
    });
  });
});
