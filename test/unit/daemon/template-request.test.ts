import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  NOTHING_LEARNED,
  learn,
  longpollId,
  previousBlockHash,
  requestFor,
  templateParams,
} from '../../../src/daemon/template-request.ts';

const rulesOf = (params: readonly unknown[]): unknown => (params[0] as { rules?: unknown }).rules;

describe('what getblocktemplate is asked with', () => {
  it('never offers coinbasetxn and offers long polling', () => {
    const [request] = templateParams() as [{ capabilities: string[] }];
    assert.ok(!request.capabilities.includes('coinbasetxn'));
    assert.ok(request.capabilities.includes('longpoll'));
  });

  // Texts as Litecoin Core 0.21, Bitcoin Core and bcoin 1.0.2 send them.
  const texts: readonly [string, string, string[]][] = [
    [
      'Litecoin',
      'getblocktemplate must be called with the segwit & mweb rule sets (call with {"rules": ["mweb", "segwit"]})',
      ['segwit', 'mweb'],
    ],
    [
      'signet',
      'getblocktemplate must be called with the signet rule set (call with {"rules": ["segwit", "signet"]})',
      ['segwit', 'signet'],
    ],
    ['bcoin', 'Client must support csv.', ['segwit', 'csv']],
  ];
  for (const [chain, text, rules] of texts) {
    it(`learns the rules that ${chain} names`, () => {
      const learned = learn(templateParams(), NOTHING_LEARNED, -8, text);
      assert.ok(learned);
      assert.deepEqual(rulesOf(requestFor(templateParams(), learned)), rules);
      assert.equal(learn(templateParams(), learned, -8, text), undefined, 'only once');
    });
  }

  it('learns nothing from other errors', () => {
    for (const text of ['Litecoin is not connected!', 'Invalid mode', '', '"rules": [<script>]']) {
      assert.equal(learn(templateParams(), NOTHING_LEARNED, -9, text), undefined);
    }
  });

  it('does not take an endless list of rules from a daemon', () => {
    const many = Array.from({ length: 50 }, (_, index) => `"r${index}"`).join(',');
    const text = `(call with {"rules": [${many}]})`;
    assert.equal(learn(templateParams(), NOTHING_LEARNED, -8, text), undefined);
  });

  it('asks without parameters where the usage text says that there are none', () => {
    const learned = learn(templateParams(), NOTHING_LEARNED, -1, 'getblocktemplate\n\nReturns …');
    assert.ok(learned);
    assert.deepEqual(requestFor(templateParams(), learned), []);
  });

  it('a long poll is the same request with the id', () => {
    const params = requestFor(templateParams(['mweb', 'segwit']), NOTHING_LEARNED, 'id-1');
    assert.deepEqual(params, [
      { ...(templateParams(['mweb', 'segwit'])[0] as object), longpollid: 'id-1' },
    ]);
  });
});

describe('what a template says at a glance', () => {
  const hash = '0123456789abcdef'.repeat(4);
  const body = Buffer.from(
    `{"result":{"previousblockhash" : "${hash.toUpperCase()}","transactions":[{"data":"00"}],"longpollid":"${hash}17"}}`,
  );

  it('previousblockhash and longpollid are read without a parse', () => {
    assert.equal(previousBlockHash(body), hash);
    assert.equal(longpollId(body), `${hash}17`);
  });

  it('what is not a hash, or not there, is undefined', () => {
    assert.equal(previousBlockHash(Buffer.from('{"previousblockhash":"00"}')), undefined);
    assert.equal(previousBlockHash(Buffer.from('{"previousblockhash":')), undefined);
    assert.equal(previousBlockHash(Buffer.alloc(0)), undefined);
    assert.equal(longpollId(Buffer.from(`{"longpollid":"${'x'.repeat(257)}"}`)), undefined);
    assert.equal(longpollId(Buffer.from('{"longpollid":7}')), undefined);
  });
});
