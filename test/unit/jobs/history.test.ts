import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { JobHistory } from '../../../src/jobs/history.ts';
import type { JobWork } from '../../../src/jobs/builder.ts';
import { RunIdentity } from '../../../src/jobs/identity.ts';
import { prepare } from '../../../src/jobs/prepare.ts';
import { parseTemplate } from '../../../src/jobs/template.ts';
import { RULES, fixtureBody, jobOn } from './support.ts';

const prepared = prepare(parseTemplate(fixtureBody('bcoin-regtest-segwit')), RULES);

test('a solution on its way while its job is forgotten still finds what its block is made of', () => {
  const history = new JobHistory(2, 1);
  const identity = new RunIdentity(0);
  const first = jobOn(prepared, { identity, tip: 1 });
  history.add(first);
  history.add(jobOn(prepared, { identity, tip: 2 }));
  assert.deepEqual(history.add(jobOn(prepared, { identity, tip: 3 })), [first.job.id]);
  assert.equal(history.find(first.job.id), first, 'retired a moment ago');
  assert.equal(history.get(first.job.id), undefined);
  for (let tip = 4; tip < 30; tip += 1) history.add(jobOn(prepared, { identity, tip }));
  assert.equal(history.find(first.job.id), undefined, 'not kept for ever');
});

test('the history is bounded, keeps the newest, and reports each forgotten job once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(4),
      (newTips, maxActive, maxStale) => {
        const identity = new RunIdentity(0);
        const history = new JobHistory(maxActive, maxStale);
        const made: JobWork[] = [];
        const retired = new Set<string>();
        let tip = 1;
        for (const isNewTip of newTips) {
          tip += isNewTip ? 1 : 0;
          const work = jobOn(prepared, { identity, tip });
          made.push(work);
          for (const id of history.add(work)) {
            assert.ok(!retired.has(id), 'reported twice');
            retired.add(id);
          }
          assert.ok(history.size <= maxActive + maxStale);
          const active = made.filter((one) => one.job.tip === tip).slice(-maxActive);
          for (const one of active) assert.equal(history.get(one.job.id), one);
          const kept = made.filter((one) => history.get(one.job.id) !== undefined);
          assert.equal(kept.length + retired.size, made.length);
          for (const one of kept) assert.ok(one.job.tip >= tip - 1);
        }
      },
    ),
  );
});
