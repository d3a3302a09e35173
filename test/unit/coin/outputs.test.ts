/** Templates of the field, as their daemons' documentation and recorded answers show them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { toHex } from '../../../src/coin/bytes.ts';
import { demandedOutputs, demandedVotes, type OutputRules } from '../../../src/coin/outputs.ts';
import { NETWORKS } from '../../../src/coin/networks.ts';

function demanded(
  template: Record<string, unknown>,
  rules?: OutputRules,
): { outputs: [bigint, string][]; paid: bigint; payload: string | undefined } {
  const { outputs, paid, payload } = demandedOutputs(template, rules);
  return {
    outputs: outputs.map(({ value, script }) => [value, toHex(script)]),
    paid,
    payload: payload === undefined ? undefined : toHex(payload),
  };
}

/** Dash Core documentation, getblocktemplate, main height 1911041. */
const DASH = {
  coinbasevalue: 230992199,
  coinbaseaux: {},
  masternode: [
    {
      payee: 'Xf1yruVSvW6arszkDrbN95c6hSxfhCAwtU',
      script: '76a9142f7f1bb68cd5428fc585a79f7f2ad29b0de52efd88ac',
      amount: 133282498,
    },
  ],
  masternode_payments_started: true,
  masternode_payments_enforced: true,
  superblock: [],
  superblocks_started: true,
  superblocks_enabled: true,
  coinbase_payload:
    '020001291d001a38d44b71c3fc1908e5bedfd7ba3a27eeea185ffc80590b3f518c6e654665a8d9cf5349a986f68f23ce3979a4d98ad057b91a7fa82ea429aa3198512a7ce85d',
};
const MASTERNODE: [bigint, string] = [
  133282498n,
  '76a9142f7f1bb68cd5428fc585a79f7f2ad29b0de52efd88ac',
];
const P2PKH = '76a9140370c5a1974d1409f5e86fba3bfcb3430f51c82388ac';

describe('Dash', () => {
  test('a masternode of the list is paid out of coinbasevalue, the payload goes along', () => {
    assert.deepEqual(demanded(DASH), {
      outputs: [MASTERNODE],
      paid: 133282498n,
      payload: DASH.coinbase_payload,
    });
  });

  test('an object instead of a list, and an address instead of a script, are the same demand', () => {
    const [node] = DASH.masternode;
    const byAddress = { payee: node?.payee, amount: node?.amount };
    assert.deepEqual(demanded({ ...DASH, masternode: node }).outputs, [MASTERNODE]);
    assert.deepEqual(demanded({ ...DASH, masternode: byAddress }).outputs, [MASTERNODE]);
  });

  test('the platform share has a script and no payee (Dash 20: OP_RETURN)', () => {
    const masternode = [{ payee: '', script: '6a', amount: 49980000 }, ...DASH.masternode];
    assert.deepEqual(demanded({ ...DASH, masternode }), {
      outputs: [[49980000n, '6a'], MASTERNODE],
      paid: 49980000n + 133282498n,
      payload: DASH.coinbase_payload,
    });
  });

  test('superblock outputs follow the masternode', () => {
    const superblock = [
      { payee: 'x', script: 'a914aa87', amount: 7 },
      { payee: 'y', script: '51', amount: 5 },
    ];
    assert.deepEqual(demanded({ ...DASH, superblock }).outputs, [
      MASTERNODE,
      [7n, 'a914aa87'],
      [5n, '51'],
    ]);
  });

  test('nobody is paid before payments start, or where the template names nobody', () => {
    const none = { outputs: [], paid: 0n, payload: undefined };
    const { coinbase_payload: _, ...plain } = DASH;
    assert.deepEqual(demanded({ ...plain, masternode_payments_started: false }), none);
    assert.deepEqual(demanded({ ...plain, masternode: [] }), none);
    assert.deepEqual(demanded({ ...plain, masternode: {} }), none);
    assert.deepEqual(demanded({ coinbasevalue: 5_000_000_000, coinbase_payload: '' }), none);
  });

  test('payout_drk_mn false pays masternodes only where the chain enforces it', () => {
    const rules = { payUnenforced: false };
    assert.equal(demanded(DASH, rules).outputs.length, 1);
    const open = { ...DASH, masternode_payments_enforced: false };
    assert.equal(demanded(open, rules).outputs.length, 0);
    assert.equal(demanded(open).outputs.length, 1);
  });
});

