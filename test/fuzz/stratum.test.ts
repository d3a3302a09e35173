/**
 * The line protocol under arbitrary and nearly valid input, over real sockets. Whatever one connection
 * sends: no thread dies, its replies are JSON lines, an honest miner beside it goes on, and no more is
 * credited than shares that this test knows to be new and well formed.
 * FUZZ_SECONDS (default 3) bounds the time, FUZZ_SEED repeats a run; the seed is printed.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { StratumClient } from '../support/stratum-client.ts';
import type { Line } from '../support/stratum-client.ts';
import { startPool } from '../support/stratum-pool.ts';
import type { TestPool } from '../support/stratum-pool.ts';

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 3);
const seed = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 31));
const settings = {
  interruptAfterTimeLimit: (seconds * 1000) / 2,
  numRuns: 1_000_000,
  markInterruptAsFailure: false,
  seed,
};

let pool: TestPool;
let honest: StratumClient;
let work: Line;
let submits = 0;

before(async () => {
  process.stdout.write(`# FUZZ_SEED=${seed}\n`);
  // One address connects as fast as it can for as long as it is told to.
  const limits = {
    bad_per_minute: 1_000_000_000,
    requests_per_second: 1_000_000,
    connections: 1_000_000,
    connections_per_address: 1_000_000,
  };
  pool = await startPool({ settings: { limits } });
  pool.source.give();
  honest = await StratumClient.miner(pool.port, 'donate.honest');
  work = await honest.notify();
});

after(() => pool.stop());

async function honestMines(): Promise<void> {
  const params = work.params as string[];
  const en2 = (submits++).toString(16).padStart(8, '0');
  const reply = await honest.submit(['x', params[0]!, en2, params[7]!, '00000000']);
  assert.equal(reply.result, true);
}

function creditedTo(worker: string): number {
  return pool.ledger.records.filter((each) => each.kind === 0 && each.worker === worker).length;
}

const method = fc.constantFrom(
  'mining.subscribe',
  'mining.authorize',
  'mining.submit',
  'mining.configure',
  'mining.ping',
  'mining.extranonce.subscribe',
  'mining.suggest_difficulty',
  'mining.suggest_target',
  'mining.get_transactions',
  'MINING.SUBMIT',
  '',
  'mining.',
);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('version-rolling', 'minimum-difficulty', '__proto__', 'constructor', 'ffffffff'),
  fc.constantFrom('00000000', 'FFFFFFFF', '0'.repeat(64), '-d 5', '-d 1e999', 'd=0', 'a.b.c'),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.integer(),
    text,
    fc.array(tie('any'), { maxLength: 7 }),
    fc.dictionary(text, tie('any'), { maxKeys: 3 }),
  ),
})).any;
const message = fc.record(
  { id: value, method: fc.oneof(method, value), params: fc.oneof(fc.array(value), value) },
  { requiredKeys: [] },
);
const line = fc.oneof(
  fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
  message.map((each) => Buffer.from(`${JSON.stringify(each)}\n`)),
);

/** Valid messages, by which a session gets as far as submitting, with one byte changed, cut or doubled. */
const change = fc.record({
  at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  byte: fc.nat(255),
  how: fc.nat(3),
});

function changed(
  original: Buffer,
  { at, byte, how }: { at: number; byte: number; how: number },
): Buffer {
  const index = Math.floor(at * original.length);
  const copy = Buffer.from(original);
  if (how === 0) return original;
  if (how === 1) copy[index] = byte;
  if (how === 2) return Buffer.concat([original.subarray(0, index), original.subarray(index + 1)]);
  if (how === 3)
    return Buffer.concat([original.subarray(0, index), Buffer.of(byte), original.subarray(index)]);
  return copy;
}

async function pong(client: StratumClient): Promise<void> {
  const id = `fuzz-${submits}`;
  // A newline first: what came before may have left a line unfinished.
  client.send('\n');
  await Promise.race([client.call('mining.ping', [], id).catch(() => {}), client.closed]);
}

test('arbitrary bytes and messages: the connection answers or closes, the others go on', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 30 }), async (lines) => {
      const client = await StratumClient.open(pool.port);
      for (const bytes of lines) client.socket.write(bytes);
      await pong(client);
      await client.close();
      await honestMines();
      assert.equal(pool.manager.waitingFor(), undefined);
    }),
    settings,
  );
});

test('nearly valid sessions: a share is credited at most once, and only if it is well formed', async () => {
  let session = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 20 }), async (changes) => {
      const worker = `f${session++}`;
      const client = await StratumClient.miner(pool.port, `donate.${worker}`);
      const params = (await client.notify()).params as string[];
      const sent = new Set<string>();
      for (const [i, each] of changes.entries()) {
        const en2 = (i >> 1).toString(16).padStart(8, '0');
        const fields = ['x', params[0], en2, params[7], '0000000A'];
        const bytes = changed(
          Buffer.from(`${JSON.stringify({ id: i, method: 'mining.submit', params: fields })}\n`),
          each,
        );
        for (const piece of bytes.toString('latin1').split('\n')) sent.add(normal(piece));
        client.socket.write(bytes);
      }
      await pong(client);
      const accepted = client.lines.filter((each) => each.result === true).length - 1;
      await client.close();
      sent.delete('');
      assert.ok(accepted <= sent.size, `${accepted} accepted of ${sent.size} different`);
      assert.equal(creditedTo(`donate.${worker}`), accepted);
      await honestMines();
    }),
    { ...settings, seed: seed + 1 },
  );
});

/** What makes two submits the same share: the fields that reach the header, letter case ignored. */
function normal(piece: string): string {
  try {
    const { method: name, params } = JSON.parse(piece) as { method: string; params: unknown[] };
    if (name.toLowerCase() !== 'mining.submit' || params.length < 5) return '';
    const hex = [8, 8, 8].every(
      (length, i) =>
        typeof params[i + 2] === 'string' &&
        new RegExp(`^[0-9a-fA-F]{${length}}$`).test(params[i + 2] as string),
    );
    return hex ? JSON.stringify(params.slice(1, 6)).toLowerCase() : '';
  } catch {
    return '';
  }
}
