import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { scanTemplate } from '../../../src/jobs/template-scan.ts';
import { parseTemplate } from '../../../src/jobs/template.ts';
import type { TemplateTransactions } from '../../../src/jobs/template-transactions.ts';
import { FIXTURES, answerOf, fixtureBody, fixtureTemplate, flipped } from './support.ts';

interface Plain {
  data: string;
  txid?: string;
  hash?: string;
  fee?: number;
  sigops?: number;
  weight?: number;
}

/** What JSON.parse says of the transactions, in the form the scan gives. */
function expected(transactions: readonly Plain[]): unknown {
  return transactions.map((one) => ({
    data: one.data,
    txid: (one.txid ?? one.hash ?? '').toLowerCase(),
    hash: one.hash ?? one.txid,
    fee: one.fee ?? -1,
    sigops: one.sigops ?? -1,
    weight: one.weight ?? -1,
  }));
}

function seen(transactions: TemplateTransactions): unknown {
  return Array.from({ length: transactions.count }, (_, index) => {
    const hashStart = transactions.hashStart[index] ?? 0;
    return {
      data: transactions.text.toString(
        'latin1',
        transactions.dataStart[index],
        transactions.dataEnd[index],
      ),
      txid: flipped(transactions.txidsLE.slice(index * 32, index * 32 + 32)),
      hash: transactions.text.toString('latin1', hashStart, hashStart + 64),
      fee: transactions.fees[index],
      sigops: transactions.sigops[index],
      weight: transactions.weights[index],
    };
  });
}

/** JSON with white space and escapes wherever the grammar allows them, by `choose`. */
function write(value: unknown, choose: (n: number) => number, escapes: boolean): string {
  const gap = (): string => ['', '', '', ' ', '\n', '\r\n\t'][choose(6)] ?? '';
  const word = (text: string): string => {
    if (!escapes || choose(3) > 0) return JSON.stringify(text);
    const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
    return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"`;
  };
  const put = (item: unknown): string => {
    if (typeof item === 'string') return gap() + word(item) + gap();
    if (Array.isArray(item)) return `${gap()}[${item.map(put).join(',') || gap()}]${gap()}`;
    if (typeof item !== 'object' || item === null) return gap() + JSON.stringify(item) + gap();
    const members = Object.entries(item).map(
      ([name, member]) => `${gap()}${word(name)}${gap()}:${put(member)}`,
    );
    return `${gap()}{${members.join(',') || gap()}}${gap()}`;
  };
  return put(value);
}

const hex = (digits: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.constantFrom(...'0123456789abcdefABCDEF'.split('')),
    minLength: digits,
    maxLength: digits,
  });
const amount = fc.option(fc.nat(), { nil: undefined });

const transaction = fc
  .record({
    data: fc.nat(60).chain((bytes) => hex(2 + bytes * 2)),
    ids: fc.oneof(
      fc.record({ txid: hex(64), hash: hex(64) }),
      fc.record({ txid: hex(64) }),
      fc.record({ hash: hex(64) }),
    ),
    numbers: fc.record({ fee: amount, sigops: amount, weight: amount }),
    others: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 2 }), {
      maxKeys: 3,
    }),
  })
  .chain(({ data, ids, numbers, others }) => {
    const stated = Object.entries(numbers).filter(([, value]) => value !== undefined);
    const all = { ...others, data, ...ids, ...Object.fromEntries(stated) };
    const entries = Object.entries(all).filter(([name]) => name !== '__proto__');
    return fc.shuffledSubarray(entries, { minLength: entries.length });
  })
  .map((entries) => Object.fromEntries(entries) as unknown as Plain);

const answer = fc
  .record({
    transactions: fc.array(transaction, { maxLength: 6 }),
    rest: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }), {
      maxKeys: 4,
    }),
    first: fc.boolean(),
  })
  .map(({ transactions, rest, first }) => {
    delete rest['transactions'];
    delete rest['result'];
    const result = first ? { transactions, ...rest } : { ...rest, transactions };
    return first ? { result, error: null, id: 1 } : { id: 'é"\\', error: null, result };
  });

const choices = fc.array(fc.nat(1 << 20), { minLength: 1, maxLength: 200 });

function chooser(numbers: readonly number[]): (n: number) => number {
  let at = 0;
  return (n) => {
    at += 1;
    return (numbers[at % numbers.length] ?? 0) % n;
  };
}

test('the scan finds what JSON.parse finds, in any key order, white space and script', () => {
  let given = 0;
  fc.assert(
    fc.property(answer, choices, (value, numbers) => {
      const text = write(value, chooser(numbers), false);
      const scanned = scanTemplate(Buffer.from(text));
      if (scanned === undefined) {
        assert.match(text, /\\/, 'the scan gave up on a text without an escape');
        given += 1;
        return;
      }
      const parsed = JSON.parse(text) as { result: { transactions: Plain[] } };
      assert.deepEqual(seen(scanned.transactions), expected(parsed.result.transactions));
      const rest = structuredClone(parsed) as { result: { transactions: unknown } };
      rest.result.transactions = [];
      assert.deepEqual(scanned.rest, rest);
    }),
    { numRuns: 300 },
  );
  assert.ok(given < 200, `the scan gave up ${given} times of 300`);
});

test('a template with escaped letters anywhere is read like JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.array(transaction, { maxLength: 6 }), choices, (transactions, numbers) => {
      const template = { ...fixtureTemplate('bcoin-regtest-segwit'), transactions };
      const text = write({ result: template, error: null, id: 1 }, chooser(numbers), true);
      assert.deepEqual(seen(parseTemplate(Buffer.from(text)).transactions), expected(transactions));
    }),
    { numRuns: 300 },
  );
});

test('no cut or changed byte of an answer makes anything but a template or a TemplateError', () => {
  const body = fixtureBody('bcoin-regtest-segwit');
  fc.assert(
    fc.property(fc.nat(body.length - 1), fc.nat(255), fc.boolean(), (at, byte, isCut) => {
      const bad = Buffer.from(isCut ? body.subarray(0, at) : body);
      if (!isCut) bad[at] = byte;
      try {
        parseTemplate(bad);
      } catch (error) {
        assert.equal((error as Error).name, 'TemplateError', String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('templates of real daemons are read without parsing their transactions', () => {
  for (const name of FIXTURES) {
    const scanned = scanTemplate(fixtureBody(name));
    assert.ok(scanned !== undefined, name);
    assert.deepEqual(seen(scanned.transactions), expected(fixtureTemplate(name).transactions));
  }
});

test('a name given twice counts as JSON.parse counts it: the last one', () => {
  const template = fixtureTemplate('litecoind-regtest-segwit');
  const [first, second] = template.transactions;
  const one = JSON.stringify(first);
  const twice = `{"fee":1,${one.slice(1)}`;
  const text = answerOf(template).toString().replace(one, twice);
  const { fees, count } = parseTemplate(Buffer.from(text)).transactions;
  assert.equal(count, 3);
  assert.deepEqual([...fees.subarray(0, 2)], [first?.fee, second?.fee]);
});
