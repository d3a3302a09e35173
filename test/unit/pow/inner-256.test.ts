/**
 * The functions inside lyra2re, lyra2rev2, blake256 and hefty1, against their published known answers
 * and, where there is one, an independent implementation. Sources: the NIST KATs of the SHA-3 candidates
 * (ShortMsgKAT_256 of BMW, CubeHash, Grøstl and Skein, messages by their length), the BLAKE paper's
 * two examples, Vertcoin's and Heavycoin's own tests; node:crypto for SHA-256 and for Keccak-f.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { before, test } from 'node:test';
import { algorithm } from '../../../src/pow/algorithms.ts';
import { hashHeader } from '../../../src/pow/checker.ts';
import { hefty1 } from './hefty1-reference.ts';
import { probe, type Probe } from './probe.ts';

let kernel: Probe;
before(async () => {
  kernel = await probe(`
    export { keccak256 } from './lib/keccak';
    export { skein256 } from './lib/skein';
    export { cubehash256 } from './lib/cubehash';
    export { bmw256 } from './lib/bmw256';
    export { groestl256 } from './lib/groestl256';
    export { sha256 } from './lib/sha256';
    export { hefty1 } from './lib/hefty1';
    export { heavy } from './lib/heavy';
    export { lyra2 } from './lib/lyra2';
    export { permute } from './generated/keccak';
    import * as one from './generated/blake256-scalar';
    import * as four from './generated/blake256-lanes';
    export function one8(s: usize, w: usize, bits: u32): void { one.compress8(s, w, bits); }
    export function one14(s: usize, w: usize, bits: u32): void { one.compress14(s, w, bits); }
    export function four8(s: usize, w: usize, bits: u32): void { four.compress8(s, w, bits); }
    export function four14(s: usize, w: usize, bits: u32): void { four.compress14(s, w, bits); }
  `);
});

const OUT = 8192;

/** `name(out, input, length)` of the kernel, out of place and in place. */
function digest(name: string, message: Uint8Array): string {
  const { at, bytes } = kernel;
  bytes.fill(0xee, at, at + 2 * OUT);
  bytes.set(message, at);
  kernel.call(name, at + OUT, at, message.length);
  const apart = Buffer.from(bytes.subarray(at + OUT, at + OUT + 32)).toString('hex');
  assert.ok(bytes.subarray(at + OUT + 32, at + 2 * OUT).every((byte) => byte === 0xee));
  bytes.set(message, at);
  kernel.call(name, at, at, message.length);
  assert.equal(Buffer.from(bytes.subarray(at, at + 32)).toString('hex'), apart, 'in place');
  return apart;
}

/** Messages of the NIST KATs, by their length in bytes. */
const NIST: Readonly<Record<number, string>> = {
  0: '',
  1: 'cc',
  21: 'd8dc8fdefbdce9d44e4cbafe78447bae3b5436102a',
  24: 'aecbb02759f7433d6fcb06963c74061cd83b5b3ffa6f13c6',
  32: '9f2fcc7c90de090d6b87cd7e9718c1ea6cb21118fc2d5de9f97e5db6ac1e9c10',
  33: 'de8f1b3faa4b7040ed4563c3b8e598253178e87e4d0df75e4ff2f2dedd5a0be046',
  56: 'eebcc18057252cbf3f9c070f1a73213356d5d4bc19ac2a411ec8cdeee7a571e2e20eaf61fd0c33a0ffeb297ddb77a97f0a415347db66bcaf',
  58: '5c5faf66f32e0f8311c32e8da8284a4ed60891a5a7e50fb2956b3cbaa79fc66ca376460e100415401fc2b8518c64502f187ea14bfc9503759705',
  63: 'f57c64006d9ea761892e145c99df1b24640883da79d9ed5262859dcda8c3c32e05b03d984f1ab4a230242ab6b78d368dc5aaa1e6d3498d53371e84b0c1d4ba',
  64: 'e926ae8b0af6e53176dbffcc2a6b88c6bd765f939d3d178a9bde9ef3aa131c61e31c1e42cdfaf4b4dcde579a37e150efbef5555b4c1cb40439d835a724e2fae7',
  65: '16e8b3d8f988e9bb04de9c96f2627811c973ce4a5296b4772ca3eefeb80a652bdf21f50df79f32db23f9f73d393b2d57d9a0297f7a2f2e79cfda39fa393df1ac00',
  71: '13bd2811f6ed2b6f04ff3895aceed7bef8dcd45eb121791bc194a0f806206bffc3b9281c2b308b1a729ce008119dd3066e9378acdcc50a98a82e20738800b6cddbe5fe9694ad6d',
  128: '2b6db7ced8665ebe9deb080295218426bdaa7c6da9add2088932cdffbaa1c14129bccdd70f369efb149285858d2b1d155d14de2fdb680a8b027284055182a0cae275234cc9c92863c1b4ab66f304cf0621cd54565f5bff461d3b461bd40df28198e3732501b4860eadd503d26d6e69338f4e0456e9e9baf3d827ae685fb1d817',
};

