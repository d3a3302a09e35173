import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TemplateError } from '../../../src/jobs/template-error.ts';
import { blockHex } from '../../../src/jobs/builder.ts';
import type { JobWork } from '../../../src/jobs/builder.ts';
import { RunIdentity } from '../../../src/jobs/identity.ts';
import { prepare, prepareEmpty, sameWork } from '../../../src/jobs/prepare.ts';
import { parseTemplate } from '../../../src/jobs/template.ts';
import { rollableBits } from '../../../src/jobs/version.ts';
import {
  commitmentHolds,
  decodeBlock,
  decodeTx,
  display,
  doubleSha,
  heightOf,
  rootOf,
  scriptOps,
} from '../../support/oracle.ts';
import type { OracleBlock } from '../../support/oracle.ts';
import { minerHeader, notifyParams } from './notify-miner.ts';
import {
  FIXTURES,
  REGTEST_SCRIPT,
  RULES,
  answerOf,
  fixtureBody,
  fixtureTemplate,
  jobOn,
  mergedOf,
} from './support.ts';
import type { Fixture, FixtureTemplate } from './support.ts';

const EXTRANONCE = Buffer.from('0102030405060708', 'hex');

function minedBlock(work: JobWork): OracleBlock {
  const header = minerHeader(notifyParams(work.job.notify), EXTRANONCE);
  const hex = Buffer.concat(blockHex(work, header, EXTRANONCE)).toString('latin1');
  assert.match(hex, /^[0-9a-f]+$/i);
  return decodeBlock(Buffer.from(hex, 'hex'));
}

function workOn(template: FixtureTemplate, options: Parameters<typeof jobOn>[1] = {}): JobWork {
  const rules = options.rules ?? RULES;
  return jobOn(prepare(parseTemplate(answerOf(template)), rules), options);
}

function coinbaseOf(block: OracleBlock): OracleBlock['transactions'][number] {
  const [coinbase] = block.transactions;
  assert.ok(coinbase !== undefined);
  return coinbase;
}

test('the notify line makes a miner build the header of the block that is submitted', () => {
  for (const name of FIXTURES) {
    const plain = fixtureTemplate(name);
    const work = jobOn(prepare(parseTemplate(fixtureBody(name)), RULES));
    const block = minedBlock(work);
    const txids = block.transactions.map((tx) => tx.txid);
    assert.equal(block.merkleRoot, rootOf(txids));
    assert.equal(block.prevHash, plain.previousblockhash);
    assert.equal(block.time, plain.curtime);
    assert.equal(block.bits, Number.parseInt(plain.bits, 16));
    const [id, , , , , version, , , clean] = notifyParams(work.job.notify);
    assert.equal(id, work.job.id);
    assert.equal(Number.parseInt(version, 16), work.job.version);
    assert.equal(clean, false);
    assert.equal(notifyParams(work.job.notifyClean)[8], true);
    assert.deepEqual(
      notifyParams(work.job.notifyClean).slice(0, 8),
      notifyParams(work.job.notify).slice(0, 8),
    );
  }
});

test("the block holds exactly the template's transactions, its commitment and its MWEB tail", () => {
  for (const name of FIXTURES) {
    const plain = fixtureTemplate(name);
    const block = minedBlock(jobOn(prepare(parseTemplate(fixtureBody(name)), RULES)));
    const rest = block.transactions.slice(1);
    assert.deepEqual(
      rest.map((tx) => tx.txid),
      plain.transactions.map((tx) => tx.txid),
    );
    const commitment = coinbaseOf(block).outputs.at(-1)?.script.toString('hex');
    assert.equal(commitment, plain.default_witness_commitment);
    // The oracle's wtxid of a HogEx is not Litecoin's: the daemon's own commitment stands for it.
    assert.ok(plain.mweb !== undefined || commitmentHolds(block), name);
    const tail = plain.mweb === undefined ? '' : `01${plain.mweb}`;
    assert.equal(block.tail.toString('hex'), tail);
    const coinbase = coinbaseOf(block);
    assert.equal(heightOf(coinbase.inputs[0]?.script ?? new Uint8Array(0)), plain.height);
    assert.equal(coinbase.outputs[0]?.value, BigInt(plain.coinbasevalue));
    assert.deepEqual(coinbase.outputs[0]?.script, REGTEST_SCRIPT);
  }
});

