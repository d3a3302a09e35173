import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  callFrame,
  checkRawAnswer,
  decodeAnswer,
  decodeBatch,
  encodeCall,
} from '../../../src/daemon/envelope.ts';
import { DaemonError, daemonIsDown } from '../../../src/daemon/error.ts';

const asked = { daemon: '127.0.0.1:1', method: 'm', id: 7 };
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const code = (expected: string, rpcCode?: number) => (error: unknown) => {
  assert.ok(error instanceof DaemonError);
  assert.equal(error.code, expected);
  assert.equal(error.rpcCode, rpcCode);
  return true;
};

describe('JSON-RPC envelopes', () => {
  it('a call is protocol 1.0 with its id, method and params', () => {
    assert.deepEqual(JSON.parse(encodeCall(3, { method: 'getblock', params: ['ab', 1] })), {
      jsonrpc: '1.0',
      id: 3,
      method: 'getblock',
      params: ['ab', 1],
    });
  });

  it('head, parts and tail of a call joined are the same JSON', () => {
    const { head, tail } = callFrame(9, 'submitblock');
    const joined = Buffer.concat([head, Buffer.from('"00ff","w"'), tail]).toString();
    assert.deepEqual(JSON.parse(joined), {
      jsonrpc: '1.0',
      id: 9,
      method: 'submitblock',
      params: ['00ff', 'w'],
    });
  });

  it('an error is found whether it came with HTTP 500 (1.0) or 200 (2.0)', () => {
    const body = bytes({ result: null, error: { code: -8, message: 'no' }, id: 7 });
    assert.throws(() => decodeAnswer(asked, 500, body), code('RPC', -8));
    assert.throws(() => decodeAnswer(asked, 200, body), code('RPC', -8));
  });

  it('null is a result, a missing result is none', () => {
    assert.equal(decodeAnswer(asked, 200, bytes({ result: null, error: null, id: 7 })), null);
    assert.throws(() => decodeAnswer(asked, 200, bytes({ id: 7 })), code('BAD_ANSWER'));
  });

  it('the answer to another call is not taken', () => {
    const body = bytes({ result: 1, error: null, id: 8 });
    assert.throws(() => decodeAnswer(asked, 200, body), code('BAD_ANSWER'));
  });

  it('401 and 403 are AUTH, other statuses without JSON are HTTP, garbage is BAD_ANSWER', () => {
    assert.throws(() => decodeAnswer(asked, 401, Buffer.alloc(0)), code('AUTH'));
    assert.throws(() => decodeAnswer(asked, 403, Buffer.from('{}')), code('AUTH'));
    assert.throws(() => decodeAnswer(asked, 503, Buffer.from('Work queue depth')), code('HTTP'));
    assert.throws(() => decodeAnswer(asked, 200, Buffer.from('oops')), code('BAD_ANSWER'));
    assert.throws(() => decodeAnswer(asked, 200, Buffer.from('[1]')), code('BAD_ANSWER'));
  });

  it("a daemon's own words are cut and stripped of control characters", () => {
    const message = `\u001b[31m${'x'.repeat(5000)}\nnext line`;
    const body = bytes({ result: null, error: { code: -1, message }, id: 7 });
    assert.throws(
      () => decodeAnswer(asked, 500, body),
      (error: Error) =>
        error.message.length < 500 && !['\u001b', '\n'].some((one) => error.message.includes(one)),
    );
  });

  it('a batch gives each call its own outcome, in any order of the answers', () => {
    const calls = ['a', 'b', 'c'].map((method) => ({ method, params: [] }));
    const body = bytes([
      { result: 'C', error: null, id: 12 },
      { result: null, error: { code: -32601, message: 'Method not found' }, id: 11 },
    ]);
    const results = decodeBatch({ daemon: 'd' }, calls, 10, 200, body);
    assert.deepEqual(
      results.map((one) => (one.ok ? one.result : [one.error.code, one.error.rpcCode])),
      [['BAD_ANSWER', undefined], ['RPC', -32601], 'C'],
    );
  });

  it('a batch refused as a whole throws', () => {
    const body = bytes({ result: null, error: { code: -32700, message: 'Parse error' }, id: null });
    assert.throws(() => decodeBatch({ daemon: 'd' }, [], 1, 500, body), code('RPC', -32700));
  });

  describe('a long answer that is not parsed', () => {
    const long = 'ab'.repeat(100_000);
    const check = (text: string, status = 200): void => {
      checkRawAnswer(asked, status, Buffer.from(text));
    };

    it('passes with the envelope before or behind the result', () => {
      check(`{"result":{"data":"${long}"},"error":null,"id":7}\n`);
      check(`{"error": null, "id":7, "result":{"data":"${long}"}}`);
      check(`{"jsonrpc":"2.0","result":{"data":"${long}"},"id":7}`);
    });

    it('is refused with an error in it, another id, or no end', () => {
      const error = '"error":{"code":-9,"message":"m"}';
      const { throws } = assert;
      throws(() => check(`{"result":"${long}",${error},"id":7}`), code('RPC', -9));
      throws(() => check(`{${error},"id":7,"result":"${long}"}`), code('RPC', -9));
      throws(() => check(`{"result":"${long}","error":null,"id":71}`), code('BAD_ANSWER'));
      throws(() => check(`{"result":"${long}`), code('BAD_ANSWER'));
      throws(() => check(`{"result":"${long}","error":null,"id":7}`, 500), code('BAD_ANSWER'));
    });
  });

  it('a daemon that refuses a call is not down; one that starts up, or does not answer, is', () => {
    assert.equal(daemonIsDown(new DaemonError('RPC', '', { rpcCode: -9 })), false);
    assert.equal(daemonIsDown(new DaemonError('RPC', '', { rpcCode: -28 })), true);
    assert.equal(daemonIsDown(new DaemonError('TIMEOUT', '')), true);
    assert.equal(daemonIsDown(new DaemonError('ABORTED', '')), false);
  });
});