const KNOWN: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  bmw256: {
    0: '82cac4bf6f4c2b41fbcc0e0984e9d8b76d7662f8e1789cdfbd85682acc55577a',
    1: 'f71289cd66d22657801ae25f5db946f6d2cc9884d70080d84282a5ef083cb70f',
    21: '92080ed5688d3e9092a843e95e6ecb3bdbe53af87169d2db6a8a77e5e87d3ef6',
    24: 'd61df1b154af4f5e7a3e33e6fc1f3b2dbf9ddb2c253ee5f75b1c1182f88d1058',
    63: 'b24c29300d4ebf8d692ff12085d93ba401b707b7ba53903de3517e20bafb7c98',
    128: '43d5b6bf86f2cbec3d6eab293d20250a61c5a03ab946fcd2ca078b8ff6e4b60c',
  },
  cubehash256: {
    0: '44c6de3ac6c73c391bf0906cb7482600ec06b216c7c54a2a8688a6a42676577d',
    1: '6c38422fb21d2c2c648b25add974f29208e02a08105b6de99d745aa79e2b8466',
    32: 'ec499d641966df1f8fdc79604593d736ab58ed14532ffa183fe4e6aea5efae6f',
    33: '88da716513338a4f489c46beed12d672b5b26bbd33f007b01206b89110fa5061',
    56: '2ce34e5265e3f56eef1763a04c6dde3b168a2dda70631b16fffd0900ec5f7992',
    63: '5c48d6a7d8d86f7d574d0574b1b23cb1efc679fa9aa7fdda9e07ac33422c423d',
    64: '7bc71319ccad55e166104988765523eb6757791ea2d713d4d4920c4d10fdcc51',
  },
  groestl256: {
    0: '1a52d11d550039be16107f9c58db9ebcc417f16f736adb2502567119f0083467',
    1: '15e2671f0eaf66c0de3093ab7b1e39dc68f945d7002fc5dfd52d60527e7228d1',
    56: '1db8b9b50186a8a8a122d9a861ed45b9d01aaf8256bf2c8956b09fb166c92f6d',
    63: 'bcf360ae1494dfd755471adfb62feb4a68415ee501620b278e99cd60955ff3f9',
    64: '5adebbfdf6fd6178892b39a97a32b29fb605f97e1e5c3bbcf624a0e9cd72d145',
    65: '5f27dd5b62ba1301867becd5ae6347790e4c56d5526554903824b1717c3b3065',
    128: 'b8a871928fcc39ab286e5a768b0ae61ddbd765fbc55c2dd2f3d10477d362a08f',
  },
  keccak256: {
    0: 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470',
    32: '24dd2ee02482144f539f810d2caa8a7b75d0fa33657e47932122d273c3f6f6d1',
  },
  skein256: {
    0: '39ccc4554a8b31853b9de7a1fe638a24cce6b35a55f2431009e18780335d2621',
    1: 'a018268ed814e0ad0f2d0304e8fe3f4118fcefc07454d07123cc2c3e40e06a4f',
    21: '0f363ecc1b9f971e7af89169a686237e3aac4330300f387f3a589cadaa392ac4',
    58: 'b0d012a15ddc5796ea900c2c1b5aeb2307b6cfc80cff88a76bff2fadb81560f6',
    71: '5cac4b0d209c0584f7b015e97cab3dc8e4806b892477e16f0c10150b72ea4ba5',
  },
};