test('every job id has a coinbase that no other job has, over jobs, runs and servers', () => {
  const prepared = prepare(parseTemplate(fixtureBody('bcoin-regtest-segwit')), RULES);
  const seen = new Set<string>();
  const ids = new Set<string>();
  const run = Buffer.from('deadbeef', 'hex');
  const identities = [
    new RunIdentity(0, run),
    new RunIdentity(1, run),
    new RunIdentity(256, run),
    new RunIdentity(0),
  ];
  for (const identity of identities) {
    ids.clear();
    for (let index = 0; index < 50; index += 1) {
      const { job } = jobOn(prepared, { identity });
      ids.add(job.id);
      seen.add(
        `${Buffer.from(job.coinb1).toString('hex')} ${Buffer.from(job.coinb2).toString('hex')}`,
      );
    }
    assert.equal(ids.size, 50);
  }
  assert.equal(seen.size, identities.length * 50);
});

test('extranonces stand inside a push, and the scriptSig stays within 100 bytes', () => {
  const plain = fixtureTemplate('bcoin-regtest-segwit');
  const merged = mergedOf([98, 1]);
  const auxTag = Buffer.from(merged.tree.tag);
  const tags = ['', '/PowerPool/', 'ü'.repeat(20), 'x'.repeat(40)];
  for (const coinbaseTag of tags) {
    for (const extranonceSize of [8, 12]) {
      for (const withAux of [false, true]) {
        const rules = { ...RULES, coinbaseTag, extranonceSize };
        const work = workOn(plain, { rules, ...(withAux ? { merged } : {}) });
        const extranonce = Buffer.alloc(extranonceSize, 0xae);
        const { coinb1, coinb2 } = work.job;
        const { inputs } = decodeTx(Buffer.concat([coinb1, extranonce, coinb2]));
        const script = inputs[0]?.script ?? new Uint8Array(0);
        assert.ok(script.length <= 100, `${coinbaseTag} ${script.length}`);
        const pushes = [...scriptOps(script)].map((one) => one.data?.toString('hex') ?? '');
        assert.ok(pushes.at(-1)?.endsWith(extranonce.toString('hex')));
        assert.equal(pushes.includes(auxTag.toString('hex')), withAux);
        if (coinbaseTag === '/PowerPool/') {
          assert.ok(pushes.includes(Buffer.from(coinbaseTag).toString('hex')));
        }
      }
    }
  }
});

test('version bits: what is rolled is cleared, what is required or a chain id is left alone', () => {
  const plain = fixtureTemplate('bcoin-regtest-segwit');
  const maskOf = (change: Record<string, unknown>, rolling: boolean | null = null): string =>
    rollableBits(parseTemplate(answerOf({ ...plain, ...change })), rolling).toString(16);
  assert.equal(maskOf({ version: 0x20000000 }), '1fffe000');
  assert.equal(maskOf({ version: 0x20000000 }, false), '0');
  assert.equal(maskOf({ version: 0x20000000, vbrequired: 0x4000 }), '1fffa000');
  assert.equal(maskOf({ version: 0x00620104 }), '0', 'Dogecoin: chain id 98 from bit 16 up');
  assert.equal(maskOf({ version: 0x20010100 }), '0', 'Namecoin: chain id among the BIP9 bits');
  assert.equal(maskOf({ version: 0x00620104 }, true), '1fffe000', 'the setting wins');
  assert.equal(maskOf({ version: 4 }), '0');
  // Litecoin while it signals: 30000010, of which bit 28 is testdummy and bit 4 is mweb.
  const { job } = jobOn(prepare(parseTemplate(fixtureBody('litecoind-regtest-segwit')), RULES));
  assert.equal(job.versionMask, 0x1fffe000);
  assert.equal(job.version, 0x20000010);
  const required = { ...plain, version: 0x20004000, vbrequired: 0x4000 };
  const kept = workOn(required).job;
  assert.equal(kept.version, 0x20004000);
  assert.equal(kept.version & kept.versionMask, 0);
});

