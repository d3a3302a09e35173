import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAuxWork } from '../../../src/jobs/aux-work.ts';
import type { AuxWork } from '../../../src/jobs/aux-work.ts';
import { TemplateError } from '../../../src/jobs/template-error.ts';
import { answerOf, flipped } from './support.ts';

type Daemon = Parameters<typeof parseAuxWork>[0]['daemon'];

const DIFF1 = 0xffffn << 224n;
const HASH = '0b'.repeat(31).padStart(64, 'a1');
/** Dogecoin's regtest: 207fffff, and its target as the daemon writes it. */
const LITTLE_ENDIAN = `${'00'.repeat(29)}ffff7f`;
const BIG_ENDIAN = `7fffff${'00'.repeat(29)}`;

const MODERN = {
  hash: HASH,
  chainid: 98,
  previousblockhash: 'cd'.repeat(32),
  coinbasevalue: 1_000_012_345_678,
  bits: '207fffff',
  height: 371_337,
  target: LITTLE_ENDIAN,
};
const OLD = { hash: HASH, chainid: 98, target: LITTLE_ENDIAN };

function parse(
  result: unknown,
  more: { askedHeight?: number; chainId?: number; diff1?: bigint } = {},
): AuxWork {
  const { askedHeight, chainId = null, diff1 = DIFF1 } = more;
  return parseAuxWork(
    {
      body: answerOf(result),
      daemon: { key: 'doge:22555' } as Daemon,
      ...(askedHeight === undefined ? {} : { askedHeight }),
    },
    { chainId, diff1 },
  );
}

test('what a daemon of today says is taken as it is', () => {
  const work = parse(MODERN);
  assert.equal(work.hashHexBE, HASH);
  assert.equal(flipped(work.hashLE), HASH);
  assert.equal(work.chainId, 98);
  assert.equal(Buffer.from(work.targetLE).toString('hex'), LITTLE_ENDIAN);
  assert.equal(work.bitsHex, '207FFFFF');
  assert.equal(work.height, 371_337);
  assert.equal(work.prevHashHexBE, MODERN.previousblockhash);
  assert.equal(work.value, 1_000_012_345_678n);
  assert.equal(work.daemon, 'doge:22555');
});

test('the target is read in the byte order in which it agrees with the bits', () => {
  const { target: _, ...rest } = MODERN;
  for (const fields of [
    { ...rest, target: BIG_ENDIAN },
    { ...rest, _target: LITTLE_ENDIAN },
    { ...rest, _target: BIG_ENDIAN },
    rest,
  ]) {
    assert.equal(Buffer.from(parse(fields).targetLE).toString('hex'), LITTLE_ENDIAN);
  }
  const value = (0x0abcden << 192n).toString(16).padStart(64, '0');
  const reversed = flipped(Buffer.from(value, 'hex'));
  for (const target of [value, reversed]) {
    assert.equal(
      Buffer.from(parse({ ...rest, bits: '1b0abcde', target }).targetLE).toString('hex'),
      reversed,
    );
  }
  const refused = { ...rest, bits: '1b0abcdf', target: reversed };
  assert.throws(() => parse(refused), /target is .* expected what bits 1b0abcdf mean/);
});

test('an old daemon gives hash, chain id and target: bits from it, the height was asked for', () => {
  for (const target of [LITTLE_ENDIAN, BIG_ENDIAN]) {
    const work = parse({ ...OLD, target }, { askedHeight: 7 });
    assert.equal(work.bitsHex, '207FFFFF');
    assert.equal(Buffer.from(work.targetLE).toString('hex'), LITTLE_ENDIAN);
    assert.equal(work.height, 7);
    assert.equal(work.value, null);
    assert.equal(work.prevHashHexBE, undefined);
  }
  assert.throws(() => parse(OLD), /height is missing/);
});

test('the difficulty is on the diff1 of the algorithm', () => {
  assert.equal(parse({ ...MODERN, bits: '1f00ffff', target: undefined }).networkDifficulty, 1);
  const sha = parse({ ...MODERN, bits: '1d00ffff', target: null }, { diff1: 0xffffn << 208n });
  assert.equal(sha.networkDifficulty, 1);
});

test('the setting chain_id holds where the daemon says nothing, and refuses another id', () => {
  const { chainid: _, ...silent } = MODERN;
  assert.equal(parse(silent, { chainId: 98 }).chainId, 98);
  assert.equal(parse(MODERN, { chainId: 98 }).chainId, 98);
  assert.throws(() => parse(MODERN, { chainId: 99 }), /chainid is 98, expected 99 \(setting/);
  assert.throws(() => parse(silent), /chainid is missing/);
});

test('what makes no sense is refused by name, with what was seen', () => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [null, /aux work is null, expected an object/],
    [[1], /aux work is \[1\]/],
    ['x'.repeat(5000), /^.{0,200}$/],
    [{ ...MODERN, hash: 'ab' }, /hash is "ab", expected 64 hex digits/],
    [{ ...MODERN, hash: undefined }, /hash is missing/],
    [{ ...MODERN, chainid: -1 }, /chainid is -1/],
    [{ ...MODERN, chainid: 2 ** 32 }, /chainid is 4294967296/],
    [{ ...MODERN, chainid: '98' }, /chainid is "98"/],
    [{ ...MODERN, bits: '1d80ffff', target: null }, /bits is "1d80ffff", .*negative/],
    [{ ...MODERN, bits: '00000000', target: null }, /bits is "00000000"/],
    [{ ...MODERN, bits: 5 }, /bits is 5/],
    [{ ...MODERN, target: 'ff' }, /target is "ff"/],
    [{ ...OLD, target: '12'.repeat(32), height: 5 }, /target is .* compact form/],
    [{ ...OLD, target: undefined, height: 5 }, /bits is missing/],
    [{ ...MODERN, height: 1.5 }, /height is 1.5/],
    [{ ...MODERN, height: 2 ** 31 }, /height is 2147483648/],
    [{ ...MODERN, coinbasevalue: -5 }, /coinbasevalue is -5/],
    [{ ...MODERN, previousblockhash: 'zz' }, /previousblockhash is "zz"/],
  ];
  for (const [result, message] of wrong) {
    assert.throws(
      () => parse(result),
      (error) => error instanceof TemplateError && message.test(error.message),
      JSON.stringify(result),
    );
  }
});
