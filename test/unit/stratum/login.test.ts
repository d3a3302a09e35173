/**
 * Contract §4, usernames. The addresses are published ones: BIP173's examples, the first Bitcoin
 * address, and the donation addresses of the original's README.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { cleanWorker, loginRules, nameKey, parseLogin } from '../../../src/stratum/login.ts';
import type { LoginSettings } from '../../../src/stratum/login.ts';

const GENESIS = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa';
const DOGE = 'DAbhwsnEq5TjtBP5j76TinhUqqLTktDAnD';
const BECH32 = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4';
const TESTNET_BECH32 = 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx';

const defaults: LoginSettings = {
  valid_address_versions: [],
  address_hrps: [],
  aliases: {},
  donate_key: 'donate',
  strict: false,
  max_worker_length: 16,
};

function login(username: unknown, settings: Partial<LoginSettings> = {}) {
  return parseLogin(username, loginRules({ ...defaults, ...settings }));
}

describe('a username', () => {
  it('is address.worker, split at the first dot', () => {
    assert.deepEqual(login(`${GENESIS}.rig1`), {
      kind: 'accepted',
      address: GENESIS,
      worker: 'rig1',
      via: 'address',
    });
    assert.deepEqual(login(GENESIS), {
      kind: 'accepted',
      address: GENESIS,
      worker: '',
      via: 'address',
    });
    const twice = login(`${GENESIS}.a.b`);
    assert.equal(twice.kind === 'accepted' && twice.worker, 'a-b');
  });

  it('with a base58 version outside valid_address_versions is no address', () => {
    const of = (versions: number[]) => login(GENESIS, { valid_address_versions: versions });
    assert.equal((of([0]) as { via: string }).via, 'address');
    assert.deepEqual(of([30, 22]), {
      kind: 'accepted',
      address: 'donate',
      worker: '',
      via: 'donation',
    });
    assert.equal((login(DOGE, { valid_address_versions: [30] }) as { via: string }).via, 'address');
  });

  it('may be a bech32 address of the listed prefixes', () => {
    assert.equal((login(`${BECH32}.w`) as { address: string }).address, BECH32);
    const bitcoinOnly = { address_hrps: ['bc'] };
    assert.equal((login(BECH32, bitcoinOnly) as { via: string }).via, 'address');
    assert.equal((login(TESTNET_BECH32, bitcoinOnly) as { via: string }).via, 'donation');
  });

  it('in upper case bech32 is the same address as in lower case', () => {
    assert.equal((login(BECH32.toUpperCase()) as { address: string }).address, BECH32);
  });

  it('with one wrong character is not an address', () => {
    const wrong = `${GENESIS.slice(0, -1)}b`;
    assert.equal((login(wrong) as { via: string }).via, 'donation');
    const wrongBech32 = `${BECH32.slice(0, -1)}5`;
    assert.equal((login(wrongBech32) as { via: string }).via, 'donation');
  });

  it('is looked up in the aliases by its letters and digits in lower case', () => {
    const aliases = { donate: DOGE, 'Big-Farm_2': GENESIS };
    for (const name of ['bigfarm2', 'BigFarm2', 'big_farm-2', '  Big Farm 2 ']) {
      assert.deepEqual(login(`${name}.w`, { aliases }), {
        kind: 'accepted',
        address: GENESIS,
        worker: 'w',
        via: 'alias',
      });
    }
  });

  it('that nobody knows mines for donate_key', () => {
    assert.deepEqual(login('nobody.rig', { donate_key: DOGE }), {
      kind: 'accepted',
      address: DOGE,
      worker: 'rig',
      via: 'donation',
    });
    for (const nothing of ['', '.', undefined, null, {}, [], true]) {
      assert.equal((login(nothing) as { address: string }).address, 'donate');
    }
  });

  it('that nobody knows is refused where strict', () => {
    const refused = { kind: 'refused', refusal: 'unknownUser' };
    assert.deepEqual(login('nobody.rig', { strict: true }), refused);
    assert.deepEqual(login('', { strict: true }), refused);
    assert.deepEqual(login('', { strict: true, donate_key: '---' }), refused);
    assert.deepEqual(login('constructor', { strict: true }), refused);
    assert.deepEqual(login('__proto__', { strict: true }), refused);
    assert.equal(login(GENESIS, { strict: true }).kind, 'accepted');
    assert.equal(login('farm', { strict: true, aliases: { farm: DOGE } }).kind, 'accepted');
    assert.equal(login('donate', { strict: true }).kind, 'accepted');
  });

  it('is cut to 512 characters, so that nobody pays for longer ones', () => {
    const cut = login('x'.repeat(600), { aliases: { ['x'.repeat(512)]: DOGE } });
    assert.equal((cut as { address: string }).address, DOGE);
  });

  it('may be a number', () => {
    const numbered = login(42, { aliases: { 42: DOGE } });
    assert.equal((numbered as { address: string }).address, DOGE);
  });

  it('never throws and stays within its lengths and characters, whatever was sent', () => {
    const rules = loginRules({ ...defaults, max_worker_length: 16 });
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 3000 }), fc.anything()), (username) => {
        const result = parseLogin(username, rules);
        assert.ok(result.kind === 'accepted');
        assert.match(result.worker, /^[A-Za-z0-9[\]_-]{0,16}$/);
        assert.ok(result.address.length <= 512);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a worker name', () => {
  it('has each run of other characters replaced by one dash', () => {
    assert.equal(cleanWorker('rig 1', 16), 'rig-1');
    assert.equal(cleanWorker('a///b', 16), 'a-b');
    assert.equal(cleanWorker('[a]_b', 16), '[a]_b');
    assert.equal(cleanWorker('ünïcode', 16), '-n-code');
    assert.equal(cleanWorker('a--b', 16), 'a-b');
  });

  it('is cut to max_worker_length', () => {
    assert.equal(cleanWorker('abcdefghijklmnopqrstuvwxyz', 16), 'abcdefghijklmnop');
  });

  it('name keys hold lower-case letters and digits only', () => {
    assert.equal(nameKey('Ab-C_9!'), 'abc9');
  });
});
