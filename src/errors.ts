/**
 * The base of every error PowerPool throws on purpose. A room subclasses it once for its boundary.
 * The message says which component, setting or peer, what was seen, what was expected and what
 * happens next; `code` is stable and machine-readable; `cause` carries the underlying error.
 */
export class PoolError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The message of anything that was thrown, for a log line. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : ` (${messageOf(error.cause)})`;
  return error.message === '' ? `${error.name}${cause}` : `${error.message}${cause}`;
}