describe('Darkcoin', () => {
  const payee = 'Xf1yruVSvW6arszkDrbN95c6hSxfhCAwtU';
  const script = MASTERNODE[1];

  test('payee with its amount, by address or by script', () => {
    const template = { coinbasevalue: 1000, payee, payee_amount: 450 };
    assert.deepEqual(demanded(template).outputs, [[450n, script]]);
    assert.deepEqual(demanded({ ...template, payee: script }).outputs, [[450n, script]]);
  });

  test('20 % where no amount is given, nothing where no payee is', () => {
    assert.deepEqual(demanded({ coinbasevalue: 1004, payee }).outputs, [[200n, script]]);
    assert.deepEqual(demanded({ coinbasevalue: 1004, payee: '' }).outputs, []);
    assert.deepEqual(demanded({ coinbasevalue: 1004, payee: '', payee_amount: 200 }).outputs, []);
  });

  test('payout_drk_mn false waits for enforce_masternode_payments', () => {
    const rules = { payUnenforced: false };
    const template = { coinbasevalue: 1000, payee, enforce_masternode_payments: false };
    assert.deepEqual(demanded(template, rules).outputs, []);
    const enforced = { ...template, enforce_masternode_payments: true };
    assert.deepEqual(demanded(enforced, rules).outputs, [[200n, script]]);
  });

  test('the old spelling beside the new one is not paid twice', () => {
    assert.deepEqual(demanded({ ...DASH, payee, payee_amount: 133282498 }).outputs, [MASTERNODE]);
  });

  test('votes are a tail only where masternode_payments is in the template', () => {
    assert.deepEqual(demandedVotes({ masternode_payments: true, votes: ['0a0b', ''] }), [
      '0a0b',
      '',
    ]);
    assert.deepEqual(demandedVotes({ masternode_payments: false, votes: [] }), []);
    assert.equal(demandedVotes({ votes: ['0a'] }), undefined);
    assert.equal(demandedVotes({ masternode_payments: true }), undefined);
    assert.throws(() => demandedVotes({ masternode_payments: true, votes: [{}] }), {
      code: 'OUTPUTS',
    });
  });
});