for (const [name, answers] of Object.entries(KNOWN)) {
  test(`${name}: known answers`, () => {
    for (const [length, answer] of Object.entries(answers)) {
      const message = Buffer.from(NIST[Number(length)]!, 'hex');
      assert.equal(message.length, Number(length));
      assert.equal(digest(name, message), answer, `${length} bytes`);
    }
  });
}

/** The sponge of FIPS 202 with a rate of 136 bytes, here in TypeScript, over the kernel's permutation. */
function sponge(message: Uint8Array, suffix: number): string {
  const padded = Buffer.alloc((Math.floor(message.length / 136) + 1) * 136);
  padded.set(message);
  padded[message.length] = suffix;
  padded[padded.length - 1]! ^= 0x80;
  const { at, bytes } = kernel;
  bytes.fill(0, at, at + 200);
  for (let block = 0; block < padded.length; block += 136) {
    for (let i = 0; i < 136; i++) bytes[at + i]! ^= padded[block + i]!;
    kernel.call('permute', at);
  }
  return Buffer.from(bytes.subarray(at, at + 32)).toString('hex');
}

test('Keccak-f gives SHA3-256, and keccak256 differs from it by its padding only', () => {
  for (let length = 0; length <= 300; length++) {
    const message = randomBytes(length);
    const sha3 = createHash('sha3-256').update(message).digest('hex');
    assert.equal(sponge(message, 0x06), sha3, `${length} bytes`);
    assert.equal(digest('keccak256', message), sponge(message, 0x01), `${length} bytes`);
  }
});

test('sha256 of every length from 0 to 200', () => {
  for (let length = 0; length <= 200; length++) {
    const message = randomBytes(length);
    assert.equal(digest('sha256', message), createHash('sha256').update(message).digest('hex'));
  }
});

test('hefty1 of every length from 0 to 200', () => {
  for (let length = 0; length <= 200; length++) {
    const message = randomBytes(length);
    assert.equal(digest('hefty1', message), hefty1(message).toString('hex'), `${length} bytes`);
  }
});

test("the heavy hash: answers of Heavycoin's own tests", () => {
  const answers = [
    [
      '28505e47680dc604864f9cf5366852c5222457981c',
      '0ebdb93812d6d4aab39511faa794bdb90718225804c94bb97cdfaee69ee1ba94',
    ],
    [
      'fffffe90946d34cc6b94c02a673aacd3d4ff89463caec174713be382f4a19eb6b09314294c5d72c53948ec6fc25ea7efef76e7ae2cc373614706d6e1275528361a0d8566a1098ec99a3abf4b0a35107b8aad12ca',
      '725909c4d43d191f2bd683cfec9e1590759930a0a054fb4b09055316d0084ace',
    ],
    ['00'.repeat(84), 'f2668b99b08850fd27ffe6d280ef552fce3ec364c3193bcbeb81e9a0e9cf9926'],
  ] as const;
  for (const [message, answer] of answers) {
    assert.equal(digest('heavy', Buffer.from(message, 'hex')), answer);
  }
});

test("lyra2 of Lyra2RE: the answer of Vertcoin's own test", () => {
  const input = '346e80880ecc9e84ce6022cf3756a1df1756840ef7ea65c644c99f6d3da31f2b';
  const { at, bytes } = kernel;
  for (let repeat = 0; repeat < 2; repeat++) {
    bytes.set(Buffer.from(input, 'hex'), at);
    kernel.call('lyra2', at + 32, at, 8);
    assert.equal(
      Buffer.from(bytes.subarray(at + 32, at + 64)).toString('hex'),
      'c0c4bf26d8411f3bff3fb4b66e2570ab8305b336f0afdcf6bcf84be9a8eedecc',
    );
    kernel.call('lyra2', at + 32, at, 4);
  }
});

