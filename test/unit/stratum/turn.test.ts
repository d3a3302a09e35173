/**
 * A turn's batch with a scripted kernel and ledger: who is told what, when and in which order. The
 * kernel here is a table: flags and hash of a share come from its nonce.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock } from '../../../src/clock.ts';
import { JobBook } from '../../../src/stratum/jobs.ts';
import type { JobEntry } from '../../../src/stratum/jobs.ts';
import { Draft } from '../../../src/stratum/share.ts';
import type { Verdict } from '../../../src/stratum/share.ts';
import { ShareTurn } from '../../../src/stratum/turn.ts';
import type { Found, ShareOwner, TurnChecker } from '../../../src/stratum/turn.ts';
import { makeJob } from '../../support/stratum-pool.ts';

const MEETS = { share: 1, main: 2, aux: 4 };
const TERM = {
  from: 1,
  difficulty: 8,
  targetLE: new Uint8Array(32),
  versionMask: 0,
  extranonce1: new Uint8Array(4),
};

class Kernel implements TurnChecker {
  readonly algorithm = { headerBytes: 80 };
  readonly sliceShares: number;
  readonly jobSlots = 8;
  readonly extranonces = new Uint8Array(64 * 16);
  readonly versions = new Uint32Array(64);
  readonly ntimes = new Uint32Array(64);
  readonly nonces = new Uint32Array(64);
  readonly shareTargets = new Uint8Array(64 * 32);
  readonly flags = new Uint8Array(64);
  readonly hashes = new Uint8Array(64 * 32);
  readonly headers = new Uint8Array(64 * 80);
  readonly runs: number[] = [];
  #slots = 0;

  constructor(sliceShares = 64) {
    this.sliceShares = sliceShares;
  }

  addJob(): number {
    return this.#slots++;
  }

  dropJob(): void {}

  run(_slot: number, count: number): void {
    this.runs.push(count);
    for (let i = 0; i < count; i++) {
      this.flags[i] = this.nonces[i]! & 7;
      this.hashes.fill(0, i * 32, i * 32 + 32);
      this.hashes[i * 32] = this.nonces[i]! >>> 3;
      this.hashes[i * 32 + 31] = 1;
    }
  }

  solvedAux(): JobEntry['job']['aux'] {
    return [{ chain: 'aux1', currency: 'AUX', targetLE: new Uint8Array(32) }];
  }
}

class Owner implements ShareOwner {
  staged = 0;
  unanswered = 0;
  lastBatch = 0;
  graceMs = 100;
  readonly workerRef = 1;
  /** Ids in the order of the replies, `!code` behind a refused one's. */
  readonly heard: string[] = [];
  readonly verdicts: Verdict[] = [];
  readonly finds: Found[] = [];

  ledgerSource(): number {
    return 0;
  }

  append(text: string): void {
    if (!text.startsWith('{')) {
      this.heard.push(text);
      return;
    }
    const { id, error } = JSON.parse(text) as { id: number; error: [number] | null };
    this.heard.push(error === null ? String(id) : `${id}!${error[0]}`);
  }

  settled(verdict: Verdict): void {
    this.verdicts.push(verdict);
  }

  solved(_entry: JobEntry, found: Found): void {
    this.finds.push(found);
  }
}

function setUp(sliceShares = 64) {
  const clock = new ManualClock(1000);
  const kernel = new Kernel(sliceShares);
  const jobs = new JobBook([kernel]);
  const entry = jobs.add(0, makeJob({ tip: 1 }), 0);
  let open = 0;
  let batches = 0;
  const log: string[] = [];
  const turn = new ShareTurn({
    jobs,
    checkers: [kernel],
    diff1: [2 ** 224],
    ledger: {
      add: () => {
        open++;
      },
      flush: () => {
        if (open === 0) return 0;
        open = 0;
        return ++batches;
      },
    },
    clock,
    urgent: () => log.push('urgent'),
    schedule: () => log.push('schedule'),
  });
  const submit = (owner: Owner, id: string, nonce: number, on = entry): void => {
    const draft = new Draft();
    draft.entry = on;
    draft.term = TERM;
    draft.ntime = on.job.time;
    draft.nonce = nonce;
    turn.add(owner, id, draft);
  };
  return { clock, kernel, jobs, entry, turn, submit, log, issued: () => batches };
}

