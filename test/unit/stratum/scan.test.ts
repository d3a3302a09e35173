/**
 * The byte scanner against JSON.parse: on whatever it accepts both read the same submission, and it
 * accepts what miners send. Also the strict reading of hex.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRequest } from '../../../src/stratum/v1/requests.ts';
import { scanSubmit } from '../../../src/stratum/v1/scan.ts';
import { Submission } from '../../../src/stratum/v1/submission.ts';

interface Read {
  readonly id: string;
  readonly job: string;
  readonly en2: string | false;
  readonly time: number;
  readonly nonce: number;
  readonly bits: number;
}

function read(submission: Submission, id: string): Read {
  const bytes = new Uint8Array(16);
  const en2 = submission.writeExtranonce2(bytes, 0, 4) && Buffer.from(bytes).toString('hex', 0, 4);
  const { jobId, time, nonce, versionBits } = submission;
  return { id, job: jobId, en2, time, nonce, bits: versionBits };
}

function byScanner(text: string): Read | undefined {
  const submission = new Submission();
  // Surrounded, because a line is a range of a larger buffer.
  const line = Buffer.from(`["${text}]"`);
  const ok = scanSubmit(line, 2, line.length - 2, submission);
  return ok && submission.count >= 5 ? read(submission, submission.id) : undefined;
}

function byJson(text: string): Read | undefined {
  const { id, request } = parseRequest(text);
  const submission = new Submission();
  if (request.method !== 'submit' || !submission.setParams(request.params)) return undefined;
  return read(submission, id);
}

const FIELDS = ['addr.worker', 'deadbeef', '0A0b0C0d', '6b49D200', 'aabbccdd'];

test('the shapes miners send are read without JSON.parse', () => {
  const p = JSON.stringify(FIELDS);
  for (const text of [
    `{"id":4,"method":"mining.submit","params":${p}}`,
    `{"method": "mining.submit", "params": ["a", "b", "00000000", "6b49d200", "00000000"], "id":4}`,
    `{"params": ${p}, "id": "x-1", "method": "mining.submit"}`,
    ` { "id" : null , "method" : "mining.submit" , "params" : ${p} } `,
    `{"id":4,"method":"mining.submit","params":${JSON.stringify([...FIELDS, '00002000'])}}`,
  ]) {
    assert.notEqual(byScanner(text), undefined, text);
    assert.deepEqual(byScanner(text), byJson(text), text);
  }
});

test('every prefix and every single changed byte of a submit is read as JSON.parse reads it', () => {
  const text = `{"id": 12, "method": "mining.submit", "params": ${JSON.stringify([...FIELDS, '00002000'])}}`;
  for (let cut = 0; cut < text.length; cut++)
    assert.equal(byScanner(text.slice(0, cut)), undefined);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.integer({ min: 1, max: 126 }), (at, code) => {
      const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
      const scanned = byScanner(changed);
      if (scanned !== undefined) assert.deepEqual(scanned, byJson(changed), changed);
    }),
    { numRuns: 20_000 },
  );
});

test('messages put together from likely pieces are read as JSON.parse reads them', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    ' ',
    '"id"',
    '"method"',
    '"params"',
    '"mining.submit"',
    '4',
    '0',
    '04',
    'null',
    '"x"',
    '-1',
    '1e3',
    'true',
    '"00000000"',
    '"aAbBcCdD"',
    '\\',
    '"',
    '\t',
    JSON.stringify(FIELDS),
    '"id":4',
    '"method":"mining.submit"',
    `"params":${JSON.stringify(FIELDS)}`,
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const text = pieces.join('');
      const scanned = byScanner(text);
      if (scanned !== undefined) assert.deepEqual(scanned, byJson(text), text);
    }),
    { numRuns: 20_000 },
  );
});

test('hex is exact: length, digits, either case; nothing is padded or cut', () => {
  const one = (index: number, value: string): Read | undefined => {
    const fields = FIELDS.map((field, i) => (i === index ? value : field));
    return byScanner(`{"id":1,"method":"mining.submit","params":${JSON.stringify(fields)}}`);
  };
  assert.equal(one(3, '6B49D200')?.time, 0x6b49d200);
  assert.equal(one(4, 'FFFFFFFF')?.nonce, 0xffffffff);
  assert.equal(one(2, '0A0B0C0D')?.en2, '0a0b0c0d');
  for (const bad of ['', '0', '0000000', '000000000', '0x000000', '0000000g', ' 0000000']) {
    assert.equal(one(3, bad)?.time, -1, bad);
    assert.equal(one(4, bad)?.nonce, -1, bad);
    assert.equal(one(2, bad)?.en2, false, bad);
  }
});

test('ids keep their text: numbers, null, strings; a message without one has 1', () => {
  const id = (text: string): string => parseRequest(`{${text}"method":"mining.ping"}`).id;
  assert.equal(id('"id":7,'), '7');
  assert.equal(id('"id":null,'), 'null');
  assert.equal(id('"id":"a\\"b",'), '"a\\"b"');
  assert.equal(id('"id":"ü",'), '"\\u00fc"');
  assert.equal(id(''), '1');
  assert.equal(id('"id":{"a":1},'), '1');
  assert.equal(parseRequest('not json').id, '1');
});
