import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configuredReply } from '../../../src/stratum/v1/replies.ts';
import { parseRequest } from '../../../src/stratum/v1/requests.ts';

test("an extension's name comes back as it was, whatever characters it has, on one line of ASCII", () => {
  // As latin1, which lines are sent as, U+010A would be a line feed and U+0122 a quote.
  const name = 'x\u010a\u0122\u2028';
  const line = JSON.stringify({ id: 7, method: 'mining.configure', params: [[name], {}] });
  const { request } = parseRequest(line);
  assert.ok(request.method === 'configure' && request.extensions[0] === name);
  const reply = configuredReply('7', { [name]: false });
  assert.match(reply, /^[ -~]+\n$/);
  const answer = JSON.parse(Buffer.from(reply, 'latin1').toString('utf8')) as { result: unknown };
  assert.deepEqual(answer.result, { [name]: false });
});