/** Nonce of a share with these flags and a hash of its own. */
function share(number: number, flags: number): number {
  return (number << 3) | flags;
}

test('an accepted share is answered when its batch is on disk, and not before', () => {
  const { turn, submit } = setUp();
  const owner = new Owner();
  submit(owner, '1', share(1, MEETS.share));
  turn.work();
  assert.deepEqual(owner.heard, []);
  assert.equal(owner.unanswered, 1);
  turn.acknowledged(1, true);
  assert.deepEqual(owner.heard, ['1']);
  assert.equal(owner.unanswered, 0);
  assert.equal(turn.idle, true);
});

test('a share that could not be recorded gets error 20', () => {
  const { turn, submit } = setUp();
  const owner = new Owner();
  submit(owner, '1', share(1, MEETS.share));
  turn.work();
  turn.acknowledged(1, false);
  assert.deepEqual(owner.heard, ['1!20']);
  assert.deepEqual(owner.verdicts, ['notRecorded']);
});

test('a refusal waits for nobody else, but for the earlier shares of its own connection', () => {
  const { turn, submit } = setUp();
  const first = new Owner();
  const second = new Owner();
  submit(first, '1', share(1, MEETS.share));
  submit(first, '2', share(2, 0));
  submit(second, '3', share(3, 0));
  turn.work();
  assert.deepEqual(first.heard, []);
  assert.deepEqual(second.heard, ['3!23']);
  submit(first, '4', share(4, 0));
  turn.work();
  turn.say(first, 'text');
  assert.deepEqual(first.heard, []);
  turn.acknowledged(1, true);
  assert.deepEqual(first.heard, ['1', '2!23', '4!23', 'text']);
});

test('whatever comes and whenever the ledger answers, each connection hears its ids in order', () => {
  const action = fc.oneof(
    fc.record({ who: fc.nat(2), what: fc.constantFrom('accept', 'low', 'text', 'duplicate') }),
    fc.constantFrom('work', 'ack', 'fail'),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), fc.constantFrom(1, 3, 64), (script, slice) => {
      const { turn, submit, issued } = setUp(slice);
      const owners = [new Owner(), new Owner(), new Owner()];
      const asked: string[][] = [[], [], []];
      let number = 10;
      let acked = 0;
      for (const step of script) {
        if (step === 'work') turn.work();
        else if (step === 'ack' || step === 'fail') {
          if (acked < issued()) turn.acknowledged(++acked, step === 'ack');
        } else {
          const id = String(number++);
          const owner = owners[step.who]!;
          asked[step.who]!.push(id);
          if (step.what === 'text') turn.say(owner, id);
          else if (step.what === 'accept') submit(owner, id, share(number & 0xff, MEETS.share));
          else submit(owner, id, share(1, step.what === 'low' ? 0 : MEETS.share));
        }
      }
      while (turn.work());
      while (acked < issued()) turn.acknowledged(++acked, true);
      for (const [i, owner] of owners.entries()) {
        assert.deepEqual(
          owner.heard.map((reply) => reply.split('!')[0]),
          asked[i],
        );
        assert.equal(owner.unanswered, 0);
        assert.equal(owner.staged, 0);
      }
    }),
    { numRuns: 500 },
  );
});

test('chains are looked at before anything else: a stale share that solves is told to its owner', () => {
  const { turn, submit, jobs, clock, entry } = setUp();
  const owner = new Owner();
  jobs.add(0, makeJob({ tip: 2 }), clock.monotonic());
  clock.advance(5000);
  submit(owner, '1', share(1, MEETS.aux | MEETS.share), entry);
  submit(owner, '2', share(2, MEETS.main | MEETS.share), entry);
  submit(owner, '3', share(1, MEETS.aux | MEETS.share), entry);
  turn.work();
  assert.deepEqual(owner.heard, ['1!21', '2!21', '3!21']);
  assert.deepEqual(
    owner.finds.map((found) => found.chains),
    [['aux1'], ['main']],
  );
});