/** BLAKE-256 with its padding here in TypeScript: the kernels hash headers only. */
function blake256(message: Uint8Array, rounds: 8 | 14, lane: number | undefined): string {
  const padded = Buffer.alloc(Math.ceil((message.length + 9) / 64) * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  padded[padded.length - 9]! |= 1;
  padded.writeUInt32BE(message.length * 8, padded.length - 4);
  const iv = '67e6096a85ae67bb72f36e3c3af54fa57f520e518c68059babd9831f19cde05b';
  const width = lane === undefined ? 1 : 4;
  const { at, bytes } = kernel;
  const view = new DataView(bytes.buffer, at);
  const words = 1024;
  bytes.set(randomBytes(2048), at);
  const place = (i: number): number => (i * width + (lane ?? 0)) * 4;
  for (let i = 0; i < 8; i++) {
    view.setUint32(place(i), Buffer.from(iv, 'hex').readUInt32LE(i * 4), true);
  }
  for (let block = 0; block < padded.length; block += 64) {
    for (let i = 0; i < 16; i++) {
      view.setUint32(words + place(i), padded.readUInt32BE(block + i * 4), true);
    }
    const counted = block < message.length ? Math.min(block + 64, message.length) * 8 : 0;
    kernel.call(`${width === 1 ? 'one' : 'four'}${rounds}`, at, at + words, counted);
  }
  const digestBytes = Buffer.alloc(32);
  for (let i = 0; i < 8; i++) digestBytes.writeUInt32BE(view.getUint32(place(i), true), i * 4);
  return digestBytes.toString('hex');
}

test("BLAKE-256 with 14 rounds: the paper's examples, alone and in each lane", () => {
  for (const lane of [undefined, 0, 1, 2, 3]) {
    assert.equal(
      blake256(new Uint8Array(1), 14, lane),
      '0ce8d4ef4dd7cd8d62dfded9d4edb0a774ae6a41929a74da23109e8f11139c87',
    );
    assert.equal(
      blake256(new Uint8Array(72), 14, lane),
      'd419bad32d504fb7d44d460c42c5593fe544fa4c135dec31e21bd9abdcc22d41',
    );
    assert.equal(
      blake256(new Uint8Array(0), 14, lane),
      '716f6e863f744b9ac22c97ec7b76ea5f5908bc5b2f67c61510bfc4751384ea7a',
    );
  }
});

test('lanes and scalar agree for 8 and 14 rounds, and the rounds differ', () => {
  for (const length of [0, 1, 54, 55, 56, 63, 64, 65, 80, 119, 120, 128]) {
    const message = randomBytes(length);
    const eight = blake256(message, 8, undefined);
    const fourteen = blake256(message, 14, undefined);
    assert.notEqual(eight, fourteen);
    for (const lane of [0, 1, 2, 3]) {
      assert.equal(blake256(message, 8, lane), eight);
      assert.equal(blake256(message, 14, lane), fourteen);
    }
  }
});

test("Lyra2RE of a 32-byte input: the answer of Vertcoin's own test", () => {
  const input = '346e80880ecc9e84ce6022cf3756a1df1756840ef7ea65c644c99f6d3da31f2b';
  const { at, bytes } = kernel;
  const start = blake256(Buffer.from(input, 'hex'), 14, undefined);
  bytes.set(Buffer.from(start, 'hex'), at);
  kernel.call('keccak256', at, at, 32);
  kernel.call('lyra2', at, at, 8);
  kernel.call('skein256', at, at, 32);
  kernel.call('groestl256', at, at, 32);
  assert.equal(
    Buffer.from(bytes.subarray(at, at + 32)).toString('hex'),
    '52e973e71f42c73a1adea7f149ef8c070b24f48c6a03b7877babd1fa761ba3ee',
  );
});

test('Lyra2REv2 of "test" and zeros: a known answer of a Go implementation', () => {
  const header = Buffer.alloc(80);
  header.write('test');
  assert.equal(
    Buffer.from(hashHeader(algorithm('lyra2rev2')!, header)).toString('hex'),
    '5f21d7763b1ae8fc87db7dc993ddc50468765729411ba6b24906de15851a4abf',
  );
});
