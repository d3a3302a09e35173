/** Broker URLs by kombu's rules. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseBrokers } from '../../../src/report/broker-url.ts';

describe('parseBrokers', () => {
  const one = (text: string) => {
    const [broker] = parseBrokers(text);
    const { host, port, username, password, path, tls } = broker!;
    return [host, port, username, password, path, tls];
  };

  // What kombu 5.2 `Connection(url).as_uri()` and its parts say of the same texts.
  const CASES: readonly (readonly [string, ReturnType<typeof one>])[] = [
    ['amqp://guest:guest@127.0.0.1:5672//', ['127.0.0.1', 5672, 'guest', 'guest', '/', false]],
    ['amqp://rabbit', ['rabbit', 5672, '', '', '/', false]],
    ['amqp://rabbit/', ['rabbit', 5672, '', '', '/', false]],
    ['amqp://u:p%40ss@rabbit/my%2Fhost', ['rabbit', 5672, 'u', 'p@ss', 'my/host', false]],
    ['pyamqp://u:a:b@rabbit:1/v', ['rabbit', 1, 'u', 'a:b', 'v', false]],
    ['amqps://u@[::1]//', ['::1', 5671, 'u', '', '/', true]],
    ['redis://', ['127.0.0.1', 6379, '', '', '0', false]],
    ['rediss://:secret@r:7/3', ['r', 7, '', 'secret', '3', true]],
  ];
  for (const [text, parts] of CASES) it(text, () => assert.deepEqual(one(text), parts));

  it('takes several, as a list or with ; between', () => {
    const hosts = (urls: string | readonly string[]) => parseBrokers(urls).map(({ host }) => host);
    assert.deepEqual(hosts('amqp://a//; amqp://b//;'), ['a', 'b']);
    assert.deepEqual(hosts(['amqp://a//', 'amqp://b//;amqp://c//']), ['a', 'b', 'c']);
  });

  it('refuses what is none, without the password', () => {
    for (const text of [
      '',
      'rabbit',
      'http://u:S01@x/',
      'amqp://u:S01@h:x/',
      'redis://:S01@h/zero',
      'amqp://a;redis://:S01@b',
    ]) {
      assert.throws(
        () => parseBrokers(text),
        (error: Error) => error.message.startsWith('BROKER_URL') && !error.message.includes('S01'),
        text,
      );
    }
  });
});
