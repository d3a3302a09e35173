import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTemplate } from '../../../src/jobs/template.ts';
import { TemplateError } from '../../../src/jobs/template-error.ts';
import { FIXTURES, answerOf, fixtureBody, fixtureTemplate, flipped } from './support.ts';

test('fields of real templates are taken as the daemon states them', () => {
  for (const name of FIXTURES) {
    const plain = fixtureTemplate(name);
    const template = parseTemplate(fixtureBody(name));
    assert.equal(template.height, plain.height);
    assert.equal(template.version, plain.version);
    assert.equal(template.coinbaseValue, BigInt(plain.coinbasevalue));
    assert.equal(template.prevHashHexBE, plain.previousblockhash);
    assert.equal(
      Buffer.from(template.prevHashLE).toString('hex'),
      flipped(Buffer.from(plain.previousblockhash, 'hex')),
    );
    assert.equal(template.bitsHex, '207fffff');
    assert.equal(template.target, 0x7fffffn << 232n);
    assert.equal(template.curTime, plain.curtime);
    assert.equal(template.minTime, plain.mintime);
    assert.equal(template.weightLimit, 4_000_000);
    assert.equal(template.mwebHex, plain.mweb);
    const fees = plain.transactions.map((one) => one.fee ?? 0).reduce((sum, fee) => sum + fee, 0);
    assert.equal(template.fees, BigInt(fees));
    assert.equal(
      Buffer.from(template.witnessCommitment ?? []).toString('hex'),
      plain.default_witness_commitment,
    );
  }
});

test('a template of an old daemon: hash in place of txid, no fee, no limits, signed version', () => {
  const plain = fixtureTemplate('litecoind-regtest-segwit');
  const old = {
    version: -2,
    previousblockhash: plain.previousblockhash,
    transactions: plain.transactions.map(({ data, txid }) => ({ data, hash: txid })),
    coinbaseaux: { flags: '062f503253482f' },
    coinbasevalue: plain.coinbasevalue,
    curtime: plain.curtime,
    bits: plain.bits,
    height: plain.height,
    workid: 'w1',
  };
  const template = parseTemplate(answerOf(old));
  assert.equal(template.version, 0xfffffffe);
  assert.equal(template.fees, undefined);
  assert.equal(template.minTime, plain.curtime);
  assert.equal(template.workId, 'w1');
  assert.equal(template.sigopLimit, undefined);
  assert.equal(template.witnessCommitment, undefined);
  assert.equal(Buffer.from(template.flags).toString('latin1'), '\u0006/P2SH/');
  const first = flipped(template.transactions.txidsLE.slice(0, 32));
  assert.equal(first, plain.transactions[0]?.txid);
});

test('a mandatory rule that nobody here knows makes the template unusable, unless it is configured', () => {
  const plain = { ...fixtureTemplate('bcoin-regtest-segwit'), rules: ['csv', '!segwit', '!novel'] };
  assert.throws(() => parseTemplate(answerOf(plain)), /field rules is "!novel".*segwit/);
  assert.equal(parseTemplate(answerOf(plain), ['novel']).height, plain.height);
  const signet = { ...plain, rules: ['!signet'], signet_challenge: '5121' };
  assert.throws(() => parseTemplate(answerOf(signet)), TemplateError);
  assert.ok(parseTemplate(answerOf({ ...signet, signet_challenge: '51' })));
});

test('an unusable field is named with what was seen and what was expected', () => {
  const plain = fixtureTemplate('bcoin-regtest-segwit');
  const [first] = plain.transactions;
  const cases: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ coinbasevalue: undefined }, /field coinbasevalue is missing, expected a whole number/],
    [{ coinbasevalue: 1.5 }, /coinbasevalue is 1\.5/],
    [{ coinbasevalue: -1 }, /coinbasevalue is -1/],
    [{ previousblockhash: 'ab' }, /previousblockhash is "ab", expected 64 hex digits/],
    [{ bits: '1d00fff' }, /bits is "1d00fff", expected 8 hex digits/],
    [{ bits: '00000000' }, /bits is 00000000, expected a compact target/],
    [{ height: '7' }, /height is "7"/],
    [{ version: null }, /version is null/],
    [{ default_witness_commitment: 'xy' }, /default_witness_commitment is "xy", expected hex/],
    [{ coinbaseaux: 'f' }, /coinbaseaux is "f", expected an object/],
    [{ mweb: 'abc' }, /mweb is "abc"/],
    [{ rules: 'segwit' }, /rules is "segwit", expected a list/],
    [{ transactions: {} }, /transactions is \{\}, expected an array/],
    [{ transactions: [7] }, /transactions\[0\] is 7, expected an object/],
    [{ transactions: [{ ...first, data: 'abc' }] }, /transactions\[0\]\.data is "abc"/],
    [{ transactions: [{ ...first, data: '' }] }, /transactions\[0\]\.data is ""/],
    [{ transactions: [{ ...first, txid: 'zz' }] }, /transactions\[0\]\.txid is "zz"/],
    [{ transactions: [{ data: 'ab' }] }, /transactions\[0\]\.txid is missing/],
    [{ transactions: [first, { ...first, fee: -1 }] }, /transactions\[1\]\.fee is -1/],
  ];
  for (const [change, message] of cases) {
    assert.throws(
      () => parseTemplate(answerOf({ ...plain, ...change })),
      (error) => error instanceof TemplateError && message.test(error.message),
      `${JSON.stringify(change)} → ${String(message)}`,
    );
  }
  assert.throws(() => parseTemplate(Buffer.from('{"result":null}')), /field result is null/);
  assert.throws(() => parseTemplate(Buffer.from('<html>')), /6 bytes\) is not JSON/);
});