describe('other chains', () => {
  test('Firo: a znode on top of coinbasevalue (main height 529454)', () => {
    const template = {
      coinbasevalue: 156380530,
      znode: [{ payee: 'a12es1tiXQ9T1L7Lyi6VNKJ7JRrsa7KcgN', script: P2PKH, amount: 312500000 }],
      znode_payments_started: true,
      znode_payments_enforced: true,
    };
    assert.deepEqual(demanded(template), {
      outputs: [[312500000n, P2PKH]],
      paid: 0n,
      payload: undefined,
    });
  });

  test('Raptoreum: smartnode and founder, both inside coinbasevalue', () => {
    const template = {
      coinbasevalue: 500000000166,
      smartnode: [{ payee: 'R', script: P2PKH, amount: 100000000133 }],
      smartnode_payments_started: true,
      smartnode_payments_enforced: true,
      superblock: [],
      founder: { payee: 'R', script: '76a9147a16', amount: 25000000033 },
      founder_payments_started: true,
      coinbase_payload: '0200b6dc0100',
    };
    assert.deepEqual(demanded(template), {
      outputs: [
        [100000000133n, P2PKH],
        [25000000033n, '76a9147a16'],
      ],
      paid: 125000000166n,
      payload: '0200b6dc0100',
    });
    assert.equal(demanded({ ...template, founder_payments_started: false }).outputs.length, 1);
  });

  test('eCash: miner fund by cashaddr and staking reward by script (its own documentation)', () => {
    const template = {
      coinbasevalue: 625001021,
      coinbasetxn: {
        minerfund: {
          addresses: ['ecash:prfhcnyqnl5cgrnmlfmms675w93ld7mvvqd0y8lz07'],
          minimumvalue: 200000327,
        },
        stakingrewards: {
          payoutscript: {
            hex: '76a914798038c8969512b74e82124a9a7364192893237188ac',
            type: 'pubkeyhash',
          },
          minimumvalue: 62500102,
        },
      },
    };
    assert.deepEqual(demanded(template), {
      outputs: [
        [200000327n, 'a914d37c4c809fe9840e7bfa77b86bd47163f6fb6c6087'],
        [62500102n, '76a914798038c8969512b74e82124a9a7364192893237188ac'],
      ],
      paid: 262500429n,
      payload: undefined,
    });
    const off = {
      coinbasevalue: 1,
      coinbasetxn: { minerfund: { addresses: [], minimumvalue: 0 } },
    };
    assert.deepEqual(demanded(off).outputs, []);
  });

  test('Kylacoin: developer and community shares on top of coinbasevalue', () => {
    const template = {
      coinbasevalue: 100,
      coinbasedevreward: { value: 7, scriptpubkey: P2PKH, address: 'ignored' },
      CommunityAutonomousAddress: '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
      CommunityAutonomousValue: 3,
    };
    assert.deepEqual(demanded(template), {
      outputs: [
        [7n, P2PKH],
        [3n, '76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac'],
      ],
      paid: 0n,
      payload: undefined,
    });
  });

  test('a chain that nobody thought of is a row of data', () => {
    const rules: OutputRules = {
      table: [
        {
          at: ['fees', 'dev'],
          script: ['out', 'hex'],
          amount: ['sat'],
          inCoinbaseValue: true,
        },
      ],
    };
    const template = { coinbasevalue: 10, fees: { dev: [{ out: { hex: '51' }, sat: 4 }] } };
    assert.deepEqual(demanded(template, rules).outputs, [[4n, '51']]);
  });

  test("the configured chain's versions decide about an address that others read differently", () => {
    const template = { coinbasevalue: 10, payee: 'yS25k3aNPBtfqcgyHeEvHtDCRT9iKodHM1' };
    assert.throws(() => demanded(template), /payee_amount: its payee cannot be paid/);
    assert.deepEqual(demanded(template, { addresses: NETWORKS.dash.test }).outputs, [
      [2n, '76a9143e881097549033c40e7373879a7d4331de81778188ac'],
    ]);
  });
});

describe('demands that cannot be met', () => {
  test('are errors that name the field', () => {
    const node = (change: Record<string, unknown>): Record<string, unknown> => ({
      coinbasevalue: 100,
      masternode: [{ payee: 'x', script: '51', amount: 10, ...change }],
    });
    assert.throws(() => demanded(node({ amount: 10.5 })), /masternode.amount is 10.5/);
    assert.throws(() => demanded(node({ amount: -1 })), /masternode.amount is -1/);
    assert.throws(() => demanded(node({ amount: '10' })), /masternode.amount is string/);
    assert.throws(() => demanded(node({ amount: 2 ** 53 })), /masternode.amount/);
    assert.throws(() => demanded(node({ amount: 101 })), /demands 101 of a coinbasevalue of 100/);
    assert.throws(() => demanded(node({ script: '5' })), { code: 'HEX' });
    assert.throws(() => demanded(node({ script: '' })), /its payee cannot be paid/);
    assert.throws(() => demanded(node({ script: '', payee: '' })), /names no payee/);
    assert.throws(() => demanded({ coinbase_payload: 'xy' }), { code: 'HEX' });
  });

  test('no template makes it throw anything else', () => {
    const field = fc.constantFrom(
      'masternode',
      'superblock',
      'founder',
      'coinbasetxn',
      'payee',
      'payee_amount',
      'minerfund',
      'coinbasevalue',
      'coinbase_payload',
      'payee',
      'script',
      'amount',
      'addresses',
      'minimumvalue',
    );
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(field, tie('tree'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(field, tree, { maxKeys: 8 }), (template) => {
        try {
          demandedOutputs(template);
        } catch (error) {
          assert.equal((error as Error).name, 'CoinError');
        }
      }),
      { numRuns: 2000 },
    );
  });
});