test('a solve below the share difficulty is a solve and a low-difficulty share', () => {
  const { turn, submit } = setUp();
  const owner = new Owner();
  submit(owner, '1', share(1, MEETS.main));
  turn.work();
  assert.deepEqual(owner.heard, ['1!23']);
  assert.equal(owner.finds.length, 1);
});

test('a replayed solve is a duplicate and is not told again', () => {
  const { turn, submit } = setUp();
  const owner = new Owner();
  submit(owner, '1', share(1, MEETS.main | MEETS.share));
  submit(owner, '2', share(1, MEETS.main | MEETS.share));
  turn.work();
  turn.acknowledged(1, true);
  assert.deepEqual(owner.heard, ['1', '2!22']);
  assert.equal(owner.finds.length, 1);
});

test('a share on a job that a new tip overtook pays within the grace, then it is stale', () => {
  const { turn, submit, jobs, clock, entry } = setUp();
  const owner = new Owner();
  jobs.add(0, makeJob({ tip: 2 }), clock.monotonic());
  clock.advance(100);
  submit(owner, '1', share(1, MEETS.share), entry);
  turn.work();
  turn.acknowledged(1, true);
  clock.advance(1);
  submit(owner, '2', share(2, MEETS.share), entry);
  turn.work();
  assert.deepEqual(owner.heard, ['1', '2!21']);
  assert.deepEqual(owner.verdicts, ['late', 'stale']);
});

test('long work is sliced: a new job may pass between two slices, and the loop gets its turn', () => {
  const { turn, submit, kernel, log, clock } = setUp(4);
  const owner = new Owner();
  for (let i = 0; i < 10; i++) submit(owner, String(i), share(i + 1, 0));
  log.length = 0;
  assert.equal(turn.work(), false);
  assert.deepEqual(kernel.runs, [4, 4, 2]);
  assert.deepEqual(log, ['urgent', 'urgent']);
  kernel.runs.length = 0;
  for (let i = 0; i < 10; i++) submit(owner, String(i), share(i + 1, 0));
  kernel.run = (slot, count): void => {
    clock.advance(10);
    Kernel.prototype.run.call(kernel, slot, count);
  };
  assert.equal(turn.work(), true);
  assert.deepEqual(kernel.runs, [4]);
});

test('shares of several jobs in one turn are hashed by job and answered in order', () => {
  const { turn, submit, jobs, kernel, entry } = setUp();
  const other = jobs.add(0, makeJob({ tip: 1 }), 0);
  const owner = new Owner();
  for (let i = 0; i < 6; i++) submit(owner, String(i), share(i + 1, 0), i % 2 ? entry : other);
  turn.work();
  assert.deepEqual(kernel.runs, [3, 3]);
  assert.deepEqual(owner.heard, ['0!23', '1!23', '2!23', '3!23', '4!23', '5!23']);
});

test('ntime is checked against the range of the job, inclusive', () => {
  const { turn, jobs } = setUp();
  const entry = jobs.add(0, makeJob({ tip: 1 }), 0);
  const owner = new Owner();
  const { minTime, maxTime } = entry.job;
  const times = [minTime - 1, minTime, maxTime, maxTime + 1];
  for (const [i, ntime] of times.entries()) {
    const draft = new Draft();
    draft.entry = entry;
    draft.term = TERM;
    draft.ntime = ntime;
    draft.nonce = share(i + 1, MEETS.share);
    turn.add(owner, String(i), draft);
  }
  turn.work();
  turn.acknowledged(1, true);
  assert.deepEqual(owner.heard, ['0!20', '1', '2', '3!20']);
});
