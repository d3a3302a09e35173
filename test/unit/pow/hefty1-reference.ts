/**
 * HEFTY1 written down step by step from its description (Heavycoin, 2014), with the branches that the
 * kernel does without. No published known answers of it alone were found; the heavy hash has some.
 */

const rotr = (x: number, n: number): number => ((x >>> n) | (x << (32 - n))) >>> 0;

/** Fractional parts of cube roots and square roots of the first primes, as in FIPS 180-4. */
function constants(): { k: number[]; initial: number[] } {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p !== 0)) primes.push(n);
  const fraction = (x: number): number => Math.floor((x - Math.floor(x)) * 2 ** 32);
  return {
    k: primes.map((p) => fraction(Math.cbrt(p))),
    initial: primes.slice(0, 8).map((p) => fraction(Math.sqrt(p))),
  };
}

const { k: K, initial: INITIAL } = constants();

const foldByte = (byte: number): number => (byte >> 4) ^ (byte & 15);

function foldToTwoBits(word: number): number {
  const half = (word >>> 16) ^ (word & 0xffff);
  const nibble = foldByte((half >> 8) ^ (half & 0xff));
  return (nibble >> 2) ^ (nibble & 3);
}

function mangle(sponge: number[]): void {
  const r = sponge[0]!;
  const distances = [24, 16, 8, 0].map((shift) => foldByte((r >>> shift) & 0xff));
  let mixed = 0;
  for (let i = 0; i < 3; i++) {
    const way = foldToTwoBits(mixed);
    const n = (i + distances[way]!) % 32;
    const word = sponge[i + 1]!;
    if (way === 0 || way === 3) sponge[i + 1] = (word ^ rotr(r, n)) >>> 0;
    if (way === 1) sponge[i + 1] = (word + rotr(~r >>> 0, n)) >>> 0;
    if (way === 2) sponge[i + 1] = (word & rotr(~r >>> 0, n)) >>> 0;
    mixed = (mixed ^ sponge[i + 1]!) >>> 0;
  }
  const [, c0, c1, c2] = sponge as [number, number, number, number];
  sponge[0] = (r ^ ((c0 ^ c1) + c2)) >>> 0;
}

function absorb(sponge: number[], word: number): void {
  sponge[0] = (sponge[0]! ^ word) >>> 0;
  mangle(sponge);
}

function branch(sponge: number[], x: number): number {
  const r = sponge[0]!;
  mangle(sponge);
  const bit = 1 << ((r >>> 8) & 31);
  switch (r & 3) {
    case 1:
      return (x & ~bit) >>> 0;
    case 2:
      return (x | bit) >>> 0;
    case 3:
      return (x ^ bit) >>> 0;
    default:
      return x;
  }
}

function schedule(block: Buffer): number[] {
  const w = Array.from({ length: 16 }, (_, i) => block.readUInt32BE(i * 4));
  for (let t = 16; t < 64; t++) {
    const [a, b] = [w[t - 2]!, w[t - 15]!];
    const s1 = rotr(a, 17) ^ rotr(a, 19) ^ (a >>> 10);
    const s0 = rotr(b, 7) ^ rotr(b, 18) ^ (b >>> 3);
    w.push((s1 + w[t - 7]! + s0 + w[t - 16]!) >>> 0);
  }
  return w;
}

function compress(state: number[], sponge: number[], block: Buffer): void {
  const w = schedule(block);
  for (let t = 0; t < 16; t++) absorb(sponge, w[t]! ^ K[t]!);
  let [a, b, c, d, e, f, g, h] = state as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let t = 0; t < 64; t++) {
    absorb(sponge, t < 16 ? d ^ h : h + d);
    const g1 = branch(sponge, g);
    const f1 = branch(sponge, f);
    const t1 = ((e & f1) ^ (~e & g1)) + h + w[t]! + K[t]!;
    const e1 = branch(sponge, e);
    const t2 = (t1 + (rotr(e1, 6) ^ rotr(e1, 11) ^ rotr(e1, 25))) >>> 0;
    const c1 = branch(sponge, c);
    const b1 = branch(sponge, b);
    const a1 = branch(sponge, a);
    const t3 = (a1 & b1) ^ (a1 & c1) ^ (b1 & c1);
    const a2 = branch(sponge, a);
    const t4 = t3 + (rotr(a2, 2) ^ rotr(a2, 13) ^ rotr(a2, 22));
    const t5 = branch(sponge, t2);
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t5) >>> 0, c, b, a, (t2 + t4) >>> 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    state[i] = (state[i]! + word) >>> 0;
  });
}

export function hefty1(message: Uint8Array): Buffer {
  const padded = Buffer.alloc(Math.ceil((message.length + 9) / 64) * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  padded.writeUInt32BE(message.length * 8, padded.length - 4);
  const state = [...INITIAL];
  const sponge = [0, 0, 0, 0];
  for (let at = 0; at < padded.length; at += 64)
    compress(state, sponge, padded.subarray(at, at + 64));
  const digest = Buffer.alloc(32);
  state.forEach((word, i) => digest.writeUInt32BE(word, i * 4));
  return digest;
}
