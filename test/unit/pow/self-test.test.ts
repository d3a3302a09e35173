/** Every algorithm passes its known answers at start, and a kernel that computes something else does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALGORITHMS, algorithm, scryptN } from '../../../src/pow/algorithms.ts';
import { ShareChecker } from '../../../src/pow/checker.ts';
import { selfTest } from '../../../src/pow/self-test.ts';

test('every algorithm of the table has a known answer and passes it', () => {
  for (const row of ALGORITHMS) {
    const checker = ShareChecker.load(row);
    const result = selfTest(checker, 1);
    assert.equal(result.name, row.name);
    assert.ok(result.known, `${row.name} has no known answer`);
    assert.ok(result.singleUs > 0 && result.batchUs > 0);
    assert.throws(() => checker.dropJob(0), RangeError, 'its job is dropped');
  }
});

test('a wrong kernel fails, and the error names algorithm and vector', () => {
  const wrong = { ...algorithm('scrypt')!, parameter: 512, name: 'scrypt' };
  const disguised = ShareChecker.load(wrong);
  Object.defineProperty(disguised, 'algorithm', { value: algorithm('scrypt') });
  assert.throws(() => selfTest(disguised, 1), {
    code: 'self-test',
    message: /^scrypt: self-test with Litecoin block 0 \(1 of 1\): [0-9a-f]{64}, expected 0000050c/,
  });
});

test('an N of the operator without a published block is warmed up and said to be unknown', () => {
  assert.equal(selfTest(ShareChecker.load(scryptN(4)!), 1).known, false);
});