test("ntime lies between the template's mintime and the nearer of curtime + ahead and maxtime", () => {
  const plain = fixtureTemplate('litecoind-regtest-segwit');
  const { job } = workOn(plain);
  assert.equal(job.minTime, plain.mintime);
  assert.equal(job.maxTime, plain.curtime + 7000);
  assert.equal(workOn({ ...plain, maxtime: plain.curtime + 60 }).job.maxTime, plain.curtime + 60);
  const late = workOn({ ...plain, mintime: plain.curtime + 5 }).job;
  assert.equal(late.time, plain.curtime + 5, 'a header before mintime is refused');
});

test('an empty job pays coinbasevalue less all fees and has no commitment', () => {
  const name: Fixture = 'bcoin-regtest-segwit';
  const plain = fixtureTemplate(name);
  const prepared = prepareEmpty(parseTemplate(fixtureBody(name)), RULES);
  assert.ok(prepared !== undefined);
  const block = minedBlock(jobOn(prepared));
  assert.equal(block.transactions.length, 1);
  assert.equal(block.merkleRoot, coinbaseOf(block).txid);
  const fees = plain.transactions.reduce((sum, one) => sum + (one.fee ?? 0), 0);
  assert.deepEqual(
    coinbaseOf(block).outputs.map((one) => one.value),
    [BigInt(plain.coinbasevalue - fees)],
  );
  assert.equal(coinbaseOf(block).inputs[0]?.witness.length ?? 0, 0);
});

test('no empty job where MWEB, a payload, demanded outputs or an unknown fee forbid it', () => {
  const plain = fixtureTemplate('bcoin-regtest-segwit');
  const { default_witness_commitment: _, ...bare } = plain;
  const payee = { masternode: [{ script: '51', amount: 5 }] };
  const noFee = plain.transactions.map(({ fee: _fee, ...rest }) => rest);
  const cases: readonly unknown[] = [
    fixtureTemplate('litecoind-regtest-mweb-pegin'),
    { ...bare, coinbase_payload: '0200' },
    { ...plain, ...payee },
    { ...plain, transactions: noFee },
  ];
  for (const template of cases) {
    assert.equal(prepareEmpty(parseTemplate(answerOf(template)), RULES), undefined);
  }
});

test('outputs that the template demands come first, and the pool gets the rest', () => {
  const { default_witness_commitment: _, ...plain } = fixtureTemplate('bcoin-regtest-segwit');
  const template = {
    ...plain,
    transactions: [],
    masternode: [{ script: '51', amount: 100 }],
    superblock: [{ script: '52', amount: 7 }],
    coinbase_payload: '0200aabb',
  };
  const work = jobOn(prepare(parseTemplate(answerOf(template)), RULES));
  const raw = Buffer.concat([work.job.coinb1, EXTRANONCE, work.job.coinb2]);
  const coinbase = decodeTx(raw, { dip2: true });
  assert.deepEqual(
    coinbase.outputs.map((one) => [one.value, one.script.toString('hex')]),
    [
      [100n, '51'],
      [7n, '52'],
      [BigInt(plain.coinbasevalue) - 107n, REGTEST_SCRIPT.toString('hex')],
    ],
  );
  assert.equal(raw.subarray(0, 4).toString('hex'), '03000500');
  assert.ok(raw.toString('hex').endsWith('040200aabb'));
});

