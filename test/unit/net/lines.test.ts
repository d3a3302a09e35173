/** Framing: the same lines however the bytes are cut, and no more memory than the limit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineReader } from '../../../src/net/lines.ts';

class Sink {
  closed = false;
  readonly lines: string[] = [];
  stopAt = Number.POSITIVE_INFINITY;

  onLine(buffer: Buffer, start: number, end: number): void {
    this.lines.push(buffer.toString('latin1', start, end));
    this.closed = this.lines.length >= this.stopAt;
  }
}

/** Lines as a person would cut them: at \n, without a \r before it. */
function expected(text: string): string[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

test('a text gives the same lines in one chunk, byte by byte and cut anywhere', () => {
  const byte = fc.constantFrom('a', 'b', '\n', '\r', '{', '\xff');
  fc.assert(
    fc.property(fc.string({ unit: byte, maxLength: 60 }), fc.array(fc.nat(10)), (text, cuts) => {
      const bytes = Buffer.from(text, 'latin1');
      const sink = new Sink();
      const reader = new LineReader();
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        const end = Math.min(bytes.length, at + cut);
        assert.equal(reader.push(bytes.subarray(at, end), 100, sink), true);
        at = end;
      }
      assert.deepEqual(sink.lines, expected(text));
      assert.equal(reader.pendingBytes, text.length - (text.lastIndexOf('\n') + 1));
    }),
  );
});

test('a line of exactly the limit passes, one byte more does not, ended or not', () => {
  for (const ending of ['\n', '']) {
    assert.equal(new LineReader().push(Buffer.from('x'.repeat(8) + ending), 8, new Sink()), true);
    assert.equal(new LineReader().push(Buffer.from('x'.repeat(9) + ending), 8, new Sink()), false);
  }
});

test('an endless line is refused once it passes the limit, not held', () => {
  const reader = new LineReader();
  for (let i = 0; i < 8; i++) assert.equal(reader.push(Buffer.from('x'), 8, new Sink()), true);
  assert.equal(reader.pendingBytes, 8);
  assert.equal(reader.push(Buffer.from('x'), 8, new Sink()), false);
});

test('nothing is delivered after the line that closed the connection', () => {
  const sink = new Sink();
  sink.stopAt = 2;
  new LineReader().push(Buffer.from('1\n2\n3\n4'), 8, sink);
  assert.deepEqual(sink.lines, ['1', '2']);
});

test('an unfinished line is a copy: the buffer it came in may be used again', () => {
  const chunk = Buffer.from('abc\nde');
  const sink = new Sink();
  const reader = new LineReader();
  reader.push(chunk, 8, sink);
  chunk.fill(0x7a);
  reader.push(Buffer.from('f\n'), 8, sink);
  assert.deepEqual(sink.lines, ['abc', 'def']);
});
