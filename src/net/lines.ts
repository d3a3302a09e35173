/**
 * Bytes → lines. A line ends in `\n`; a `\r` before it belongs to the ending. Lines are handed on as a
 * range of the buffer they arrived in, so that the usual line is never copied. Fed one byte at a time
 * or in one chunk, the lines are the same. What a peer can make this hold is `maxBytes`, no more.
 */

const NEWLINE = 0x0a;
const RETURN = 0x0d;

export interface LineSink {
  /** One line without its ending: `buffer[start, end)`, valid only during the call. */
  onLine(buffer: Buffer, start: number, end: number): void;
  /** True once no further line may be delivered (the connection was closed by an earlier one). */
  readonly closed: boolean;
}

export class LineReader {
  /** The unfinished line; a copy, because a slice would keep the whole read buffer alive. */
  #tail: Buffer | undefined = undefined;

  /** Bytes held of a line that has not ended yet. */
  get pendingBytes(): number {
    return this.#tail === undefined ? 0 : this.#tail.length;
  }

  /** Delivers every line that `chunk` completes. Returns false when a line is longer than `maxBytes`. */
  push(chunk: Buffer, maxBytes: number, sink: LineSink): boolean {
    let buffer = chunk;
    let from = 0;
    if (this.#tail !== undefined) {
      from = this.#tail.length;
      buffer = Buffer.concat([this.#tail, chunk]);
      this.#tail = undefined;
    }
    let start = 0;
    let newline = buffer.indexOf(NEWLINE, from);
    while (newline !== -1) {
      const end = newline > start && buffer[newline - 1] === RETURN ? newline - 1 : newline;
      if (newline - start > maxBytes) return false;
      sink.onLine(buffer, start, end);
      if (sink.closed) return true;
      start = newline + 1;
      newline = buffer.indexOf(NEWLINE, start);
    }
    const rest = buffer.length - start;
    if (rest > maxBytes) return false;
    if (rest > 0) this.#tail = start === 0 && buffer !== chunk ? buffer : copyOf(buffer, start);
    return true;
  }

  /** Forgets an unfinished line. */
  clear(): void {
    this.#tail = undefined;
  }
}

function copyOf(buffer: Buffer, start: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(buffer.length - start);
  buffer.copy(copy, 0, start);
  return copy;
}