test('over the limits with our coinbase: the last transactions go, value and commitment follow', () => {
  const plain = fixtureTemplate('bcoin-regtest-segwit');
  const weights = plain.transactions.map((one) => one.weight ?? 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  // Room for the transactions and a coinbase of 400 weight units: the pool's has more than 800.
  const tight = { ...plain, weightlimit: total + 4 * 81 + 400 };
  const work = workOn(tight);
  const block = minedBlock(work);
  const kept = block.transactions.length - 1;
  assert.equal(kept, plain.transactions.length - 1);
  assert.ok(commitmentHolds(block));
  const less = plain.transactions.at(-1)?.fee ?? 0;
  assert.equal(coinbaseOf(block).outputs[0]?.value, BigInt(plain.coinbasevalue - less));
  assert.equal(work.prepared.value, BigInt(plain.coinbasevalue - less));
  const weight = block.transactions.reduce(
    (sum, tx) => sum + tx.strippedSize * 3 + tx.size,
    4 * 81,
  );
  assert.ok(weight <= tight.weightlimit, `${weight} of ${tight.weightlimit}`);
});

test('over the limits where nothing may be left out: the template is refused', () => {
  const mweb = fixtureTemplate('litecoind-regtest-mweb-pegin');
  assert.throws(() => workOn({ ...mweb, weightlimit: 1500 }), /cannot be left out here/);
  const plain = fixtureTemplate('bcoin-regtest-segwit');
  const unknown = plain.transactions.map(({ fee: _fee, ...rest }) => rest);
  assert.throws(
    () => workOn({ ...plain, transactions: unknown, weightlimit: 3000 }),
    TemplateError,
  );
  assert.throws(
    () => workOn({ ...plain, weightlimit: 500 }),
    /coinbase alone breaks .*weightlimit/,
  );
});

test('witnesses without a commitment in the template: it is refused', () => {
  const { default_witness_commitment: _, ...plain } = fixtureTemplate('bcoin-regtest-segwit');
  assert.throws(() => workOn(plain), /default_witness_commitment is missing/);
  const legacy = plain.transactions.filter((one) => one.txid === one.hash);
  assert.ok(legacy.length > 0);
  const work = workOn({ ...plain, transactions: legacy });
  assert.equal(work.coinbase.hasCommitment, false);
});

test('the same work is told from news by everything but its time', () => {
  const plain = fixtureTemplate('litecoind-regtest-mweb-pegin');
  const parse = (change: Record<string, unknown>): ReturnType<typeof parseTemplate> =>
    parseTemplate(answerOf({ ...plain, ...change }));
  const template = parse({});
  assert.ok(sameWork(template, parse({})));
  assert.ok(
    sameWork(template, parse({ curtime: plain.curtime + 9, mintime: 5, longpollid: 'other' })),
  );
  const news: readonly Record<string, unknown>[] = [
    { previousblockhash: '00'.repeat(32) },
    { transactions: plain.transactions.slice(0, 1) },
    { transactions: plain.transactions.toReversed() },
    { coinbasevalue: plain.coinbasevalue + 1 },
    { mweb: '00' },
    { version: 0x20000001 },
    { bits: '207ffffe' },
    { masternode: [] },
    { default_witness_commitment: undefined },
  ];
  for (const change of news) {
    assert.ok(!sameWork(template, parse(change)), JSON.stringify(change));
  }
});

test('a job survives a structured clone and carries nothing but its own bytes', () => {
  const { job } = jobOn(prepare(parseTemplate(fixtureBody('bcoin-regtest-segwit')), RULES));
  const views = Object.values(job).filter((value) => value instanceof Uint8Array);
  assert.ok(views.length >= 7);
  for (const view of views) {
    assert.ok(
      view.buffer.byteLength <= view.length + 64,
      `${view.buffer.byteLength} for ${view.length}`,
    );
  }
  assert.deepEqual(structuredClone(job), job);
  assert.equal(display(doubleSha(minerHeader(notifyParams(job.notify), EXTRANONCE))).length, 64);
});
